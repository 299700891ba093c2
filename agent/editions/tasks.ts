import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { fail, ok, type Result } from '#contracts/result.ts';
import {
  Base,
  BaseWriter,
  type EditionHeader,
  type Entries,
  encodeFilter,
  FilterBuilder,
  mergedEntries,
  Overlay,
  verifyFile,
} from '#formats/edition/index.ts';
import type { BaseFiles } from './generation.ts';
import { applyDelta } from './open.ts';

/**
 * What takes seconds or minutes and is done in a thread of its own: synchronous from end to end, all that it needs in
 * plain data. Failures of the disk are thrown as Node's errors.
 */
export type Task =
  | {
      /** Builds the filter of a base and tries it and the base out. */
      readonly kind: 'filter';
      readonly base: BaseFiles;
      readonly sha256: string;
    }
  | {
      /** Makes the base of an edition from an older base and the deltas since, and its filter. */
      readonly kind: 'compact';
      readonly base: Pick<BaseFiles, 'fingerprints' | 'payload'>;
      /** Files, in the order in which they are applied. */
      readonly deltas: readonly string[];
      /** Where it goes: the folder is there and empty. */
      readonly into: BaseFiles;
      /** SHA-256 of both files as they are signed. */
      readonly signed: { readonly fingerprints: string; readonly payload: string };
    }
  | {
      /** Reads files from end to end and checks them against the roots of their hash trees. */
      readonly kind: 'verify';
      readonly files: readonly { readonly file: string; readonly tree: string }[];
    };

/** Faults: EDITION_DAMAGED, EDITION_NEWER, EDITION_GAP, EDITION_FOREIGN. */
export function perform(task: Task): Result<void> {
  switch (task.kind) {
    case 'filter':
      return buildFilter(task.base, task.sha256);
    case 'compact':
      return compact(task);
    case 'verify':
    default:
      return verify(task);
  }
}

function verify({ files }: Extract<Task, { kind: 'verify' }>): Result<void> {
  for (const { file, tree } of files) {
    const verified = verifyFile(file, tree);
    if (!verified.ok) return fail('EDITION_DAMAGED', `${file}: ${verified.fault.detail}`);
  }
  return ok(undefined);
}

function buildFilter(files: BaseFiles, sha256: string): Result<void> {
  const opened = Base.open(files);
  if (!opened.ok) return opened;
  const base = opened.value;
  try {
    const made = new FilterMaker(base.header.count);
    for (const chunk of base.entries()) {
      if (!chunk.ok) return chunk;
      made.add(chunk.value);
    }
    return made.finish(files, sha256);
  } finally {
    base.close();
  }
}

function compact({ base: from, deltas, into, signed }: Extract<Task, { kind: 'compact' }>): Result<void> {
  const opened = Base.open(from);
  if (!opened.ok) return opened;
  const base = opened.value;
  let writer: BaseWriter | undefined;
  try {
    let state: { header: EditionHeader; overlay: Overlay } = { header: base.header, overlay: Overlay.empty };
    for (const file of deltas) {
      const applied = applyDelta(state, readFileSync(file));
      if (!applied.ok) return fail(applied.fault.code, `${file}: ${applied.fault.detail}`);
      state = applied.value;
    }
    const { header } = state;
    writer = new BaseWriter(into, header);
    const made = new FilterMaker(header.count);
    for (const chunk of mergedEntries(base, state.overlay)) {
      if (!chunk.ok) return chunk;
      made.add(chunk.value);
      // A delta that was not made for this base shows in the number of records, if nowhere else.
      if (made.count > header.count) break;
      writer.add(chunk.value);
    }
    if (made.count !== header.count) {
      return fail(
        'EDITION_DAMAGED',
        `The base and the deltas make ${made.count} records, not ${header.count}.`,
      );
    }
    const written = writer.finish();
    writer = undefined;
    if (written.fingerprints.sha256 !== signed.fingerprints || written.payload.sha256 !== signed.payload) {
      return fail('EDITION_DAMAGED', 'The base that was made of the deltas is not the one that was signed.');
    }
    return made.finish(into, signed.fingerprints);
  } finally {
    writer?.abandon();
    base.close();
  }
}

/** How many records are looked for again when a base has been made. */
const trials = 512;

/** Builds a filter while entries pass by, and keeps some of them to try out what was made. */
class FilterMaker {
  readonly #builder: FilterBuilder;
  readonly #every: number;
  readonly #kept: { readonly hi: number; readonly lo: number; readonly payload: number }[] = [];
  count = 0;

  constructor(records: number) {
    this.#builder = new FilterBuilder(records);
    this.#every = Math.max(1, Math.floor(records / trials));
  }

  add({ hi, lo, payload }: Entries): void {
    for (let at = 0; at < hi.length; at++) {
      this.#builder.add(hi[at] as number, lo[at] as number);
      if (this.count++ % this.#every === 0) {
        this.#kept.push({ hi: hi[at] as number, lo: lo[at] as number, payload: payload[at] as number });
      }
    }
  }

  /** Writes the filter and looks for the records that were kept, as a look-up does. */
  finish(files: BaseFiles, sha256: string): Result<void> {
    const filter = this.#builder.finish();
    writeWhole(files.filter, encodeFilter(filter, Buffer.from(sha256, 'hex')));
    const opened = Base.open(files);
    if (!opened.ok) return opened;
    try {
      for (const { hi, lo, payload } of this.#kept) {
        const found = filter.mayHold(hi, lo) ? opened.value.search(hi, lo) : ok([]);
        if (!found.ok) return found;
        if (!found.value.includes(payload)) {
          return fail('EDITION_DAMAGED', 'A record that is in the base was not found in it.');
        }
      }
      return ok(undefined);
    } finally {
      opened.value.close();
    }
  }
}

function writeWhole(file: string, parts: readonly Uint8Array[]): void {
  const beside = `${file}.new`;
  const fd = openSync(beside, 'w', 0o600);
  try {
    for (const part of parts) for (let at = 0; at < part.length;) at += writeSync(fd, part, at);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(beside, file);
  const folder = openSync(dirname(file), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
