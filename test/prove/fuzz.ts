import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { readDocument } from '#agent/documents/index.ts';
import type { Framing } from '#agent/readers/index.ts';
import type { Reading } from '#contracts/documents.ts';
import { below, type Generated, type Random } from '../rigs/generate-mrz.ts';
import { seeded } from '../rigs/random.ts';
import { type FuzzClass, fuzzClasses } from './fuzz/classes.ts';
import { families, type Family } from './fuzz/families.ts';
import type { ProofOptions } from './proof.ts';

/** What came of one class of frames. */
export interface ClassCounts {
  readonly frames: number;
  /** How often something was read: streams may hold several frames, or none. */
  readonly readings: number;
  readonly documents: number;
  /**
   * Documents with a number or a state that was not sent, that no warning puts in doubt: nothing found under such a
   * number would be said as nothing recorded.
   */
  readonly wrongNumbers: number;
  /** The most of them that may be, in classes that have a bound. */
  readonly bound?: number;
  /** Documents right in every digit, nothing put right, that were not sent. */
  readonly falseDocuments: number;
  /** How many of them chance must bring about, and the standard deviation of that number. */
  readonly expected: number;
  readonly deviation: number;
}

export interface FuzzCounts {
  readonly frames: number;
  readonly seconds: number;
  readonly classes: Readonly<Record<string, ClassCounts>>;
  readonly falseDocuments: number;
  readonly expected: number;
  readonly mebibytes: Readonly<
    Record<'heapAfterWarmUp' | 'heapAtEnd' | 'rssAfterWarmUp' | 'rssAtEnd', number>
  >;
}

type Counting = { -readonly [key in keyof Omit<ClassCounts, 'bound'>]: number } & {
  variance: number;
  readonly perMillion: number | undefined;
};

const today = { year: 2026, month: 11, day: 24 };
/** The observed number must lie within so many standard deviations of the expected one. */
const tolerated = 5;
/** How much more memory than after the warm-up is still flat: allocation moves it to and fro by some. */
const flatHeapMiB = 8;
const flatRssMiB = 48;

/**
 * Feeds fuzzed frames through every framing and reads what comes out. Fails if anything throws, if more or fewer false
 * documents arise than chance explains, if more wrong numbers do than the bound of their class allows, or if memory
 * grows. A frame is made from the seed and its index alone.
 */
export async function proveFuzz(options: ProofOptions): Promise<FuzzCounts> {
  return fuzz({ ...options, families });
}

export function fuzz(
  options: Omit<ProofOptions, 'folder'> & { readonly families: readonly Family[] },
): FuzzCounts {
  const { count, seed, say } = options;
  const begun = performance.now();
  const framings = options.families.map((family) => ({ family, framing: family.framing() }));
  const deck = fuzzClasses.flatMap((one) => Array.from({ length: one.share }, () => one));
  const counts = new Map(fuzzClasses.map((one) => [one.name, nothingYet(one.bound)]));
  const collect = garbageCollector();
  // What leaks grows in the second half as in the first; the memory that V8 keeps for itself has been taken by then.
  const warmUp = Math.floor(count / 2);
  let before = memory(collect);
  for (let index = 0; index < count; index++) {
    if (index === warmUp) before = memory(collect);
    if (index % 1_000_000 === 0 && index > 0) say(`${index} of ${count} frames`);
    // Both change with every index and meet in every combination: 100 and 8 or fewer families.
    const one = deck[index % deck.length] as FuzzClass;
    const { family, framing } = framings[Math.floor(index / deck.length) % framings.length] ?? framings[0]!;
    const random = seeded(Math.imul(seed, 0x9e3779b1) + index);
    try {
      play(one, family, framing, random, counts.get(one.name) ?? nothingYet(one.bound));
    } catch (thrown) {
      throw new Error(`seed ${seed}, frame ${index} (${one.name}, ${family.name})`, { cause: thrown });
    }
  }
  const after = memory(collect);
  const result = summary(counts, count, (performance.now() - begun) / 1000, before, after);
  judgeCounts(result, seed);
  return result;
}

function nothingYet(perMillion: number | undefined): Counting {
  const read = { frames: 0, readings: 0, documents: 0, wrongNumbers: 0, falseDocuments: 0 };
  return { ...read, expected: 0, deviation: 0, variance: 0, perMillion };
}

