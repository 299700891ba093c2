import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { recordOf, TestRepository, type TestRecord } from './edition-repository.ts';
import {
  applyPageDelta,
  type PageEntry,
  pageFingerprint,
  readPageBase,
  readPageDelta,
} from './page-reader.ts';
import { seeded } from './random.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/editions.md'), 'utf8');
const exampleText = page.slice(page.indexOf('## A complete example'));

/** Files of the example, in the order of the page, out of its lines of hexadecimal with the offset before. */
function exampleFiles(): Buffer[] {
  const blocks = exampleText.split('```').filter((_, i) => i % 2 === 1);
  return blocks
    .flatMap((block) => block.trim().split(/\n\s*\n/))
    .map((listing) => {
      let file = Buffer.alloc(0);
      for (const line of listing.split('\n')) {
        const [offset, ...words] = line.trim().split(' ').filter(Boolean);
        if (Number(offset) !== file.length) throw new Error(`offset ${offset} stands at byte ${file.length}`);
        file = Buffer.concat([file, Buffer.from(words.join(''), 'hex')]);
      }
      return file;
    });
}

/** What stands on the page in the place of the group, wherever these words do. */
const said = (text: string, words: RegExp) => [...text.matchAll(words)].map((match) => match[1] ?? '');
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const hex = ({ hi, lo }: { hi: number; lo: number }) =>
  ((BigInt(hi) << 32n) | BigInt(lo)).toString(16).padStart(16, '0');
const shown = (entries: readonly PageEntry[]) =>
  entries.map((entry) => ({
    print: hex(entry),
    payload: entry.bits.toString(16).padStart(10, '0'),
    ...entry.payload,
  }));

const [fingerprints1, payload1, delta2, fingerprints2, payload2] = exampleFiles() as [
  Buffer,
  Buffer,
  Buffer,
  Buffer,
  Buffer,
];
const a = { documentType: 'passport', kindOfLoss: 'stolen', reportedOn: '2026-11-20', reportedBy: 'DEU' };
const b = { documentType: 'identity-card', kindOfLoss: 'lost', reportedOn: '2026-11-21', reportedBy: 'UTO' };
const c = { documentType: 'visa', kindOfLoss: 'stolen-blank', reportedOn: '2026-11-24', reportedBy: 'ROU' };
const shownA = { print: '2426e13615611722', payload: '008680b508', ...a };
const shownB = { print: 'c170a7183fd2a5cc', payload: '4b6cc0b509', ...b };
const shownC = { print: '0df26d70eeed71cb', payload: 'a2e640b50c', ...c };

