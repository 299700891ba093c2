import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import Type, { type Static } from 'typebox';
import { Check } from 'typebox/value';
import type { EditionDescription, EditionRecord } from '#contracts/edition.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { SearchKey } from '#contracts/search-key.ts';
import { CollectionState } from '#contracts/verdict.ts';
import { type Entry, encodeEntry, entryBytes, findEntries, isSorted } from './edition-entries.ts';
import { type Envelope, openEnvelope, signEnvelope, type TrustedKey } from './envelope.ts';
import { fingerprint, type NamedSecret } from './keyed.ts';

/**
 * An edition as one file. It is opened whole or not at all.
 *
 *     offset  bytes  what
 *          0      7  "CPEDITN"
 *          7      1  version of the format: 1
 *          8      4  length L of the header, big-endian, at most 65,536
 *         12      L  header: a signed envelope (formats/envelope.ts, role `editions`) around JSON: which collection,
 *                    version, date, count, fingerprint key, and the SHA-256 of all that follows
 *     12 + L   16×n  n entries, sorted by fingerprint (formats/edition-entries.ts)
 *
 * No document number is in it: a record is found by a keyed fingerprint of its search key, and the key is the bureau's.
 */
const magic = Buffer.from('CPEDITN');
const formatVersion = 1;
const prefixBytes = 12;
const maxHeaderBytes = 65_536;
const payloadType = 'application/vnd.checkpost.edition+json';

const Header = Type.Object({
  state: CollectionState,
  fingerprintKey: Type.String({ minLength: 1, maxLength: 64 }),
  /** Fingerprint of a key that no document has: shows that the secret itself is the same, not its id alone. */
  fingerprintCheck: Type.String({ pattern: '^[0-9a-f]{16}$' }),
  sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
});
type Header = Static<typeof Header>;

/** No search key has an empty state and number. */
const noDocument = '|' as SearchKey;

/** One version of a collection's offline copy, in memory. */
export interface Edition {
  describe(): EditionDescription;
  /** Every record under this key, in no particular order; none is an empty list. */
  search(key: SearchKey): readonly EditionRecord[];
  /** Gives the memory back; after that it must not be searched, and throws. */
  close(): void;
}

/** What a file says of itself, with its signature checked and its content whole. */
export interface SignedEdition {
  readonly description: EditionDescription;
  readonly entries: Buffer;
  readonly fingerprintCheck: string;
}

export interface EditionContent {
  readonly state: Omit<CollectionState, 'count'>;
  readonly records: Iterable<{ readonly key: SearchKey; readonly record: EditionRecord }>;
}

/** The bytes of an edition with these records; two records of one key are both kept. */
export function encodeEdition(
  content: EditionContent,
  keys: {
    readonly fingerprint: NamedSecret;
    /** Ed25519 private key of the role `editions`. */
    readonly signer: { readonly id: string; readonly key: KeyObject };
  },
): Buffer {
  const entries: Entry[] = [];
  for (const { key, record } of content.records)
    entries.push(encodeEntry(fingerprint(keys.fingerprint, key), record));
  const body = Buffer.concat(entries.sort((a, b) => a.compare(b)));
  const header: Header = {
    state: { ...content.state, count: entries.length },
    fingerprintKey: keys.fingerprint.id,
    fingerprintCheck: fingerprint(keys.fingerprint, noDocument).toString('hex'),
    sha256: createHash('sha256').update(body).digest('hex'),
  };
  const envelope = signEnvelope(payloadType, Buffer.from(JSON.stringify(header)), keys.signer);
  const head = Buffer.from(JSON.stringify(envelope));
  const prefix = Buffer.alloc(prefixBytes);
  magic.copy(prefix);
  prefix.writeUInt8(formatVersion, magic.length);
  prefix.writeUInt32BE(head.length, 8);
  return Buffer.concat([prefix, head, body]);
}

/**
 * Opens an edition from the bytes of its file, which it keeps. Faults: EDITION_DAMAGED (cut, altered, or no edition at
 * all), EDITION_NEWER (a later format), SIGNATURE_REFUSED, EDITION_FOREIGN (another fingerprint key).
 */
