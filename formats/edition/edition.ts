import type { EditionDescription, EditionRecord } from '#contracts/edition.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { SearchKey } from '#contracts/search-key.ts';
import { Fingerprinter } from '../fingerprint.ts';
import type { NamedSecret } from '../keyed.ts';
import type { Base } from './base.ts';
import { decodePayload } from './entries.ts';
import { damaged, type EditionHeader } from './header.ts';
import type { Overlay } from './overlay.ts';

/** No search key has an empty state and number. */
const noDocument = '|' as SearchKey;

/** What shows in a header that the secret itself is the same, not its id alone: 16 hexadecimal digits. */
export function fingerprintCheck(secret: NamedSecret): string {
  const print = new Fingerprinter(secret);
  print.of(noDocument);
  return print.bytes().toString('hex');
}

/**
 * Whether an edition was made with this secret; a wrong one would find nothing and so say `no-record` of everything. The
 * fault is EDITION_FOREIGN.
 */
export function checkSecret(
  header: Pick<EditionHeader, 'fingerprintKey' | 'fingerprintCheck'>,
  secret: NamedSecret,
): Result<void> {
  if (fingerprintCheck(secret) === header.fingerprintCheck) return ok(undefined);
  return fail(
    'EDITION_FOREIGN',
    `It was made with the fingerprint key ${header.fingerprintKey}; here is the key ${secret.id}.`,
  );
}

/** Says of what is in the base that it may be there, and of nearly all else that it is not. */
export interface MembershipFilter {
  mayHold(hi: number, lo: number): boolean;
}

/** Of use while the filter of a base is being built: every look-up reads the disk. */
export const noFilter: MembershipFilter = { mayHold: () => true };

/**
 * An edition in use: its base, a filter of the base in memory, and what deltas have changed since. A document that is
 * not in the collection costs no read of the disk, but for one in 256 of them.
 */
export class Edition {
  readonly base: Base;
  readonly overlay: Overlay;
  readonly filter: MembershipFilter;
  readonly header: EditionHeader;
  readonly #secret: NamedSecret;
  readonly #print: Fingerprinter;

  /** `header` is that of the last delta, or of the base where there is none. */
  constructor(parts: {
    readonly base: Base;
    readonly filter: MembershipFilter;
    readonly overlay: Overlay;
    readonly header: EditionHeader;
    readonly secret: NamedSecret;
  }) {
    this.base = parts.base;
    this.filter = parts.filter;
    this.overlay = parts.overlay;
    this.header = parts.header;
    this.#secret = parts.secret;
    this.#print = new Fingerprinter(parts.secret);
  }

  /** Another edition, or the same with another filter, under the same secret. */
  with(parts: Omit<ConstructorParameters<typeof Edition>[0], 'secret'>): Edition {
    return new Edition({ ...parts, secret: this.#secret });
  }

  describe(): EditionDescription {
    const { collection, edition, date, count, fingerprintKey } = this.header;
    return {
      collection,
      version: edition,
      date: new Date(date).toISOString(),
      count,
      fingerprintKey,
      bytes: this.base.bytes,
    };
  }

  /**
   * Every record under this key, in no particular order; none is an empty list. The fault is EDITION_DAMAGED: what the
   * disk gave is not what was written, so that nobody can say.
   */
  search(key: SearchKey): Result<readonly EditionRecord[]> {
    this.#print.of(key);
    return this.find(this.#print.hi, this.#print.lo);
  }

  /** The same by the halves of the fingerprint. */
  find(hi: number, lo: number): Result<readonly EditionRecord[]> {
    const inBase = this.filter.mayHold(hi, lo);
    if (!inBase && this.overlay.findAdded(hi, lo) === -1) return none;
    const found = inBase ? this.base.search(hi, lo) : noPayload;
    if (!found.ok) return found;
    const records: EditionRecord[] = [];
    for (const payload of this.overlay.apply(hi, lo, found.value)) {
      const record = decodePayload(payload);
      if (record === undefined) return damaged('A record of it cannot be read.');
      records.push(record);
    }
    return ok(records);
  }

  /** Gives the files back; after that it must not be searched, and throws. */
  close(): void {
    this.base.close();
  }
}

const none: Result<readonly EditionRecord[]> = ok([]);
const noPayload: Result<readonly number[]> = ok([]);
