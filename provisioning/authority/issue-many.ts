import { ok, type Result } from '#contracts/result.ts';
import { privatePem } from '../keys.ts';
import type { AuthorityAt, Parts } from '../ports.ts';
import { makeTlsKeys } from '../x509.ts';
import { issueAndEnter } from './issue.ts';
import { withAuthority } from './open.ts';

export interface IssuedCredential {
  readonly name: string;
  /** Certificate, then the one that issued it, PEM. */
  readonly certificate: string;
  readonly key: string;
  /** SHA-256 of the certificate in DER, hexadecimal, as the registry has it. */
  readonly digest: string;
}

/**
 * Certificates for terminals that are played: keys and all are made here, which no real terminal's key ever is. They are
 * in the authority's ledger, so that they can be revoked, but not in its registry: whoever plays them writes one.
 */
export function issueForPlay(
  order: AuthorityAt & { readonly names: readonly string[] },
  parts: Parts,
): Promise<Result<IssuedCredential[]>> {
  return withAuthority(order, async (authority) => {
    const { bureau, store } = authority;
    const opened = authority.issuer();
    if (!opened.ok) return opened;
    return store.exclusively(async () => {
      const issued: IssuedCredential[] = [];
      for (const name of order.names) {
        const keys = makeTlsKeys();
        const { certificate, digest } = await issueAndEnter(
          { use: { kind: 'terminal' }, commonName: name, organisation: bureau, publicKey: keys.publicKey },
          opened.value,
          store,
          parts,
        );
        issued.push({
          name,
          certificate: certificate + opened.value.certificate,
          key: privatePem(keys.privateKey),
          digest,
        });
      }
      return ok(issued);
    });
  });
}