function play(one: FuzzClass, family: Family, framing: Framing, random: Random, counts: Counting): void {
  const { bytes, sent, expected } = one.make(random, family);
  const half = below(random, bytes.length + 1);
  const framed = [
    ...framing.push(bytes.subarray(0, half)),
    ...framing.push(bytes.subarray(half)),
    ...framing.silence(),
  ];
  counts.frames += 1;
  if (expected !== undefined) expect(counts, expected);
  for (const frame of framed) {
    if (frame.kind !== 'frame') continue;
    const reading = readDocument(frame.text, today);
    counts.readings += 1;
    if (reading.kind === 'unreadable') continue;
    counts.documents += 1;
    // What the reader's own check calls damaged is never searched.
    if (frame.damaged || wasSent(reading, sent)) continue;
    if (!isInDoubt(reading)) counts.wrongNumbers += 1;
    const { checks, repairs } = reading.document;
    const held = Object.values(checks);
    if (expected === undefined && one.bound === undefined) expect(counts, 10 ** -held.length);
    if (repairs.length === 0 && held.every(Boolean)) counts.falseDocuments += 1;
  }
}

function expect(counts: Counting, probability: number): void {
  counts.expected += probability;
  counts.variance += probability * (1 - probability);
}

/** Whether nothing found under its number would be said to be in doubt. */
function isInDoubt({ warnings }: Reading & { kind: 'document' }): boolean {
  return warnings.includes('number-check-digit') || warnings.includes('maybe-cut');
}

function wasSent({ document }: Reading & { kind: 'document' }, sent: readonly Generated[]): boolean {
  return sent.some(
    ({ number, state }) => number === document.documentNumber && state === document.issuingState,
  );
}

interface Memory {
  readonly heap: number;
  readonly rss: number;
}

/** Node's collector without a flag of its own on the command line. */
function garbageCollector(): () => void {
  setFlagsFromString('--expose_gc');
  return runInNewContext('gc') as () => void;
}

function memory(collect: () => void): Memory {
  collect();
  const { heapUsed, rss } = process.memoryUsage();
  return { heap: heapUsed / 2 ** 20, rss: rss / 2 ** 20 };
}

function summary(
  counts: ReadonlyMap<string, Counting>,
  frames: number,
  seconds: number,
  before: Memory,
  after: Memory,
): FuzzCounts {
  const round = (value: number): number => Number(value.toPrecision(4));
  const classes = Object.fromEntries(
    [...counts].map(([name, { variance, perMillion, ...one }]): [string, ClassCounts] => {
      const explained = { expected: round(one.expected), deviation: round(Math.sqrt(variance)) };
      if (perMillion === undefined) return [name, { ...one, ...explained }];
      return [name, { ...one, ...explained, bound: boundFor(one.frames, perMillion) }];
    }),
  );
  const all = Object.values(classes);
  return {
    frames,
    seconds: round(seconds),
    classes,
    falseDocuments: all.reduce((sum, one) => sum + one.falseDocuments, 0),
    expected: round(all.reduce((sum, one) => sum + one.expected, 0)),
    mebibytes: {
      heapAfterWarmUp: round(before.heap),
      heapAtEnd: round(after.heap),
      rssAfterWarmUp: round(before.rss),
      rssAtEnd: round(after.rss),
    },
  };
}

/** So many frames, with as much above it as chance may bring about in few. */
function boundFor(frames: number, perMillion: number): number {
  const share = (frames * perMillion) / 1e6;
  return Math.ceil(share + tolerated * Math.sqrt(share));
}

function judgeCounts(counts: FuzzCounts, seed: number): void {
  for (const [name, one] of Object.entries(counts.classes)) {
    const { falseDocuments, expected, deviation, wrongNumbers, bound } = one;
    if (bound !== undefined && wrongNumbers > bound)
      throw new Error(
        `seed ${seed}: ${name}: ${wrongNumbers} wrong numbers, and no more than ${bound} may be`,
      );
    if (bound !== undefined) continue;
    if (Math.abs(falseDocuments - expected) <= tolerated * deviation) continue;
    throw new Error(
      `seed ${seed}: ${name}: ${falseDocuments} false documents, but chance makes ${expected} ± ${deviation}`,
    );
  }
  const { heapAfterWarmUp, heapAtEnd, rssAfterWarmUp, rssAtEnd } = counts.mebibytes;
  if (heapAtEnd - heapAfterWarmUp > flatHeapMiB || rssAtEnd - rssAfterWarmUp > flatRssMiB) {
    throw new Error(`seed ${seed}: memory grew: ${JSON.stringify(counts.mebibytes)}`);
  }
}
