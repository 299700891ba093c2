import { existsSync } from 'node:fs';
import type { KeyObject } from 'node:crypto';
import { TrustedKeys } from '#contracts/enrolment.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { readPrivateKey, type SigningRole } from '#formats/envelope.ts';
import { toError } from '#runtime/errors.ts';
import { parseJson } from '#runtime/parse.ts';
import { readOptional, readText } from '../files.ts';
import type { AuthorityAt } from '../ports.ts';
import type { Issuer } from '../x509.ts';
import { type AuthorityFiles, authorityFiles, type KeyName, keyId } from './layout.ts';
import { publish } from './publish.ts';
import { AuthorityStore } from './store.ts';

/** An authority while a command works with it. Private keys are opened only when they are asked for. */
export interface Authority {
  readonly bureau: string;
  readonly files: AuthorityFiles;
  readonly store: AuthorityStore;
  readonly trusted: TrustedKeys;
  /** The issuing certificate and its key. PASSPHRASE_WRONG where the passphrase does not open it. */
  issuer(): Result<Issuer>;
  signer(role: SigningRole): Result<{ id: string; key: KeyObject }>;
}

/** Opens the authority, lets `work` use it, publishes what changed, and closes it however `work` ends. */
export async function withAuthority<T>(
  at: AuthorityAt,
  work: (authority: Authority) => Promise<Result<T>>,
): Promise<Result<T>> {
  const files = authorityFiles(at.dir);
  if (!existsSync(files.database)) return fail('AUTHORITY_ABSENT', `${at.dir} holds none.`);
  const store = new AuthorityStore(files.database);
  try {
    const done = await work(open(at, files, store));
    // Also what a command that was killed before this line has left undone.
    const published = await publish(store, files);
    return done.ok && !published.ok ? published : done;
  } finally {
    store.close();
  }
}

/** Whether the private keys of this authority lie encrypted; false where there is no authority. */
export function needsPassphrase(dir: string): boolean {
  return readOptional(authorityFiles(dir).key('issuing'))?.startsWith('-----BEGIN ENCRYPTED ') === true;
}

function open(at: AuthorityAt, files: AuthorityFiles, store: AuthorityStore): Authority {
  const trusted = parseJson(TrustedKeys, readText(files.trusted), 'CREDENTIAL_UNREADABLE');
  if (!trusted.ok) throw toError(trusted.fault);
  const key = (name: KeyName): Result<KeyObject> => {
    const opened = readPrivateKey(readText(files.key(name)), at.passphrase);
    if (opened.ok) return opened;
    const what =
      at.passphrase === undefined ? 'It is encrypted and no passphrase was given' : 'It stayed closed';
    // The cause may quote the key's text: it is left out.
    return fail('PASSPHRASE_WRONG', `${what}: the ${name} key.`);
  };
  return {
    bureau: store.meta('bureau') ?? '',
    files,
    store,
    trusted: trusted.value,
    issuer() {
      const privateKey = key('issuing');
      return privateKey.ok
        ? ok({ certificate: readText(files.issuing), privateKey: privateKey.value })
        : privateKey;
    },
    signer(role) {
      const opened = key(role);
      return opened.ok ? ok({ id: keyId(role), key: opened.value }) : opened;
    },
  };
}
