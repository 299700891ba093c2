import { wall } from '#contracts/units.ts';
import { instant } from '#runtime/clock.ts';
import type { Parts } from '../ports.ts';
import { type Issuer, makeRevocationList } from '../x509.ts';
import { lifetimes } from './layout.ts';
import type { AuthorityStore } from './store.ts';

/**
 * Makes the revocation list anew from the certificates that are marked as revoked, inside the caller's transaction.
 * Certificates that have expired stay listed: the broker's clock may be behind.
 */
export async function renewRevocationList(
  store: AuthorityStore,
  issuer: Issuer,
  parts: Parts,
): Promise<void> {
  const rows = store.all<{ serial: string; revoked_at: string }>(
    'SELECT serial, revoked_at FROM certificates WHERE revoked_at IS NOT NULL ORDER BY revoked_at, serial',
  );
  const number = Number(store.meta('revoked-number') ?? '0') + 1;
  const list = await makeRevocationList(issuer, {
    number,
    thisUpdate: wall(parts.clock.wall() - lifetimes.backdate),
    revoked: rows.map((row) => ({ serial: row.serial, at: wall(Date.parse(row.revoked_at)) })),
  });
  store.setMeta('revoked', list);
  store.setMeta('revoked-number', String(number));
}

/** Marks every certificate of the terminal as revoked but the one to be kept; says whether there was any. */
export function revokeCertificates(
  store: AuthorityStore,
  terminal: string,
  parts: Parts,
  keep?: string,
): boolean {
  const changed = store.run(
    `UPDATE certificates SET revoked_at = ? WHERE kind = 'terminal' AND subject = ? AND revoked_at IS NULL AND sha256 <> ?`,
    instant(parts.clock.wall()),
    terminal,
    keep ?? '',
  );
  return changed > 0;
}
