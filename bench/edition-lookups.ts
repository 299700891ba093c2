import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import bloomFilters from 'bloom-filters';
import type { SearchKey } from '#contracts/search-key.ts';
import {
  Base,
  decodeFilter,
  Edition,
  encodeFilter,
  type Filter,
  FilterBuilder,
  Overlay,
} from '#formats/edition/index.ts';
import { valueOf } from '#test/rigs/bureau.ts';
import { type Figure, percentile, round } from './bench.ts';
import { eachEntry, type Material, type Rival } from './edition-material.ts';

const rounds = 7;

/** The edition of the material, opened as the terminal opens it, with its filter. */
export function openBench(
  material: Material,
  folder: string,
): { edition: Edition; filter: Filter; filterFile: string } {
  const base = valueOf(Base.open(material.base));
  const builder = new FilterBuilder(base.header.count);
  for (const chunk of base.entries()) {
    const { hi, lo } = valueOf(chunk);
    for (let at = 0; at < hi.length; at++) builder.add(hi[at] as number, lo[at] as number);
  }
  const filterFile = join(folder, 'filter');
  const fd = openSync(filterFile, 'w');
  for (const part of encodeFilter(builder.finish(), Buffer.alloc(32))) writeSync(fd, part);
  closeSync(fd);
  const filter = valueOf(decodeFilter(readFileSync(filterFile), Buffer.alloc(32), base.header.count));
  const { secret } = material.repository;
  return {
    edition: new Edition({ base, filter, overlay: Overlay.empty, header: base.header, secret }),
    filter,
    filterFile,
  };
}

/** Look-ups of documents that are not there and that are, side by side and in turns; hashing is in all of them. */
export function benchLookups(material: Material, edition: Edition, rivals: readonly Rival[]): Figure[] {
  const ours: Rival = { name: 'Checkpost', has: (key) => found(edition, key), close: () => {} };
  const all = [ours, ...rivals];
  const figures: Figure[] = [];
  for (const [what, keys, expected] of [
    ['no-record', material.missing, false],
    ['hit', material.present, true],
  ] as const) {
    const medians = new Map<string, number[]>();
    for (let turn = 0; turn < rounds + 1; turn++) {
      for (const one of all) {
        const micros = perLookup(one, keys, expected);
        // The first turn warms up.
        if (turn > 0) medians.set(one.name, [...(medians.get(one.name) ?? []), micros]);
      }
    }
    const median = (name: string): number => percentile(medians.get(name) ?? [], 0.5);
    const own = median(ours.name);
    figures.push({ name: `look-up, ${what}`, case: 'median, warm', value: round(own), unit: 'µs' });
    for (const { name } of rivals) {
      figures.push({
        name: `look-up, ${what}`,
        case: 'times as fast',
        value: round(median(name) / own),
        unit: '×',
        rival: `${name} (${round(median(name))} µs)`,
        ratio: round(own / median(name)),
      });
    }
  }
  return figures;
}

/** Each look-up by itself: how long the slowest hundredth takes, warm and with nothing in the page cache. */
export function benchTails(material: Material, edition: Edition, rival: Rival): Figure[] {
  const figures: Figure[] = [];
  const ours: Rival = { name: 'Checkpost', has: (key) => found(edition, key), close: () => {} };
  for (const [what, limit, cold] of [
    ['p99, warm', 40, false],
    ['p99, page cache dropped', 150, true],
  ] as const) {
    const tails = new Map<string, number[]>();
    for (let turn = 0; turn < 5; turn++) {
      for (const one of [ours, rival]) {
        const keys = material.missing.slice(turn * 4000, turn * 4000 + 4000);
        if (cold) dropCaches();
        else for (const key of keys) one.has(key);
        const samples = keys.map((key) => {
          const began = process.hrtime.bigint();
          one.has(key);
          return Number(process.hrtime.bigint() - began) / 1000;
        });
        tails.set(one.name, [...(tails.get(one.name) ?? []), percentile(samples, 0.99)]);
      }
    }
    const own = percentile(tails.get(ours.name) ?? [], 0.5);
    const other = percentile(tails.get(rival.name) ?? [], 0.5);
    figures.push({
      name: 'look-up, no-record',
      case: what,
      value: round(own),
      unit: 'µs',
      target: limit,
      rival: `${rival.name} (${round(other)} µs)`,
      ratio: round(own / other),
    });
  }
  return figures;
}

