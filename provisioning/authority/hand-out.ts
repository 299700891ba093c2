import { createPublicKey, type KeyObject } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import {
  fingerprintKeyContext,
  type FingerprintKeys,
  fingerprintKeysFolder,
  fingerprintKeysPath,
  fingerprintKeysType,
} from '#contracts/fingerprint-keys.ts';
import { signEnvelope } from '#formats/envelope.ts';
import { wrap } from '#formats/sealed.ts';
import { makeFolder, remove, writeWhole } from '../files.ts';
import type { Secret } from './fingerprint-files.ts';
import type { AuthorityStore } from './store.ts';

/** Which terminals find the keys in the repository now. */
export interface HandedOut {
  readonly given: readonly string[];
  /** Enrolled by a release before this one: they have no key that anything could be wrapped to. */
  readonly without: readonly string[];
}

interface TerminalRow {
  readonly terminal: string;
  readonly wrapping_key: string | null;
}

/**
 * Writes `keys/TERMINAL.json` (contracts/fingerprint-keys.ts) for every terminal that is enrolled and not revoked. What
 * lies there of others goes at the end. `keys` may name one twice; the first is the newest.
 */
export function handOut(
  store: AuthorityStore,
  repository: string,
  keys: readonly Secret[],
  signer: { readonly id: string; readonly key: KeyObject },
): HandedOut {
  const each = [...new Map(keys.map((secret) => [secret.id, secret])).values()];
  const rows = store.all<TerminalRow>(
    'SELECT terminal, wrapping_key FROM terminals WHERE revoked_at IS NULL ORDER BY terminal',
  );
  const folder = join(repository, fingerprintKeysFolder);
  makeFolder(folder, 0o755);
  const given: string[] = [];
  for (const { terminal, wrapping_key: recipient } of rows) {
    if (recipient === null) continue;
    const envelope = signEnvelope(fingerprintKeysType, wrapped(terminal, recipient, each), signer);
    // What is in it is sealed: the centre's server, which is another user, may read it.
    writeWhole(join(repository, fingerprintKeysPath(terminal)), `${JSON.stringify(envelope)}\n`, 0o644);
    given.push(terminal);
  }
  const kept = new Set(given.map((terminal) => basename(fingerprintKeysPath(terminal))));
  for (const name of readdirSync(folder)) if (!kept.has(name)) remove(join(folder, name));
  return {
    given,
    without: rows.flatMap((row) => (row.wrapping_key === null ? row.terminal : [])),
  };
}

function wrapped(terminal: string, recipient: string, secrets: readonly Secret[]): Buffer {
  const der = Buffer.from(recipient, 'base64');
  const key = createPublicKey({ key: der, type: 'spki', format: 'der' });
  const payload: FingerprintKeys = {
    v: 1,
    terminal,
    keys: secrets.map((secret) => ({
      id: secret.id,
      wrapped: wrap(key, fingerprintKeyContext(terminal, secret.id), Buffer.from(JSON.stringify(secret))),
    })),
  };
  return Buffer.from(JSON.stringify(payload));
}
