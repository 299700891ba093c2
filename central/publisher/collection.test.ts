import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type SearchKey, searchKey } from '#contracts/search-key.ts';
import { cleanPassport, passport, stolenPassport } from '#test/rigs/documents.ts';
import { readFileChunks } from './chunks.ts';
import { type CollectionOrder, readCollection } from './collection.ts';
import type { Chunks } from './csv.ts';
import type { CollectionRecord } from './record.ts';
import { wholeRecords } from './row-check.ts';

const header = 'record,issuing_state,document_number,document_type,kind_of_loss,reported_on,reported_by';
const good = 'R1,UTO,L898902C3,passport,stolen,2026-03-02,UTO';

async function read(
  given: string | Buffer | Chunks,
  more: Partial<CollectionOrder<CollectionRecord>> = {},
): Promise<{ records: CollectionRecord[]; fault: string | undefined; code?: string }> {
  const records: CollectionRecord[] = [];
  const chunks = typeof given === 'string' || Buffer.isBuffer(given) ? [Buffer.from(given)] : given;
  const result = await readCollection(chunks, {
    name: 'x.csv',
    shape: wholeRecords,
    work: tmpdir(),
    take: (some) => void records.push(...some),
    ...more,
  });
  if (!result.ok) return { records, fault: result.fault.detail, code: result.fault.code };
  expect(result.value.records).toBe(records.length);
  return { records, fault: undefined };
}

describe('a collection’s CSV', () => {
  test('may begin with a byte order mark, end lines with CRLF, and have its columns in any order', async () => {
    const text = `\uFEFF${header},remark\r\n${good},"two, ""quoted"""\r\n`;
    expect(await read(text)).toEqual({
      records: [
        {
          record: 'R1',
          key: 'UTO|L898902C3',
          number: 'L898902C3',
          documentType: 'passport',
          kindOfLoss: 'stolen',
          reportedOn: '2026-03-02',
          reportedBy: 'UTO',
          remark: 'two, "quoted"',
        },
      ],
      fault: undefined,
    });
    const turned = 'reported_by,' + header.replace(',reported_by', '');
    expect((await read(`${turned}\nUTO,${good.replace(/,UTO$/, '')}`)).records).toHaveLength(1);
  });

  test('is filed under the canonical key, whatever a clerk typed', async () => {
    const typed = ['utO,l898902c3', 'UTO, L8989-02C3', 'UTO,L89.8902/C3', 'UTO,L898902C3<'];
    const text = [header, ...typed.map((what, at) => `R${at},${what},passport,lost,2026-01-01,UTO`)].join(
      '\n',
    );
    expect(new Set((await read(text)).records.map(({ key }) => key))).toEqual(new Set(['UTO|L898902C3']));
    const german = await read(`${header}\nR1,DEU,C01X00T47,passport,lost,2026-01-01,UTO`);
    expect(german.records[0]?.key).toBe('D|C01X00T47');
  });

  test('has everything that is wrong with it listed at once, by row and column, without what stands there', async () => {
    const rows = [
      header,
      good,
      'R2,UTOPIA,SECRETNO1?,pasport,gone,2026-02-30,U',
      'R3,UTO,SECRETNO2,passport',
      good,
      ',UTO,SECRETNO3,passport,stolen,2026-03-02,UTO',
    ];
    const { records, fault = '' } = await read(rows.join('\n'));
    expect(records).toHaveLength(1);
    expect(fault.split('\n').map((line) => line.split(':')[0])).toEqual([
      'x.csv',
      'row 3, issuing_state',
      'row 3, document_number',
      'row 3, document_type',
      'row 3, kind_of_loss',
      'row 3, reported_on',
      'row 3, reported_by',
      'row 4',
      'row 5, record',
      'row 6, record',
    ]);
    expect(fault).toContain('one of passport, identity-card, visa, other');
    expect(fault).not.toMatch(/SECRET|pasport|gone/);
  });

  test('with thousands of wrong rows has the first fifty listed and all of them counted', async () => {
    const text = [
      header,
      ...Array.from({ length: 5000 }, (_, at) => `R${at},UTO,?,passport,lost,2026-01-01,UTO`),
    ];
    const lines = ((await read(text.join('\n'))).fault ?? '').split('\n');
    expect(lines).toHaveLength(52);
    expect(lines.at(-1)).toBe('and 4950 more');
  });

  test.each([
    ['nothing at all', '', 'empty'],
    ['a hundred columns', Array.from({ length: 100 }, () => 'record').join(), 'record is there twice'],
    ['a quote that is never closed', `"${header}`, 'a quote is opened and never closed'],
    ['bytes that are not UTF-8', Buffer.from([0x72, 0xe9, 0x2c]), 'UTF-8'],
    ['semicolons instead of commas', header.replaceAll(',', ';'), 'reported_by is missing'],
    ['a column that is missing', header.replace(',kind_of_loss', ''), 'kind_of_loss is missing'],
    ['a column that nobody knows', `${header},colour`, 'column 8 is none of'],
    ['a column that is there twice', `${header},record`, 'record is there twice'],
  ])('that has %s is refused at its header', async (_, text, words) => {
    const found = await read(text);
    expect(found.code).toBe('COLLECTION_INVALID');
    expect(found.fault).toContain(words);
  });

  test('that ends inside a quote is refused: what follows cannot be told apart', async () => {
    const { fault } = await read(`${header}\n${good}\nR2,"UTO,X,passport,lost,2026-01-01,UTO\n`);
    expect(fault).toContain('row 3: a quote is opened and never closed; nothing after it could be read');
  });

  test('with a row of ninety fields and one that is not UTF-8 has both listed, and reads on', async () => {
    const latin1 = Buffer.from('R2,UTO,X1,passport,lost,2026-01-01,UTO,Z\xfcrich\n', 'latin1');
    const { records, fault } = await read(
      Buffer.concat([
        Buffer.from(`${header},remark\n${good},\n`),
        latin1,
        Buffer.from(`${Array.from({ length: 90 }, () => 'x').join()}\n${good.replace('R1', 'R4')},Zürich\n`),
      ]),
    );
    expect(fault?.split('\n').slice(1)).toEqual([
      'row 3: is not text in UTF-8',
      'row 4: has 90 fields; the header has 8',
    ]);
    expect(records.map(({ record }) => record)).toEqual(['R1', 'R4']);
  });

  test('gives whoever takes the rows a turn after each thousand, also where all of them are wrong', async () => {
    const sizes: number[] = [];
    const rows = Array.from({ length: 2500 }, (_, at) => `R${at},UTO,?,passport,lost,2026-01-01,UTO`);
    await read([header, ...rows].join('\n'), { take: (some) => void sizes.push(some.length) });
    expect(sizes).toEqual([0, 0, 0]);
  });

  test('has ids that are there twice listed also where they no longer fit into memory', async () => {
    const rows = [1, 2, 3, 4, 1, 5, 4, 1].map((id) => good.replace('R1', `R${id}`));
    const text = [header, ...rows].join('\n');
    const here = await read(text);
    const inFile = await read(text, { idsInMemory: 2 });
    expect(here.fault?.split('\n').slice(1).sort()).toEqual(inFile.fault?.split('\n').slice(1).sort());
    expect(here.fault).toContain('row 6, record: row 2 has the same id');
    expect(inFile.code).toBe('COLLECTION_INVALID');
    expect(await read(text, { idsInMemory: 2, work: '/nonexistent' })).toMatchObject({
      code: 'FILE_REFUSED',
      fault: expect.stringContaining('/nonexistent'),
    });
  });
});

