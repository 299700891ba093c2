import { fail, ok, type Result } from '#contracts/result.ts';
import { instant } from '#runtime/clock.ts';
import type { AuthorityAt, Parts } from '../ports.ts';
import { withAuthority } from './open.ts';
import { renewRevocationList, revokeCertificates } from './revocation.ts';

/**
 * Shuts a terminal out: it stands as revoked in the registry, its certificates are on the revocation list, and bundles
 * made for it that nobody has used are void. Done again it changes nothing. TERMINAL_UNKNOWN where none was enrolled
 * under this id.
 */
export function revoke(
  order: AuthorityAt & { readonly terminal: string },
  parts: Parts,
): Promise<Result<{ terminal: string; revokedAt: string; openBundles: number }>> {
  return withAuthority(order, async (authority) => {
    const issuer = authority.issuer();
    if (!issuer.ok) return issuer;
    const { store } = authority;
    return store.exclusively(async () => {
      const find = 'SELECT revoked_at FROM terminals WHERE terminal = ?';
      const row = store.get<{ revoked_at: string | null }>(find, order.terminal);
      if (row === undefined) return fail('TERMINAL_UNKNOWN', 'No terminal was enrolled under this id.');
      const revokedAt = row.revoked_at ?? instant(parts.clock.wall());
      store.run('UPDATE terminals SET revoked_at = ? WHERE terminal = ?', revokedAt, order.terminal);
      const openBundles = voidTokens(authority.store, order.terminal, parts);
      if (revokeCertificates(store, order.terminal, parts))
        await renewRevocationList(store, issuer.value, parts);
      return ok({ terminal: order.terminal, revokedAt, openBundles });
    });
  });
}

/** Makes the unused tokens of a terminal void; how many there were. */
export function voidTokens(
  store: { run(sql: string, ...values: string[]): number },
  terminal: string,
  parts: Parts,
): number {
  return store.run(
    'UPDATE tokens SET voided_at = ? WHERE terminal = ? AND used_at IS NULL AND voided_at IS NULL',
    instant(parts.clock.wall()),
    terminal,
  );
}
