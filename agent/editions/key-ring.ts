import type { KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import Type, { type Static } from 'typebox';
import { NamedSecretText } from '#contracts/enrolment.ts';
import { fingerprintKeysBytes, fingerprintKeysPath } from '#contracts/fingerprint-keys.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { TrustedKey } from '#formats/envelope.ts';
import { type NamedSecret, readNamedSecret } from '#formats/keyed.ts';
import { replaceFile } from '#runtime/durable-file.ts';
import { systemCode } from '#runtime/errors.ts';
import { faultFields, type Log } from '#runtime/log.ts';
import { parseJson } from '#runtime/parse.ts';
import type { Repository } from './ports.ts';
import { openFingerprintKeys } from './wrapped-keys.ts';

export interface KeyRingParts {
  /** Folder of the offline copy. */
  readonly folder: string;
  readonly terminal: string;
  /** What enrolment brought. */
  readonly enrolled: readonly NamedSecret[];
  readonly trusted: readonly TrustedKey[];
  /** Private key that later ones are wrapped to; undefined on a terminal that was enrolled by an older release. */
  readonly wrapping: KeyObject | undefined;
  readonly log: Log;
}

/** `fingerprint-keys.json`: those that came after the enrolment, oldest first. */
const Kept = Type.Object(
  { v: Type.Literal(1), keys: Type.Array(NamedSecretText, { maxItems: 64 }) },
  { additionalProperties: false },
);
type Kept = Static<typeof Kept>;

/** The edition in use, the one kept before it and the next need three at most. */
const mostKept = 8;

/** The bureau's fingerprint keys that this terminal holds: those of its enrolment, and those that came since. */
export class KeyRing {
  readonly #parts: KeyRingParts;
  #kept: Kept['keys'];
  #secrets: readonly NamedSecret[];

  constructor(parts: KeyRingParts, kept: Kept['keys']) {
    this.#parts = parts;
    this.#kept = kept;
    this.#secrets = this.#all();
  }

  secrets(): readonly NamedSecret[] {
    return this.#secrets;
  }

  /**
   * Makes sure that the key of this id is held, fetching this terminal's keys from the repository where it is not, and
   * keeps it durably. Faults: EDITION_FOREIGN where the repository has none that this terminal may believe and can open,
   * FILE_REFUSED, and those of fetching.
   */
  async obtain(id: string, repository: Repository, signal: AbortSignal): Promise<Result<void>> {
    if (this.#holds(id)) return ok(undefined);
    const { terminal, wrapping, trusted, folder, log } = this.#parts;
    if (wrapping === undefined) {
      return foreign(
        id,
        'this terminal was enrolled by an older release and has no key to open it with: enrol it again.',
      );
    }
    const path = fingerprintKeysPath(terminal);
    const fetched = await repository.fetchSmall(path, fingerprintKeysBytes, signal);
    // A file that is no file of keys is refused for what it means here: this terminal gets no key.
    if (!fetched.ok && fetched.fault.code !== 'EDITION_DAMAGED') return fetched;
    const opened = fetched.ok ? openFingerprintKeys(fetched.value, { terminal, wrapping, trusted }) : fetched;
    if (!opened.ok)
      return foreign(
        id,
        `${repository.name} has no good ${path}: ${opened.fault.detail} ${remedy}`,
        opened.fault,
      );
    if (!opened.value.some((secret) => secret.id === id)) {
      return foreign(id, `${path} of ${repository.name} does not hold it. ${remedy}`);
    }
    // One that is held stays: a file that is played back must not take the right key away.
    const fresh = opened.value.filter((secret) => !this.#holds(secret.id));
    const kept = [...this.#kept, ...fresh.reverse()].slice(-mostKept);
    const json = `${JSON.stringify({ v: 1, keys: kept } satisfies Kept)}\n`;
    const written = await replaceFile(keptFile(folder), Buffer.from(json), 0o600);
    if (!written.ok) return written;
    this.#kept = kept;
    this.#secrets = this.#all();
    log.info('The next fingerprint key has come', { key: id, from: repository.name });
    return ok(undefined);
  }

  #holds(id: string): boolean {
    return this.#secrets.some((secret) => secret.id === id);
  }

  #all(): readonly NamedSecret[] {
    return [...this.#parts.enrolled, ...this.#kept.map(readNamedSecret)];
  }
}

const remedy =
  'The bureau hands it out again with `checkpost authority rotate-fingerprint --again`, or enrols this terminal again.';

function foreign(id: string, why: string, cause?: unknown): Result<never> {
  return fail('EDITION_FOREIGN', `The newest edition was made with the fingerprint key ${id}; ${why}`, cause);
}

function keptFile(folder: string): string {
  return join(folder, 'fingerprint-keys.json');
}

/** The keys that are held. Where the file of those that came later is damaged, they have to come again. */
export async function openKeyRing(parts: KeyRingParts): Promise<KeyRing> {
  const { folder, log } = parts;
  let text: string;
  try {
    text = await readFile(keptFile(folder), 'utf8');
  } catch (thrown) {
    const code = systemCode(thrown) ?? 'unknown';
    if (code !== 'ENOENT') log.error('The fingerprint keys that came later cannot be read', { code });
    return new KeyRing(parts, []);
  }
  const kept = parseJson(Kept, text, 'CREDENTIAL_UNREADABLE');
  if (kept.ok) return new KeyRing(parts, kept.value.keys);
  log.error('The fingerprint keys that came later are damaged', faultFields(kept.fault));
  return new KeyRing(parts, []);
}
