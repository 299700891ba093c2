import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { authorityFiles } from '#provisioning/index.ts';
import type { ClientIdentity } from './mosquitto-clients.ts';

/**
 * A certificate of a bureau's own authority, made behind its back by OpenSSL, for so many days from now; its time is over
 * where they are negative.
 */
export function signedFor(
  days: number,
  order: { readonly authority: string; readonly folder: string },
): ClientIdentity {
  const at = (ending: string): string => join(order.folder, `days${days}.${ending}`);
  const [key, request, certificate] = [at('key'), at('csr'), at('pem')];
  const { issuing, root, key: keyOf } = authorityFiles(order.authority);
  const openssl = (...args: string[]): unknown => execFileSync('openssl', args, { stdio: 'ignore' });
  const fresh = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key];
  openssl('req', '-new', ...fresh, '-subj', '/CN=UTO-0009-1', '-out', request);
  const by = ['-CA', issuing, '-CAkey', keyOf('issuing'), '-set_serial', String(days + 100)];
  openssl('x509', '-req', '-in', request, ...by, '-days', String(days), '-out', certificate);
  writeFileSync(certificate, readFileSync(certificate, 'utf8') + readFileSync(issuing, 'utf8'));
  return { authority: root, certificate, key };
}

/** What OpenSSL's own client says of a handshake in this version of TLS and no other. */
export function handshake(
  port: number,
  version: '-tls1_2' | '-tls1_3',
  { authority, certificate = '', key = '' }: ClientIdentity,
): string {
  const own = ['-cert', certificate, '-cert_chain', certificate, '-key', key, '-CAfile', authority];
  const args = ['s_client', '-connect', `localhost:${port}`, ...own, version];
  try {
    return execFileSync('openssl', args, { input: '', encoding: 'utf8', stdio: 'pipe' });
  } catch (thrown) {
    return String((thrown as { stderr?: unknown }).stderr);
  }
}