describe('what a collection is read from', () => {
  async function* ending(by: unknown, ended: () => void): AsyncGenerator<Buffer> {
    try {
      yield Buffer.from(`${header}\n${good}\n`);
      await Promise.resolve();
      throw by;
    } finally {
      ended();
    }
  }

  test('may end in an error of the disk, which is a fault; a mistake of ours is none', async () => {
    const disk = Object.assign(new Error('disk'), { code: 'EIO' });
    expect(await read(ending(disk, () => {}))).toMatchObject({
      code: 'FILE_REFUSED',
      fault: 'x.csv cannot be read (EIO).',
    });
    await expect(read(ending(new TypeError('ours'), () => {}))).rejects.toThrow('ours');
    const full = Object.assign(new Error('full'), { code: 'ENOSPC' });
    const refuse = () => Promise.reject(full);
    await expect(read(`${header}\n${good}`, { take: refuse })).rejects.toBe(full);
  });

  test('is let go where nothing more is wanted of it', async () => {
    let ended = 0;
    async function* endless(): AsyncGenerator<Buffer> {
      try {
        for (;;) yield await Promise.resolve(Buffer.from('no,header\n'));
      } finally {
        ended++;
      }
    }
    expect((await read(endless())).code).toBe('COLLECTION_INVALID');
    expect(ended).toBe(1);
  });

  test('may be a file of several chunks, by its name or by a handle that stays open', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'checkpost-collection-'));
    try {
      const file = join(folder, 'c.csv');
      const rows = Array.from({ length: 40_000 }, (_, at) => good.replace('R1', `R${at}`));
      writeFileSync(file, [header, ...rows].join('\n'));
      expect((await read(readFileChunks(file))).records).toHaveLength(40_000);
      const handle = await open(file);
      await read(readFileChunks(handle));
      expect((await read(readFileChunks(handle))).records.at(-1)?.record).toBe('R39999');
      await handle.close();
      expect(await read(readFileChunks(join(folder, 'missing')))).toMatchObject({ code: 'FILE_REFUSED' });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('the specimens', () => {
  let specimens: Awaited<ReturnType<typeof read>>;
  beforeAll(async () => {
    specimens = await read(readFileSync(join(import.meta.dirname, 'specimens.csv')));
  });
  const find = (number: string): CollectionRecord[] =>
    specimens.records.filter(({ key }) => key === (searchKey('UTO', number) as SearchKey));
  const numberOf = (lines: readonly [string, string]): string => lines[1].slice(0, 9);

  test('are records without an error', () => {
    expect(specimens.fault).toBeUndefined();
    expect(specimens.records).toHaveLength(20);
  });

  test('hold the stolen passport, and not the one that the demo calls unrecorded', () => {
    expect(find(numberOf(stolenPassport))).toMatchObject([
      { documentType: 'passport', kindOfLoss: 'stolen' },
    ]);
    expect(find(numberOf(cleanPassport))).toEqual([]);
  });

  test('hold a look-alike of the demo’s third passport, which no check digit tells from it, and not its own number', () => {
    const read = numberOf(passport('SPECLOOK6'));
    expect(find(read)).toEqual([]);
    expect(find(`${read.slice(0, -1)}G`)).toHaveLength(1);
    // 6 and G differ by ten, whatever their weight.
    expect(passport('SPECLOOKG')[1].slice(9)).toBe(passport('SPECLOOK6')[1].slice(9));
  });

  test('hold a number that is filed under another document type, and one that was reported twice', () => {
    expect(find('SPECOTHER')).toMatchObject([{ documentType: 'identity-card' }]);
    expect(find('SPECTWICE')).toHaveLength(2);
  });
});
