import { createPrivateKey, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { fail, ok, type Result } from '#contracts/result.ts';
import { makeFolder, readOptional, readText, writeWhole } from '../files.ts';
import { privatePem } from '../keys.ts';
import type { AuthorityAt, Parts } from '../ports.ts';
import { certificateDigest, makeTlsKeys } from '../x509.ts';
import { issueAndEnter } from './issue.ts';
import { lifetimes } from './layout.ts';
import { type Authority, withAuthority } from './open.ts';

export interface ServerOrder extends AuthorityAt {
  /** Common name: what the broker's access rules and the logs call it. */
  readonly name: string;
  readonly dns: readonly string[];
  readonly ip: readonly string[];
  readonly out: string;
}

export interface ServerFiles {
  /** Root certificate. */
  readonly authority: string;
  /** Certificate, then the one that issued it. */
  readonly certificate: string;
  readonly key: string;
  /** Whether those that were there are still good and were kept. */
  readonly kept: boolean;
}

/**
 * A certificate for a server of the centre, good for serving and for connecting. Run again, it keeps what is there while
 * that is good for the same names and not about to expire.
 */
export function issueServer(order: ServerOrder, parts: Parts): Promise<Result<ServerFiles>> {
  return withAuthority(order, (authority) => issueServerWith(authority, order, parts));
}

export async function issueServerWith(
  authority: Authority,
  order: Omit<ServerOrder, keyof AuthorityAt>,
  parts: Parts,
): Promise<Result<ServerFiles>> {
  const wrong = complaint(order);
  if (wrong !== undefined) return fail('USAGE', wrong);
  const files = {
    authority: join(resolve(order.out), 'authority.pem'),
    certificate: join(resolve(order.out), 'certificate.pem'),
    key: join(resolve(order.out), 'key.pem'),
  };
  if (stillGood(authority, files, order, parts)) return ok({ ...files, kept: true });
  const issuer = authority.issuer();
  if (!issuer.ok) return issuer;
  return authority.store.exclusively(async () => {
    const keys = makeTlsKeys();
    const use = { kind: 'server', dns: order.dns, ip: order.ip } as const;
    const issued = await issueAndEnter(
      { use, commonName: order.name, organisation: authority.bureau, publicKey: keys.publicKey },
      issuer.value,
      authority.store,
      parts,
    );
    makeFolder(order.out);
    writeWhole(files.key, privatePem(keys.privateKey));
    writeWhole(files.certificate, issued.certificate + issuer.value.certificate);
    writeWhole(files.authority, readText(authority.files.root));
    return ok({ ...files, kept: false });
  });
}

function complaint(order: Pick<ServerOrder, 'name' | 'dns' | 'ip'>): string | undefined {
  if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(order.name)) {
    // Ids of terminals begin with capitals: a server can never pass for a terminal at the broker.
    return 'The name has lower-case letters, digits and hyphens, at most 63.';
  }
  if (order.dns.length + order.ip.length === 0)
    return 'Give at least one --dns or --ip that the server is reached by.';
  const badName = order.dns.find((name) => !/^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(name));
  if (badName !== undefined) return `${badName} is not a host name.`;
  const badAddress = order.ip.find((address) => isIP(address) === 0);
  return badAddress === undefined ? undefined : `${badAddress} is not an IP address.`;
}

/** Whether the files there are of this authority, not revoked, for exactly these names, whole and not about to expire. */
function stillGood(
  authority: Authority,
  files: { readonly certificate: string; readonly key: string; readonly authority: string },
  order: Pick<ServerOrder, 'name' | 'dns' | 'ip'>,
  parts: Parts,
): boolean {
  const certificate = readOptional(files.certificate);
  const key = readOptional(files.key);
  if (certificate === undefined || key === undefined) return false;
  if (readOptional(files.authority) !== readText(authority.files.root)) return false;
  const row = authority.store.get<{ not_after: string }>(
    `SELECT not_after FROM certificates WHERE sha256 = ? AND kind = 'server' AND subject = ? AND revoked_at IS NULL`,
    certificateDigest(certificate),
    order.name,
  );
  if (row === undefined || Date.parse(row.not_after) - parts.clock.wall() < lifetimes.renewBefore)
    return false;
  const parsed = new X509Certificate(certificate);
  const names = [
    ...order.dns.map((name) => `DNS:${name}`),
    ...order.ip.map((address) => `IP Address:${address}`),
  ];
  return parsed.subjectAltName === names.join(', ') && parsed.checkPrivateKey(createPrivateKey(key));
}
