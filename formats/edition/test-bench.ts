import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Result } from '#contracts/result.ts';
import { Base } from './base.ts';
import { BaseWriter, type WrittenBase } from './base-writer.ts';
import { decodeDelta, type Delta, encodeDelta } from './delta.ts';
import { differenceOf } from './difference.ts';
import { compareEntries, type Entries, makeEntries, sliceEntries } from './entries.ts';
import type { EditionHeader } from './header.ts';

/** What the tests of this room share: entries of every kind, a model of an edition, files that go away again. */

/** One record: the halves of its fingerprint and its payload. */
export type Row = readonly [hi: number, lo: number, payload: number];
export type Random = () => number;

export const highest = 0xffff_ffff;

export function word(random: Random): number {
  return Math.floor(random() * 2 ** 32);
}

export function oneOf<T>(items: readonly T[], random: Random): T {
  return items[Math.floor(random() * items.length)] as T;
}

/** A payload that a record can have: any type, kind and bureau, a day of this and the last century. */
export function anyPayload(random: Random): number {
  const what = Math.floor(random() * 4) * 8 + Math.floor(random() * 5);
  return (what * 32_768 + Math.floor(random() * 26 ** 3)) * 2 ** 20 + Math.floor(random() * 73_000);
}

export function randomRows(count: number, random: Random): Row[] {
  return Array.from({ length: count }, (): Row => [word(random), word(random), anyPayload(random)]);
}

/** Half of them are of a document that is there already, every other one of these alike in all. */
export function repeatedRows(count: number, random: Random): Row[] {
  const rows: Row[] = [];
  while (rows.length < count) {
    const before = rows.length > 0 && random() < 0.5 ? oneOf(rows, random) : undefined;
    if (before === undefined) rows.push([word(random), word(random), anyPayload(random)]);
    else rows.push([before[0], before[1], random() < 0.5 ? before[2] : anyPayload(random)]);
  }
  return rows;
}

/** All share their first 32 bits. */
export function prefixedRows(count: number, random: Random, hi = word(random)): Row[] {
  return Array.from({ length: count }, (): Row => [hi, word(random), anyPayload(random)]);
}

/** All are one and the same record. */
export function equalRows(count: number, random: Random): Row[] {
  const row: Row = [word(random), word(random), anyPayload(random)];
  return Array.from({ length: count }, () => row);
}

/** The first and the last of what a fingerprint's halves, a bucket, a slot and a middle can be. */
export function extremeRows(random: Random): Row[] {
  const edges = [0, 1, 0x7fff_ffff, 0x8000_0000, 0x01ff_ffff, 0x0200_0000, highest - 1, highest];
  return edges.flatMap((hi) => edges.map((lo): Row => [hi, lo, anyPayload(random)]));
}

/** In their order, as columns. */
export function entriesOf(rows: readonly Row[]): Entries {
  const sorted = [...rows].sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
  const entries = makeEntries(sorted.length);
  sorted.forEach(([hi, lo, payload], at) => {
    entries.hi[at] = hi;
    entries.lo[at] = lo;
    entries.payload[at] = payload;
  });
  return entries;
}

export function rowsOf({ hi, lo, payload }: Entries): Row[] {
  return Array.from(hi, (value, at): Row => [value, lo[at] as number, payload[at] as number]);
}

export function isInOrder(entries: Entries): boolean {
  for (let at = 1; at < entries.hi.length; at++)
    if (compareEntries(entries, at - 1, entries, at) > 0) return false;
  return true;
}

/** Chunks of this many, each on memory of its own. */
export function* chunked(entries: Entries, size: number): Generator<Result<Entries>, void> {
  for (let at = 0; at < entries.hi.length; at += size) {
    const { hi, lo, payload } = sliceEntries(entries, at, at + size);
    yield { ok: true, value: { hi: hi.slice(), lo: lo.slice(), payload: payload.slice() } };
  }
}

/** All of a stream in one; a fault is thrown. */
export function collected(chunks: Iterable<Result<Entries>>): Entries {
  const all: Row[] = [];
  for (const chunk of chunks) all.push(...rowsOf(valueOf(chunk)));
  const entries = makeEntries(all.length);
  all.forEach(([hi, lo, payload], at) => {
    entries.hi[at] = hi;
    entries.lo[at] = lo;
    entries.payload[at] = payload;
  });
  return entries;
}

/** What an edition must answer: every fingerprint with its payloads in ascending order. */
export class Model {
  readonly #payloads = new Map<string, number[]>();