/** What fingerprints and filter take, against what the best code could do, and whether the filter is right. */
export function benchSize(material: Material, filter: Filter): Figure[] {
  const n = material.count;
  const limit = 64 - Math.log2(n) + 1.44;
  const bits = (fileBytes(material.base.fingerprints) * 8) / n;
  let lost = 0;
  eachEntry(material.base, (key) => {
    if (!filter.mayHold(key.readUInt32BE(0), key.readUInt32BE(4))) lost++;
  });
  const trials = 4_000_000;
  let passed = 0;
  let hi = 1;
  let lo = 2;
  for (let trial = 0; trial < trials; trial++) {
    hi = (Math.imul(hi, 1_664_525) + 1_013_904_223) >>> 0;
    lo = (Math.imul(lo, 22_695_477) + 1) >>> 0;
    if (filter.mayHold(hi, (lo ^ (hi >>> 7)) >>> 0)) passed++;
  }
  const share = passed / trials;
  const sample = Math.min(n, 200_000);
  const bloom = new bloomFilters.BloomFilter(Math.ceil((-sample * Math.log(1 / 256)) / Math.LN2 ** 2), 8);
  let added = 0;
  eachEntry(material.base, (key) => {
    if (added++ < sample) bloom.add(key.toString('hex'));
  });
  const bloomBits = Math.ceil((-sample * Math.log(1 / 256)) / Math.LN2 ** 2) / sample;
  const keys = Array.from({ length: 20_000 }, (_, at) => [Math.imul(at, 2_654_435_761) >>> 0, at] as const);
  const ownMicros = micros(() => {
    for (const [a, b] of keys) filter.mayHold(a, b);
  }, keys.length);
  const hexes = keys.map(([a, b]) => a.toString(16).padStart(8, '0') + b.toString(16).padStart(8, '0'));
  const bloomMicros = micros(() => {
    for (const hex of hexes) bloom.has(hex);
  }, keys.length);
  return [
    {
      name: 'fingerprints',
      case: 'bits a document',
      value: round(bits),
      unit: 'bits',
      target: round(limit * 1.1),
    },
    { name: 'fingerprints', case: 'times the limit', value: round(bits / limit), unit: '×', target: 1.1 },
    {
      name: 'filter',
      case: 'bits a document',
      value: round(filter.bitsPerKey),
      unit: 'bits',
      rival: `bloom-filters (${round(bloomBits)} bits)`,
      ratio: round(filter.bitsPerKey / bloomBits),
    },
    {
      name: 'filter',
      case: 'times log2(1/ε)',
      value: round(filter.bitsPerKey / -Math.log2(share)),
      unit: '×',
      target: 1.15,
    },
    { name: 'filter', case: `false negatives of all ${n}`, value: lost, unit: 'count' },
    {
      name: 'filter',
      case: 'false positives, times 2^-8',
      value: round(share * 256),
      unit: '×',
      target: 1.05,
    },
    {
      name: 'filter',
      case: 'asked once',
      value: round(ownMicros),
      unit: 'µs',
      rival: `bloom-filters of ${sample} (${round(bloomMicros)} µs)`,
      ratio: round(ownMicros / bloomMicros),
    },
    {
      name: 'look-ups without a read',
      case: 'of documents that are not there',
      value: round((1 - share) * 100),
      unit: '%',
    },
  ];
}

export function found(edition: Edition, key: SearchKey): boolean {
  return valueOf(edition.search(key)).length > 0;
}

function perLookup(one: Rival, keys: readonly SearchKey[], expected: boolean): number {
  let right = 0;
  const began = process.hrtime.bigint();
  for (const key of keys) if (one.has(key) === expected) right++;
  const nanos = Number(process.hrtime.bigint() - began);
  if (right !== keys.length)
    throw new Error(`${one.name} answered ${keys.length - right} of ${keys.length} wrongly`);
  return nanos / keys.length / 1000;
}

function micros(act: () => void, count: number): number {
  act();
  const samples = Array.from({ length: rounds }, () => {
    const began = process.hrtime.bigint();
    act();
    return Number(process.hrtime.bigint() - began) / count / 1000;
  });
  return percentile(samples, 0.5);
}

function dropCaches(): void {
  const fd = openSync('/proc/sys/vm/drop_caches', 'w');
  writeSync(fd, '3');
  closeSync(fd);
}

function fileBytes(file: string): number {
  return readFileSync(file).length;
}
