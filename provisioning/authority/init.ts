import { generateKeyPairSync, type KeyObject, type KeyPairKeyObjectResult } from 'node:crypto';
import { existsSync, readdirSync, renameSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { BureauCode } from '#contracts/names.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { wall } from '#contracts/units.ts';
import { systemCode } from '#runtime/errors.ts';
import { parseValue } from '#runtime/parse.ts';
import { makeFolder, remove, writeWhole } from '../files.ts';
import { newSecret, privatePem, publicPem } from '../keys.ts';
import type { Parts } from '../ports.ts';
import { issueCertificate, makeTlsKeys } from '../x509.ts';
import { newSerial } from './issue.ts';
import {
  type AuthorityFiles,
  authorityFiles,
  editionKeys,
  keyId,
  lifetimes,
  signingRoles,
} from './layout.ts';
import { makeEditionsRoot } from './editions-root.ts';
import { publish } from './publish.ts';
import { renewRevocationList } from './revocation.ts';
import { AuthorityStore } from './store.ts';

export interface AuthorityOrder {
  readonly dir: string;
  /** ISO 3166-1 alpha-3 code of the bureau. */
  readonly bureau: string;
  /** Encrypts the private keys; null says in so many words that they shall lie in clear. */
  readonly passphrase: string | null;
  /** Addresses of the centre that bundles get unless they say otherwise. */
  readonly centralUrl?: string | undefined;
  readonly fleetUrl?: string | undefined;
}

/** A passphrase is guessed offline by whoever has the files: shorter ones are refused. */
export const leastPassphrase = 16;

/**
 * Makes a bureau's authority: certificates, signing keys, secrets, an empty registry. It is made in a folder beside
 * `dir` and moved there when it is whole, so that an interrupted one leaves no half authority.
 */
export async function initAuthority(order: AuthorityOrder, parts: Parts): Promise<Result<{ dir: string }>> {
  const bureau = parseValue(BureauCode, order.bureau, 'USAGE');
  if (!bureau.ok) return fail('USAGE', 'The bureau is an ISO 3166-1 alpha-3 code, for example UTO.');
  if (order.passphrase !== null && order.passphrase.length < leastPassphrase) {
    return fail('USAGE', `The passphrase must have at least ${leastPassphrase} characters.`);
  }
  const dir = resolve(order.dir);
  if (existsSync(authorityFiles(dir).database)) return fail('AUTHORITY_EXISTS', `${dir} holds one.`);
  makeFolder(dirname(dir));
  clearUnfinished(dir);
  const unfinished = `${unfinishedPrefix(dir)}${process.pid}`;
  makeFolder(unfinished);
  try {
    await make(order, authorityFiles(unfinished), parts);
    renameSync(unfinished, dir);
  } catch (cause) {
    remove(unfinished);
    const code = systemCode(cause);
    if (code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'ENOTDIR') {
      return fail('AUTHORITY_EXISTS', `${dir} is there already and not empty.`);
    }
    throw cause;
  }
  return ok({ dir });
}

async function make(order: AuthorityOrder, files: AuthorityFiles, parts: Parts): Promise<void> {
  makeFolder(dirname(files.key('root')));
  const now = parts.clock.wall();
  const notBefore = wall(now - lifetimes.backdate);
  const save = (name: Parameters<AuthorityFiles['key']>[0], key: KeyObject): void => {
    writeWhole(files.key(name), privatePem(key, order.passphrase));
  };

  const root = makeTlsKeys();
  const issuing = makeTlsKeys();
  const common = { organisation: order.bureau, notBefore };
  const rootCertificate = await issueCertificate(
    {
      ...common,
      use: { kind: 'root' },
      commonName: `Checkpost ${order.bureau} root`,
      publicKey: root.publicKey,
      serial: newSerial(parts),
      notAfter: wall(now + lifetimes.root),
    },
    root,
  );
  const issuingCertificate = await issueCertificate(
    {
      ...common,
      use: { kind: 'issuing' },
      commonName: `Checkpost ${order.bureau} issuing 1`,
      publicKey: issuing.publicKey,
      serial: newSerial(parts),
      notAfter: wall(now + lifetimes.issuing),
    },
    { certificate: rootCertificate, privateKey: root.privateKey },
  );
  save('root', root.privateKey);
  save('issuing', issuing.privateKey);
  writeWhole(files.root, rootCertificate);
  writeWhole(files.issuing, issuingCertificate);

  const pairs = new Map<string, KeyPairKeyObjectResult>();
  for (const name of [...signingRoles, ...editionKeys]) {
    const pair = generateKeyPairSync('ed25519');
    save(name, pair.privateKey);
    pairs.set(name, pair);
  }
  const pairOf = (name: string): KeyPairKeyObjectResult => pairs.get(name) as KeyPairKeyObjectResult;
  const keys = signingRoles.map((role) => {
    return { id: keyId(role), role, publicKey: publicPem(pairOf(role).publicKey) };
  });
  writeWhole(
    files.editionsRoot,
    makeEditionsRoot(pairOf, wall(now + lifetimes.editionsRoot)).toString('utf8'),
  );
  writeWhole(files.trusted, `${JSON.stringify({ keys }, null, 2)}\n`);
  writeWhole(files.fingerprint, newSecret(parts.random));
  writeWhole(files.auditDigest, newSecret(parts.random));

  const store = new AuthorityStore(files.database, { create: true });
  try {
    await store.exclusively(async () => {
      store.setMeta('bureau', order.bureau);
      if (order.centralUrl !== undefined) store.setMeta('central-url', order.centralUrl);
      if (order.fleetUrl !== undefined) store.setMeta('fleet-url', order.fleetUrl);
      const issuer = { certificate: issuingCertificate, privateKey: issuing.privateKey };
      await renewRevocationList(store, issuer, parts);
      return ok(undefined);
    });
    await publish(store, files);
  } finally {
    store.close();
  }
}

function unfinishedPrefix(dir: string): string {
  return join(dirname(dir), `.${basename(dir)}.unfinished-`);
}

/** Removes what killed commands left: folders of processes that are no more. */
function clearUnfinished(dir: string): void {
  const prefix = basename(unfinishedPrefix(dir));
  for (const name of readdirSync(dirname(dir))) {
    if (name.startsWith(prefix) && !lives(Number(name.slice(prefix.length))))
      remove(join(dirname(dir), name));
  }
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return systemCode(thrown) !== 'ESRCH';
  }
}
