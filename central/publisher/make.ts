import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import type { EditionRecord } from '#contracts/edition.ts';
import type { NamedTarget } from '#contracts/edition-target.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { SearchKey } from '#contracts/search-key.ts';
import {
  Base,
  BaseWriter,
  BucketFull,
  differenceOf,
  type EditionHeader,
  encodeDelta,
  payloadEncoder,
  fingerprintCheck,
  verifyFile,
  type WrittenBase,
} from '#formats/edition/index.ts';
import { Fingerprinter } from '#formats/fingerprint.ts';
import type { NamedSecret } from '#formats/keyed.ts';
import { syncFolder } from '#runtime/durable-file.ts';
import type { Repository } from './repository.ts';
import { EntrySorter } from './sorter.ts';

/** Takes one record after the other, in any order. */
export type RecordSink = (key: SearchKey, record: EditionRecord) => void;

/** Gives all records to the sink; `work` is a folder for what does not fit into memory. Its fault ends everything. */
export type Fill = (sink: RecordSink, work: string) => Promise<Result<unknown>>;

export type Say = (progress: {
  readonly phase: 'read' | 'write' | 'compare';
  readonly done: number;
  /** Undefined while nobody knows. */
  readonly total?: number;
}) => void;

export interface MakeOrder {
  readonly repository: Repository;
  readonly secret: NamedSecret;
  readonly edition: number;
  /** Milliseconds since 1970: how old the knowledge is. */
  readonly date: number;
  readonly fill: Fill;
  /** With fewer records nothing is made. */
  readonly least: number;
  readonly say: Say;
}

/**
 * Makes the whole of an edition in the repository's state: sorts the records' fingerprints in bounded memory and writes
 * the base. Nothing is described yet. Faults: those of `fill`, COLLECTION_SHRUNK, and COLLECTION_INVALID where tens of thousands of records are of
 * one document.
 */
export async function makeState(
  order: MakeOrder,
): Promise<Result<{ readonly header: EditionHeader; readonly written: WrittenBase }>> {
  const { repository, secret, edition, say } = order;
  const state = repository.state(edition);
  const unfinished = `${state.folder}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  const sorter = new EntrySorter(unfinished);
  try {
    const encode = payloadEncoder();
    const print = new Fingerprinter(secret);
    const filled = await order.fill((key, record) => {
      print.of(key);
      sorter.add(print.hi, print.lo, encode(record));
      if (sorter.count % 100_000 === 0) say({ phase: 'read', done: sorter.count });
    }, unfinished);
    if (!filled.ok) return filled;
    if (sorter.count < order.least) {
      return fail(
        'COLLECTION_SHRUNK',
        `It has ${sorter.count} records; at least ${Math.ceil(order.least)} were to be expected after the last edition.`,
      );
    }
    const header: EditionHeader = {
      collection: 'sltd',
      edition,
      date: order.date,
      count: sorter.count,
      fingerprintKey: secret.id,
      fingerprintCheck: fingerprintCheck(secret),
    };
    const files = {
      fingerprints: `${unfinished}/base.fingerprints`,
      payload: `${unfinished}/base.payload`,
    };
    const written = write(files, header, sorter, say);
    if (!written.ok) return written;
    sorter.close();
    await rm(state.folder, { recursive: true, force: true });
    await rename(unfinished, state.folder);
    await syncFolder(repository.at('state'));
    return ok({ header, written: written.value });
  } finally {
    sorter.close();
    await rm(unfinished, { recursive: true, force: true });
  }
}

function write(
  files: { readonly fingerprints: string; readonly payload: string },
  header: EditionHeader,
  sorter: EntrySorter,
  say: Say,
): Result<WrittenBase> {
  const writer = new BaseWriter(files, header);
  try {
    let done = 0;
    for (const chunk of sorter.sorted()) {
      writer.add(chunk);
      done += chunk.hi.length;
      say({ phase: 'write', done, total: header.count });
    }
    return ok(writer.finish());
  } catch (thrown) {
    writer.abandon();
    if (!(thrown instanceof BucketFull)) throw thrown;
    return fail(
      'COLLECTION_INVALID',
      'Tens of thousands of its records are of one and the same document.',
      thrown,
    );
  }
}

/** Where more of the records than this have changed, a whole base is shorter for whoever fetches it. */
const mostChanged = 0.25;
/** And never more: a terminal applies a delta in one piece, between two look-ups. */
const mostDelta = 1_000_000;
/** Below so many changes a delta is made in any case. */
const leastMost = 10_000;

export interface DeltaOrder {
  /** The edition before; 0 where there is none. */
  readonly from: number;
  /** What is described so far. */
  readonly listed: readonly NamedTarget[];
  /** Of the new edition, whose state is there. */
  readonly header: EditionHeader;
  readonly say: Say;
}

/**
 * The delta from the edition before to the new one, from their states; undefined where the state of the edition before is
 * gone or is not what was signed, it was made with another fingerprint key, or nearly all has changed. The fault is
 * EDITION_DAMAGED where the new state cannot be read.
 */
export function makeDelta(
  repository: Repository,
  { from, listed, header, say }: DeltaOrder,
): Result<{ readonly bytes: Buffer; readonly sha256: string; readonly from: number } | undefined> {
  const before = repository.state(from);
  // A delta from anything else than what terminals have would lead them astray.
  if (!isAsSigned(before, from, listed)) return ok(undefined);
  const old = Base.open(before);
  if (!old.ok) return old;
  try {
    if (old.value.header.fingerprintCheck !== header.fingerprintCheck) return ok(undefined);
    const fresh = Base.open(repository.state(header.edition));
    if (!fresh.ok) return fresh;
    try {
      const most = Math.min(mostDelta, Math.max(leastMost, header.count * mostChanged));
      const difference = differenceOf(old.value.entries(), counted(fresh.value, say), most);
      if (!difference.ok) return difference;
      if (difference.value === undefined) return ok(undefined);
      const bytes = encodeDelta({ header: { ...header, from }, ...difference.value });
      return ok({ bytes, sha256: createHash('sha256').update(bytes).digest('hex'), from });
    } finally {
      fresh.value.close();
    }
  } finally {
    old.value.close();
  }
}

/** Whether both files of a state are those that the description lists, to the last byte. */
function isAsSigned(
  state: ReturnType<Repository['state']>,
  edition: number,
  listed: readonly NamedTarget[],
): boolean {
  return (['fingerprints', 'payload'] as const).every((part) => {
    const target = listed.find(({ about }) => about.edition === edition && about.part === part);
    if (target === undefined || target.about.part === 'delta' || !existsSync(state[part])) return false;
    return verifyFile(state[part], target.about.tree).ok;
  });
}

function* counted(base: Base, say: Say): ReturnType<Base['entries']> {
  let done = 0;
  for (const chunk of base.entries()) {
    if (chunk.ok) {
      done += chunk.value.hi.length;
      say({ phase: 'compare', done, total: base.header.count });
    }
    yield chunk;
  }
}
