import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { editionRows, readCollection, readFileChunks } from '#central/publisher/index.ts';
import { syntheticRecords, unrecordedNumbers, writeSyntheticCsv } from './collection.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'checkpost-synthetic-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const count = 300_000;
const keyOf = (one: { issuingState: string; documentNumber: string }): string =>
  `${one.issuingState}|${one.documentNumber}`;

function shares(texts: Iterable<string>): Record<string, number> {
  const found: Record<string, number> = {};
  let total = 0;
  for (const text of texts) {
    found[text] = (found[text] ?? 0) + 1;
    total++;
  }
  return Object.fromEntries(Object.entries(found).map(([text, times]) => [text, times / total]));
}

describe('a made-up collection', () => {
  const records = [...syntheticRecords({ seed: 7, count })];

  test('is the same for one seed, record by record, and another for another seed', () => {
    expect([...syntheticRecords({ seed: 7, from: 250_000, count: 100 })]).toEqual(
      records.slice(250_000, 250_100),
    );
    const other = [...syntheticRecords({ seed: 8, count: 1000 })];
    expect(other.map(keyOf)).not.toContain(keyOf(records[0] as (typeof records)[0]));
  });

  test('has types, kinds, issuers and days in the proportions of a real one', () => {
    const types = shares(records.map(({ documentType }) => documentType));
    expect(types['passport']).toBeCloseTo(0.78, 1);
    expect(types['identity-card']).toBeCloseTo(0.17, 1);
    const kinds = shares(records.map(({ kindOfLoss }) => kindOfLoss));
    expect(kinds['lost']).toBeCloseTo(0.62, 1);
    expect(kinds['stolen']).toBeCloseTo(0.3, 1);
    expect(kinds['stolen-blank']).toBeGreaterThan(0.02);
    expect(kinds['stolen-blank']).toBeLessThan(0.04);
    const states = Object.values(shares(records.map(({ issuingState }) => issuingState))).sort(
      (a, b) => b - a,
    );
    expect(states.length).toBeGreaterThan(150);
    expect(states[0]).toBeLessThan(0.2);
    expect(states.slice(0, 30).reduce((sum, share) => sum + share, 0)).toBeGreaterThan(0.5);
    const days = records.map(({ reportedOn }) => reportedOn).sort();
    expect(days[0]).toMatch(/^2003/);
    expect(days.at(-1)).toBe('2026-11-24');
    expect(days.filter((day) => day > '2015').length / count).toBeGreaterThan(0.6);
    expect(records.filter((one) => one.issuingState === one.reportedBy).length / count).toBeGreaterThan(0.7);
  });

  test('has hardly a number of one issuer twice, and each id once', () => {
    expect(new Set(records.map(({ record }) => record)).size).toBe(count);
    expect(count - new Set(records.map(keyOf)).size).toBeLessThan(count / 2000);
  });

  test('has numbers mostly of nine characters, longer ones on cards, and blanks with numbers in a row', () => {
    const lengths = shares(records.map(({ documentNumber }) => String(documentNumber.length)));
    expect(lengths['9']).toBeGreaterThan(0.7);
    const long = records.filter(({ documentNumber }) => documentNumber.length > 9);
    expect(long.length).toBeGreaterThan(1000);
    expect(new Set(long.map(({ documentType }) => documentType))).toEqual(new Set(['identity-card']));
    const blanks = records.flatMap((one, at) => (one.kindOfLoss === 'stolen-blank' ? [at] : []));
    const pairs = blanks.filter((at) => records[at + 1]?.kindOfLoss === 'stolen-blank');
    const last = (at: number): number => (records[at]?.documentNumber ?? '').charCodeAt(8);
    const inRow = pairs.filter((at) => [1, -9].includes(last(at + 1) - last(at)));
    expect(inRow.length / pairs.length).toBeGreaterThan(0.5);
  });

  test('is written as a CSV that the publisher takes, record for record', async () => {
    const file = join(folder, 'c.csv');
    const written = writeSyntheticCsv(file, { seed: 7, count: 50_000 });
    expect(readFileSync(file)).toHaveLength(written.bytes);
    const keys: string[] = [];
    const read = await readCollection(readFileChunks(file), {
      name: file,
      shape: editionRows(),
      work: folder,
      take: (some) => void keys.push(...some.map(({ key }) => key)),
    });
    expect(read).toEqual({ ok: true, value: { records: 50_000 } });
    // The state of a key is canonical, as D already is.
    expect(keys).toEqual(records.slice(0, 50_000).map(keyOf));
  });

  test('can have a day’s change: records that are gone, and others behind the last', () => {
    const file = join(folder, 'c.csv');
    const order = { seed: 7, count: 1100, remove: (i: number) => i % 100 === 3 };
    expect(writeSyntheticCsv(file, order).records).toBe(1089);
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n').slice(1);
    const kept = records.slice(0, 1100).filter((_, i) => i % 100 !== 3);
    expect(lines.map((line) => line.split(',')[0])).toEqual(kept.map(({ record }) => record));
  });

  test('has none of the numbers that are not recorded', () => {
    const recorded = new Set(records.map(keyOf));
    const asked = [...unrecordedNumbers({ seed: 7, count: 50_000 })];
    expect(asked.filter((one) => recorded.has(keyOf(one)))).toEqual([]);
    expect(new Set(asked.map(keyOf)).size).toBe(asked.length);
    expect(shares(asked.map(({ documentType }) => documentType))['passport']).toBeCloseTo(0.78, 1);
  });
});
