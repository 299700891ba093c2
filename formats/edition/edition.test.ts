import { createSecretKey } from 'node:crypto';
import { statSync, truncateSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { EditionRecord } from '#contracts/edition.ts';
import { type SearchKey, searchKey } from '#contracts/search-key.ts';
import { seeded } from '#test/rigs/random.ts';
import { Fingerprinter } from '../fingerprint.ts';
import { type NamedSecret } from '../keyed.ts';
import type { Base } from './base.ts';
import { onlyRecord } from './delta-columns.ts';
import { checkSecret, Edition, fingerprintCheck, type MembershipFilter, noFilter } from './edition.ts';
import { encodePayload } from './entries.ts';
import { FilterBuilder } from './filter-builder.ts';
import type { EditionHeader } from './header.ts';
import { Overlay } from './overlay.ts';
import {
  type BaseFiles,
  codeOf,
  deltaBetween,
  entriesOf,
  Folder,
  headerOf,
  Model,
  nextEdition,
  randomRows,
  type Row,
  universe,
  valueOf,
} from './test-bench.ts';

let folder: Folder;
beforeEach(() => {
  folder = new Folder();
});
afterEach(() => {
  folder.remove();
});

const secret: NamedSecret = { id: 'UTO-1', key: createSecretKey(Buffer.alloc(32, 7)) };
const key = (number: string): SearchKey => searchKey('UTO', number) as SearchKey;
const record = (reportedOn: string, parts: Partial<EditionRecord> = {}): EditionRecord => ({
  documentType: 'passport',
  kindOfLoss: 'stolen',
  reportedOn,
  reportedBy: 'UTO',
  ...parts,
});
const rowOf = (number: string, record: EditionRecord): Row => {
  const printer = new Fingerprinter(secret);
  printer.of(key(number));
  const print = printer.bytes();
  return [print.readUInt32BE(0), print.readUInt32BE(4), encodePayload(record)];
};
const only = ([hi, lo]: Row): Row => [hi, lo, onlyRecord];

function header(count: number): ReturnType<typeof headerOf> {
  return headerOf(count, { fingerprintKey: secret.id, fingerprintCheck: fingerprintCheck(secret) });
}

/** A filter that holds just this, and counts how often it was asked. */
class ExactFilter implements MembershipFilter {
  asked = 0;
  readonly #keys: ReadonlySet<string>;

  constructor(rows: readonly Row[]) {
    this.#keys = new Set(rows.map(([hi, lo]) => `${hi} ${lo}`));
  }

  mayHold(hi: number, lo: number): boolean {
    this.asked++;
    return this.#keys.has(`${hi} ${lo}`);
  }
}

interface Made {
  readonly edition: Edition;
  readonly base: Base;
  readonly files: BaseFiles;
}

function make(rows: readonly Row[], overlay = Overlay.empty, filter: MembershipFilter = noFilter): Made {
  const files = folder.write(entriesOf(rows), header(rows.length));
  const base = folder.open(files);
  return { edition: new Edition({ base, filter, overlay, header: base.header, secret }), base, files };
}

/** Another edition on the same base. */
function later(edition: Edition, overlay: Overlay, header: EditionHeader): Edition {
  return edition.with({ base: edition.base, filter: edition.filter, overlay, header });
}

function byDay(records: readonly EditionRecord[]): EditionRecord[] {
  return [...records].sort((a, b) => (a.reportedOn < b.reportedOn ? -1 : 1));
}

describe('an edition that is searched', () => {
  const stolen = record('2020-01-01');
  const lost = record('2021-02-03', {
    kindOfLoss: 'lost',
    documentType: 'visa',
    reportedBy: 'DEU',
  });
  const added = record('2026-11-24', { kindOfLoss: 'stolen-blank' });

  test('gives every record of the base and of the deltas since under a key, and an empty list for all others', () => {
    const rows = [rowOf('A1', stolen), rowOf('A1', lost), rowOf('A2', stolen), ...randomRows(200, seeded(1))];
    const overlay = valueOf(
      Overlay.empty.with({
        additions: entriesOf([rowOf('A1', added), rowOf('A3', added)]),
        removals: entriesOf([rowOf('A1', stolen), only(rowOf('A2', stolen))]),
      }),
    );
    const { edition } = make(rows, overlay, new ExactFilter(rows));
    expect(byDay(valueOf(edition.search(key('A1'))))).toEqual([lost, added]);
    expect(valueOf(edition.search(key('A2')))).toEqual([]);
    expect(valueOf(edition.search(key('A3')))).toEqual([added]);
    expect(valueOf(edition.search(key('A4')))).toEqual([]);
    expect(valueOf(edition.search(searchKey('UTP', 'A1') as SearchKey))).toEqual([]);
  });

  test('asks the filter first and reads nothing where it says no', () => {
    const rows = [rowOf('A1', stolen), ...randomRows(200, seeded(1))];
    const filter = new ExactFilter(rows);
    const overlay = valueOf(
      Overlay.empty.with({ additions: entriesOf([rowOf('A3', added)]), removals: entriesOf([]) }),
    );
    const { edition, files } = make(rows, overlay, filter);
    // Nothing can be read from here on.
    truncateSync(files.fingerprints, 0);
    expect(valueOf(edition.search(key('A4')))).toEqual([]);
    expect(valueOf(edition.search(key('A3')))).toEqual([added]);
    expect(codeOf(edition.search(key('A1')))).toBe('EDITION_DAMAGED');
    expect(filter.asked).toBe(3);
  });

  test('without a filter reads for each question, and has the same answers', () => {
    const rows = [rowOf('A1', stolen), ...randomRows(200, seeded(1))];
    const { edition, files } = make(rows);
    expect(valueOf(edition.search(key('A1')))).toEqual([stolen]);
    expect(valueOf(edition.search(key('A4')))).toEqual([]);
    truncateSync(files.fingerprints, 0);
    expect(codeOf(edition.search(key('A4')))).toBe('EDITION_DAMAGED');
  });

  test('gives EDITION_DAMAGED, and none of the others, where one of the records cannot be read', () => {
    const [hi, lo] = rowOf('A1', stolen);
    const unknown = 6 * 2 ** 35;
    const { edition } = make([rowOf('A1', stolen), [hi, lo, unknown], rowOf('A2', lost)]);
    expect(codeOf(edition.search(key('A1')))).toBe('EDITION_DAMAGED');
    expect(valueOf(edition.search(key('A2')))).toEqual([lost]);
  });

  test('has the records of the model after any deltas, with the filter of its base', () => {
    let hits = 0;
    for (let seed = 0; seed < 30; seed++) {
      const random = seeded(seed);
      let rows: Row[] = [];
      for (let step = 0; step < 6; step++) rows = nextEdition(rows, random);
      const entries = entriesOf(rows);
      const builder = new FilterBuilder(rows.length);
      entries.hi.forEach((hi, at) => builder.add(hi, entries.lo[at] as number));
      let { edition } = make(rows, Overlay.empty, builder.finish());
      for (let step = 0; step < 10; step++) {
        const next = nextEdition(rows, random);
        const overlay = valueOf(edition.overlay.with(deltaBetween(rows, next, 8 + step)));
        edition = later(edition, overlay, header(next.length));
        rows = next;
        const model = new Model(rows);
        for (const [hi, lo] of universe) {
          const found = valueOf(edition.find(hi, lo)).map(encodePayload);
          expect(found.sort((a, b) => a - b)).toEqual(model.payloads(hi, lo));
          hits += found.length;
        }
      }
    }
    expect(hits).toBeGreaterThan(1000);
  });

  test('is not there again once it is closed', () => {
    const { edition } = make([rowOf('A1', stolen)]);
    edition.close();
    expect(() => edition.search(key('A1'))).toThrow('closed');
  });
});

describe('an edition says of itself', () => {
  test('what its header does, and how large its base is on the disk', () => {
    const { edition, base, files } = make(randomRows(100, seeded(2)));
    expect(edition.describe()).toEqual({
      collection: 'sltd',
      version: 7,
      date: '2026-11-24T08:15:30.125Z',
      count: 100,
      fingerprintKey: 'UTO-1',
      bytes: statSync(files.fingerprints).size + statSync(files.payload).size,
    });
    const after = later(edition, edition.overlay, { ...base.header, edition: 8, count: 101 });
    expect(after.describe()).toMatchObject({ version: 8, count: 101, bytes: base.bytes });
  });
});

describe('the secret of an edition', () => {
  test('is the one it was made with', () => {
    expect(checkSecret(make([]).base.header, secret)).toEqual({ ok: true, value: undefined });
  });

  test('is found to be another one even under the same id, so that nothing is looked for in vain', () => {
    const { header } = make([]).base;
    const wrong = { id: secret.id, key: createSecretKey(Buffer.alloc(32, 8)) };
    const checked = checkSecret(header, wrong);
    expect(codeOf(checked)).toBe('EDITION_FOREIGN');
    expect(checked.ok ? '' : checked.fault.detail).toContain('UTO-1');
  });

  test('is shown by the fingerprint of a key that no document has', () => {
    expect(fingerprintCheck(secret)).toMatch(/^[0-9a-f]{16}$/);
    expect(searchKey('', '')).toBeUndefined();
  });
});
