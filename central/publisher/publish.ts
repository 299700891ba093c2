import { readFile } from 'node:fs/promises';
import type { EditionDescription } from '#contracts/edition.ts';
import { fail, type Fault, ok, type Result } from '#contracts/result.ts';
import type { WallTime } from '#contracts/units.ts';
import { encodeEdition, openEdition, readEdition, trustedSigner } from '#formats/edition.ts';
import type { TrustedKey } from '#formats/envelope.ts';
import { instant } from '#runtime/clock.ts';
import { systemCode } from '#runtime/errors.ts';
import { ProblemList, readCollection } from './collection.ts';
import { readFingerprintKey, readSigningKey, readTrust } from './keys.ts';
import type { CollectionRecord } from './record.ts';
import { replaceFile } from './write-file.ts';

export interface PublishOrder {
  /** The collection (docs/collection.md). */
  readonly csv: string;
  /** Private key of the role `editions`, PEM, and the id that terminals know it by. */
  readonly key: string;
  readonly keyId: string;
  /** Opens the private key where it is encrypted. */
  readonly passphrase?: string;
  /** The bureau's fingerprint key. */
  readonly fingerprint: string;
  /** Where the edition goes; one that is there is replaced by the whole new one, or stays. */
  readonly out: string;
}

/** An edition holds no document number and is signed: whoever runs the terminal may read it. */
const editionMode = 0o644;

/**
 * Makes the edition of a collection and puts it in its place. Its date is `now`; its version is the UNIX time in seconds,
 * or one more than that of the edition that it replaces, whichever is higher, so that it rises also when a clock was
 * set back. Faults: COLLECTION_INVALID (all that is wrong, by row and column), CREDENTIAL_UNREADABLE, PASSPHRASE_WRONG,
 * FILE_REFUSED; whatever was there before is then untouched.
 */
export async function publishEdition(
  order: PublishOrder,
  now: WallTime,
): Promise<Result<EditionDescription>> {
  const fingerprint = await readFingerprintKey(order.fingerprint);
  if (!fingerprint.ok) return fingerprint;
  const key = await readSigningKey(order.key, order.passphrase);
  if (!key.ok) return key;
  const records = await readRecords(order.csv);
  if (!records.ok) return records;
  const signer = { id: order.keyId, key: key.value };
  const trusted = [trustedSigner(signer)];
  const before = await versionOf(order.out, trusted);
  const version = Math.max(Math.floor(now / 1000), before + 1);
  const bytes = encodeEdition(
    { state: { collection: 'sltd', version, date: instant(now) }, records: entriesOf(records.value) },
    { fingerprint: fingerprint.value, signer },
  );
  // What a terminal could not open must not take the place of what it can.
  const opened = openEdition(bytes, { trusted, fingerprint: fingerprint.value });
  if (!opened.ok) return opened;
  const written = await replaceFile(order.out, bytes, editionMode);
  return written.ok ? ok(opened.value.describe()) : written;
}

/** What an edition says of itself, if one of these keys has signed it and it is whole. */
export async function describeEdition(file: string, trust: string): Promise<Result<EditionDescription>> {
  const trusted = await readTrust(trust);
  if (!trusted.ok) return trusted;
  const bytes = await readEditionFile(file);
  if (!bytes.ok) return bytes;
  const read = readEdition(bytes.value, trusted.value);
  return read.ok ? ok(read.value.description) : named(file, read);
}

/** Opens an edition as a terminal does: signature, content and fingerprint key. */
export async function verifyEdition(
  file: string,
  keys: { readonly trust: string; readonly fingerprint: string },
): Promise<Result<EditionDescription>> {
  const fingerprint = await readFingerprintKey(keys.fingerprint);
  if (!fingerprint.ok) return fingerprint;
  const trusted = await readTrust(keys.trust);
  if (!trusted.ok) return trusted;
  const bytes = await readEditionFile(file);
  if (!bytes.ok) return bytes;
  const opened = openEdition(bytes.value, { trusted: trusted.value, fingerprint: fingerprint.value });
  return opened.ok ? ok(opened.value.describe()) : named(file, opened);
}

/** Version of the edition that this signer has put there before; 0 where there is none that it could have made. */
async function versionOf(file: string, trusted: readonly TrustedKey[]): Promise<number> {
  const bytes = await readEditionFile(file);
  if (!bytes.ok) return 0;
  const read = readEdition(bytes.value, trusted);
  return read.ok ? read.value.description.version : 0;
}

async function readRecords(file: string): Promise<Result<CollectionRecord[]>> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    return fail('FILE_REFUSED', `${file} cannot be read (${systemCode(cause) ?? 'unknown'}).`, cause);
  }
  const rows = readCollection(bytes);
  if (!rows.ok) return named(file, rows);
  const records: CollectionRecord[] = [];
  const problems = new ProblemList();
  for (const row of rows.value) {
    if ('record' in row) records.push(row.record);
    else problems.add(row.problems);
  }
  return problems.fault(file) ?? ok(records);
}

function* entriesOf(records: readonly CollectionRecord[]) {
  for (const record of records) yield { key: record.key, record };
}

async function readEditionFile(file: string): Promise<Result<Buffer>> {
  try {
    return ok(await readFile(file));
  } catch (cause) {
    const code = systemCode(cause) ?? 'unknown';
    return fail(
      code === 'ENOENT' ? 'EDITION_ABSENT' : 'FILE_REFUSED',
      `${file} cannot be read (${code}).`,
      cause,
    );
  }
}

function named(file: string, { fault }: { readonly fault: Fault }) {
  return fail(fault.code, `${file}: ${fault.detail}`, fault.cause);
}