export function openEdition(
  file: Buffer,
  keys: { readonly trusted: readonly TrustedKey[]; readonly fingerprint: NamedSecret },
): Result<Edition> {
  const read = readEdition(file, keys.trusted);
  if (!read.ok) return read;
  const { description, entries, fingerprintCheck } = read.value;
  // A wrong secret would find nothing and so say `no-record` of everything.
  if (fingerprint(keys.fingerprint, noDocument).toString('hex') !== fingerprintCheck) {
    return fail(
      'EDITION_FOREIGN',
      `It was made with the fingerprint key ${description.fingerprintKey}; here is the key ${keys.fingerprint.id}.`,
    );
  }
  return ok(new OpenEdition(description, entries, keys.fingerprint));
}

/** Checks signature and content without the fingerprint key, for whoever only describes an edition. */
export function readEdition(file: Buffer, trusted: readonly TrustedKey[]): Result<SignedEdition> {
  const parts = split(file);
  if (!parts.ok) return parts;
  const opened = openEnvelope(parts.value.envelope, { payloadType, role: 'editions', trusted });
  if (!opened.ok) {
    return opened.fault.code === 'ENVELOPE_INVALID' ? damaged(opened.fault.detail) : opened;
  }
  const header = parseHeader(opened.value.payload);
  if (header === undefined) return damaged('Its header is not one of an edition.');
  const { entries } = parts.value;
  if (entries.length !== header.state.count * entryBytes) {
    return damaged(`It should hold ${header.state.count} records, but has ${entries.length} bytes for them.`);
  }
  if (createHash('sha256').update(entries).digest('hex') !== header.sha256) {
    return damaged('Its records are not those that were signed.');
  }
  if (!isSorted(entries)) return damaged('Its records are not in order.');
  return ok({
    description: {
      ...header.state,
      fingerprintKey: header.fingerprintKey,
      signedBy: opened.value.signedBy,
      bytes: file.length,
    },
    entries,
    fingerprintCheck: header.fingerprintCheck,
  });
}

/** The public half of a signer's key, as a key that is trusted for editions. */
export function trustedSigner(signer: { readonly id: string; readonly key: KeyObject }): TrustedKey {
  return { id: signer.id, role: 'editions', key: createPublicKey(signer.key) };
}

function split(file: Buffer): Result<{ envelope: unknown; entries: Buffer }> {
  if (file.length < prefixBytes || !file.subarray(0, magic.length).equals(magic)) {
    return damaged(file.length === 0 ? 'The file is empty.' : 'It does not begin like an edition.');
  }
  const version = file.readUInt8(magic.length);
  if (version > formatVersion) {
    return fail('EDITION_NEWER', `It has format ${version}; this release knows ${formatVersion}.`);
  }
  if (version !== formatVersion) return damaged(`There is no format ${version}.`);
  const end = prefixBytes + file.readUInt32BE(8);
  if (end > prefixBytes + maxHeaderBytes || end > file.length) return damaged('Its header is cut off.');
  try {
    const envelope = JSON.parse(file.toString('utf8', prefixBytes, end)) as Envelope;
    return ok({ envelope, entries: file.subarray(end) });
  } catch (cause) {
    return damaged('Its header is not JSON.', cause);
  }
}

function parseHeader(payload: Buffer): Header | undefined {
  try {
    const value: unknown = JSON.parse(payload.toString('utf8'));
    return Check(Header, value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function damaged(detail: string, cause?: unknown) {
  return fail('EDITION_DAMAGED', detail, cause);
}

class OpenEdition implements Edition {
  readonly #description: EditionDescription;
  readonly #secret: NamedSecret;
  #entries: Buffer | undefined;

  constructor(description: EditionDescription, entries: Buffer, secret: NamedSecret) {
    this.#description = description;
    this.#entries = entries;
    this.#secret = secret;
  }

  describe(): EditionDescription {
    return this.#description;
  }

  search(key: SearchKey): readonly EditionRecord[] {
    // An empty answer from a closed edition would be a silent pass.
    if (this.#entries === undefined) throw new TypeError('the edition is closed');
    return findEntries(this.#entries, fingerprint(this.#secret, key));
  }

  close(): void {
    this.#entries = undefined;
  }
}