test('Fingerprints are those of the worked example', () => {
  const secret = Buffer.from(said(page, /Secret `([0-9a-f]{64})`/g)[0] ?? '', 'hex');
  const rows = [
    ...page.matchAll(
      /^\| (?:[ABC]|check) \|.*\| `([^`]+)`(?: \(in bytes `[0-9a-f]+`\))? \| `([0-9a-f]{16})` \|$/gm,
    ),
  ];
  expect(rows).toHaveLength(4);
  for (const [, key, print] of rows) {
    expect(hex(pageFingerprint(secret, (key ?? '').replace('\\|', '|')))).toBe(print);
  }
});

test('The files of the page hold what the page says, and are as it describes them', () => {
  const files = [fingerprints1, payload1, delta2, fingerprints2, payload2];
  expect(files.map(({ length }) => String(length))).toEqual(said(exampleText, /, (\d+) bytes, SHA-256/g));
  expect(files.map(sha256)).toEqual(said(exampleText, /SHA-256 `([0-9a-f]{64})`/g));

  const first = readPageBase(fingerprints1, payload1);
  expect(Object.values(first.trees)).toEqual(said(exampleText, /tree `([0-9a-f]{64})`/g));
  expect(Object.values(first.leavesAt).map(String)).toEqual(said(exampleText, /leavesAt (\d+)/g));
  expect(first.header).toMatchObject({
    edition: 1,
    count: 2,
    collection: 'sltd',
    keyId: 'UTO-1',
    parameters: [0, 0],
  });
  expect(hex(first.header.check)).toBe('61c167292d5b0ec6');
  expect(new Date(first.header.date).toISOString()).toBe('2026-11-24T06:00:00.000Z');
  expect(shown(first.entries)).toEqual([shownA, shownB]);

  const delta = readPageDelta(delta2);
  expect(delta.header).toMatchObject({
    edition: 2,
    from: 1,
    count: 2,
    additions: 1,
    removals: 1,
    parameters: [28, 30],
  });
  expect(delta.removals.map(({ bits, ...print }) => [hex(print), bits])).toEqual([[shownA.print, undefined]]);
  expect(shown(delta.additions)).toEqual([shownC]);

  const second = readPageBase(fingerprints2, payload2);
  expect(shown(second.entries)).toEqual([shownC, shownB]);
  const made = applyPageDelta(first, delta);
  expect(made.entries).toEqual(second.entries);
  expect(made.header.date).toBe(second.header.date);
  expect(new Date(made.header.date).toISOString()).toBe('2026-11-25T06:00:00.000Z');
});

test('A file with any byte changed, missing or added is refused', () => {
  const reads: [Buffer, (file: Buffer) => unknown][] = [
    [fingerprints1, (file) => readPageBase(file, payload1)],
    [payload1, (file) => readPageBase(fingerprints1, file)],
    [delta2, readPageDelta],
  ];
  for (const [file, read] of reads) {
    expect(() => read(file)).not.toThrow();
    for (let at = 0; at < file.length; at++) {
      for (const flip of [0x01, 0x80, 0xff]) {
        const changed = Buffer.from(file);
        changed.writeUInt8(changed.readUInt8(at) ^ flip, at);
        expect(() => read(changed), `byte ${at}`).toThrow();
      }
      expect(() => read(file.subarray(0, at)), `${at} bytes`).toThrow();
    }
    expect(() => read(Buffer.concat([file, Buffer.alloc(1)]))).toThrow();
  }
});

test('A file of another edition, and a delta for another, are refused', () => {
  expect(() => readPageBase(fingerprints1, payload2)).toThrow('not of one base');
  const second = readPageBase(fingerprints2, payload2);
  expect(() => applyPageDelta(second, readPageDelta(delta2))).toThrow('for another edition');
});

const repository = new TestRepository(mkdtempSync(join(tmpdir(), 'checkpost-page-reader-')));
afterAll(() => repository.remove());

const secret = Buffer.alloc(32, 7);
/** What was published, as the reader shall see it: by fingerprint and payload, the fingerprints made here. */
function published(records: readonly TestRecord[]) {
  const lines = records.map((record) => {
    const { documentType, kindOfLoss, reportedOn, reportedBy } = record;
    return [
      hex(pageFingerprint(secret, `UTO|${record.number}`)),
      documentType,
      kindOfLoss,
      reportedOn,
      reportedBy,
    ].join(' ');
  });
  return lines.sort();
}
const read = (entries: readonly PageEntry[]) =>
  entries
    .map((entry) => {
      const { documentType, kindOfLoss, reportedOn, reportedBy } = entry.payload;
      return [hex(entry), documentType, kindOfLoss, reportedOn, reportedBy].join(' ');
    })
    .sort();

/** A file of an edition that was published, by the end of its name. */
function fileOf(folder: string, name: string): Buffer {
  const file = readdirSync(join(repository.folder, folder)).find((each) => each.endsWith(name));
  if (file === undefined) throw new Error(`${folder} has no ${name}`);
  return readFileSync(join(repository.folder, folder, file));
}
const baseOf = (folder: string) =>
  readPageBase(fileOf(folder, 'base.fingerprints'), fileOf(folder, 'base.payload'));

test(
  'Editions of the publisher hold exactly the records that it was given',
  { timeout: 60_000 },
  async () => {
    const random = seeded(20_261_124);
    const below = (limit: number) => Math.floor(random() * limit);
    const pick = <T>(items: readonly [T, ...T[]]): T => items[below(items.length)] ?? items[0];
    const record = (number: string) =>
      recordOf(number, {
        documentType: pick(['passport', 'identity-card', 'visa', 'other']),
        kindOfLoss: pick(['stolen', 'lost', 'revoked', 'invalid', 'stolen-blank']),
        reportedOn: new Date(Date.UTC(1995, 0, 1 + below(11_600))).toISOString().slice(0, 10),
        reportedBy: pick(['UTO', 'DEU', 'AAA', 'ZZZ', 'ROU']),
      });
    let next = 0;
    const fresh = (documents: number) =>
      Array.from({ length: documents }, () => `PR${next++}`).flatMap((number) => {
        const several = Array.from({ length: random() < 0.1 ? 2 + below(3) : 1 }, () => record(number));
        // Some are alike in everything.
        return random() < 0.05 ? [...several, ...several] : several;
      });
    /** A day later: some records are gone, some are amended, some documents have one more, and some are new. */
    const changed = (records: readonly TestRecord[]) => [
      ...records.flatMap((each) => {
        const happens = random();
        if (happens < 0.02) return [];
        if (happens < 0.04) return [record(each.number)];
        return happens < 0.06 ? [each, record(each.number)] : [each];
      }),
      ...fresh(150),
    ];

    const first = fresh(24_000);
    const second = changed(first);
    const third = changed(second);
    for (const records of [first, second, third]) await repository.publish(records);

    const base = baseOf('targets/sltd/1');
    expect(hex(base.header.check)).toBe(hex(pageFingerprint(secret, '|')));
    expect(base.header).toMatchObject({ edition: 1, count: first.length, keyId: '1' });
    expect(base.header.parameters[0]).toBeGreaterThan(3);
    // Three leaves and more: one of them has no right neighbour on its level.
    expect(Math.ceil(base.leavesAt.payload / 65_536)).toBe(3);
    expect(read(base.entries)).toEqual(published(first));

    const deltas = [2, 3].map((edition) => readPageDelta(fileOf(`targets/sltd/${edition}`, 'delta')));
    const [delta2, delta3] = deltas as [(typeof deltas)[0], (typeof deltas)[0]];
    for (const { removals } of deltas) {
      expect(removals.some(({ bits }) => bits === undefined)).toBe(true);
      expect(removals.some(({ bits }) => bits !== undefined)).toBe(true);
    }
    const afterSecond = applyPageDelta(base, delta2);
    expect(read(afterSecond.entries)).toEqual(published(second));
    const afterThird = applyPageDelta(afterSecond, delta3);
    expect(read(afterThird.entries)).toEqual(published(third));

    const whole = baseOf('state/3');
    expect(afterThird.entries).toEqual(whole.entries);
    const { edition, date, count, keyId, check } = whole.header;
    expect(afterThird.header).toMatchObject({ edition, date, count, keyId, check });
    expect(() => applyPageDelta(base, delta3)).toThrow('for another edition');

    // The roots over several leaves are those that the publisher signed.
    const targets = readdirSync(join(repository.folder, 'metadata')).filter((name) =>
      name.endsWith('.targets.json'),
    );
    const newest = targets.sort((x, y) => Number.parseInt(y, 10) - Number.parseInt(x, 10))[0] ?? '';
    const signed = readFileSync(join(repository.folder, 'metadata', newest), 'utf8');
    for (const tree of [...Object.values(base.trees), ...Object.values(whole.trees)])
      expect(signed).toContain(tree);
  },
);