  constructor(rows: readonly Row[]) {
    for (const [hi, lo, payload] of rows) {
      const key = `${hi} ${lo}`;
      this.#payloads.set(key, [...(this.#payloads.get(key) ?? []), payload]);
    }
    for (const payloads of this.#payloads.values()) payloads.sort((a, b) => a - b);
  }

  payloads(hi: number, lo: number): readonly number[] {
    return this.#payloads.get(`${hi} ${lo}`) ?? [];
  }

  /** Each fingerprint once. */
  keys(): [number, number][] {
    return [...this.#payloads.keys()].map((key) => key.split(' ').map(Number) as [number, number]);
  }
}

/** Few fingerprints, so that the editions made of them meet in all ways: the extremes, and some that share much. */
export const universe: readonly (readonly [hi: number, lo: number])[] = [
  [0, 0],
  [0, highest],
  [0x1234_5678, 0],
  [0x1234_5678, 1],
  [0x1234_5678, highest],
  [0x1234_5679, 1],
  [0x8000_0000, 7],
  [highest, 0],
  [highest, highest],
];

/** Payloads that its records have: the lowest that there is, and few others. */
export const fewPayloads: readonly number[] = [0, 1, 2 ** 32, 3 * 2 ** 38 + 5];

/**
 * An edition after this one: records are added and removed, several of one fingerprint and the same one several times,
 * amended, and given back what they had; now and then all of a fingerprint go.
 */
export function nextEdition(before: readonly Row[], random: Random): Row[] {
  const rows = [...before];
  const take = (): Row | undefined => rows.splice(Math.floor(random() * rows.length), 1)[0];
  for (let left = Math.floor(random() * 8); left > 0; left--) {
    const [hi, lo] = oneOf(universe, random);
    const payload = oneOf(fewPayloads, random);
    const what = random();
    if (what < 0.4) rows.push([hi, lo, payload]);
    else if (what < 0.65) take();
    else if (what < 0.9) {
      const amended = take();
      if (amended !== undefined) rows.push([amended[0], amended[1], payload]);
    } else
      for (let at = rows.length - 1; at >= 0; at--) if (isOf(rows[at] as Row, hi, lo)) rows.splice(at, 1);
  }
  return rows;
}

function isOf(row: Row, hi: number, lo: number): boolean {
  return row[0] === hi && row[1] === lo;
}

/** The delta from one edition to another, by way of its bytes. */
export function deltaBetween(before: readonly Row[], after: readonly Row[], edition = 8, chunk = 3): Delta {
  const from = chunked(entriesOf(before), chunk);
  const difference = valueOf(differenceOf(from, chunked(entriesOf(after), chunk)));
  if (difference === undefined) throw new TypeError('there is no difference');
  const header = { ...headerOf(after.length, { edition }), from: edition - 1 };
  return valueOf(decodeDelta(encodeDelta({ header, ...difference })));
}

export function headerOf(count: number, parts: Partial<EditionHeader> = {}): EditionHeader {
  return {
    collection: 'sltd',
    edition: 7,
    date: Date.parse('2026-11-24T08:15:30.125Z'),
    count,
    fingerprintKey: 'UTO-1',
    fingerprintCheck: '0123456789abcdef',
    ...parts,
  };
}

export interface BaseFiles {
  readonly fingerprints: string;
  readonly payload: string;
}

/** A folder for the files of a test. */
export class Folder {
  readonly path = mkdtempSync(join(tmpdir(), 'checkpost-edition-'));
  #pairs = 0;
  readonly #open: Base[] = [];

  files(): BaseFiles {
    const name = join(this.path, `${++this.#pairs}`);
    return { fingerprints: `${name}.fingerprints`, payload: `${name}.payload` };
  }

  write(
    entries: Entries,
    header: EditionHeader = headerOf(entries.hi.length),
    chunk = 1000,
  ): BaseFiles & { readonly written: WrittenBase } {
    const files = this.files();
    const writer = new BaseWriter(files, header);
    for (const part of chunked(entries, chunk)) writer.add(valueOf(part));
    return { ...files, written: writer.finish() };
  }

  /** Closed with the folder. */
  open(files: BaseFiles): Base {
    const base = valueOf(Base.open(files));
    this.#open.push(base);
    return base;
  }

  remove(): void {
    for (const base of this.#open) base.close();
    rmSync(this.path, { recursive: true, force: true });
  }
}

export function bytesOf({ fingerprints, payload }: BaseFiles): { fingerprints: Buffer; payload: Buffer } {
  return { fingerprints: readFileSync(fingerprints), payload: readFileSync(payload) };
}

/** Overwrites bytes of a file in place. */
export function overwrite(file: string, bytes: Uint8Array, position: number): void {
  const fd = openSync(file, 'r+');
  writeSync(fd, bytes, 0, bytes.length, position);
  closeSync(fd);
}

/** The value; a fault is thrown. */
export function valueOf<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new TypeError(`${result.fault.code}: ${result.fault.detail}`);
}

/** The code of the fault, or undefined where there is none. */
export function codeOf(result: Result<unknown>): string | undefined {
  return result.ok ? undefined : result.fault.code;
}
