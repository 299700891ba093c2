import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type SearchKey, searchKey } from '#contracts/search-key.ts';
import { cleanPassport, passport, stolenPassport } from '#test/rigs/documents.ts';
import { ProblemList, readCollection } from './collection.ts';
import type { CollectionRecord } from './record.ts';

const header = 'record,issuing_state,document_number,document_type,kind_of_loss,reported_on,reported_by';
const good = 'R1,UTO,L898902C3,passport,stolen,2026-03-02,UTO';

function read(text: string | Buffer): {
  records: CollectionRecord[];
  fault: string | undefined;
  code?: string;
} {
  const rows = readCollection(Buffer.from(text));
  if (!rows.ok) return { records: [], fault: rows.fault.detail, code: rows.fault.code };
  const records: CollectionRecord[] = [];
  const problems = new ProblemList();
  for (const row of rows.value) {
    if ('record' in row) records.push(row.record);
    else problems.add(row.problems);
  }
  const fault = problems.fault('x.csv');
  return { records, fault: fault?.ok === false ? fault.fault.detail : undefined };
}

describe('a collection’s CSV', () => {
  test('may begin with a byte order mark, end lines with CRLF, and have its columns in any order', () => {
    const text = `\uFEFF${header},remark\r\n${good},"two, ""quoted"""\r\n`;
    expect(read(text)).toEqual({
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
    expect(read(`${turned}\nUTO,${good.replace(/,UTO$/, '')}`).records).toHaveLength(1);
  });

  test('is filed under the canonical key, whatever a clerk typed', () => {
    const typed = ['utO,l898902c3', 'UTO, L8989-02C3', 'UTO,L89.8902/C3', 'UTO,L898902C3<'];
    const text = [header, ...typed.map((what, at) => `R${at},${what},passport,lost,2026-01-01,UTO`)].join(
      '\n',
    );
    expect(new Set(read(text).records.map(({ key }) => key))).toEqual(new Set(['UTO|L898902C3']));
    expect(read(`${header}\nR1,DEU,C01X00T47,passport,lost,2026-01-01,UTO`).records[0]?.key).toBe(
      'D|C01X00T47',
    );
  });

  test('has everything that is wrong with it listed at once, by row and column, without what stands there', () => {
    const rows = [
      header,
      good,
      'R2,UTOPIA,SECRETNO1?,pasport,gone,2026-02-30,U',
      'R3,UTO,SECRETNO2,passport',
      good,
      ',UTO,SECRETNO3,passport,stolen,2026-03-02,UTO',
    ];
    const { records, fault = '' } = read(rows.join('\n'));
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

  test('with thousands of wrong rows has the first fifty listed and all of them counted', () => {
    const text = [
      header,
      ...Array.from({ length: 5000 }, (_, at) => `R${at},UTO,?,passport,lost,2026-01-01,UTO`),
    ];
    const lines = (read(text.join('\n')).fault ?? '').split('\n');
    expect(lines).toHaveLength(52);
    expect(lines.at(-1)).toBe('and 4950 more');
  });

  test.each([
    ['nothing at all', '', 'empty'],
    ['bytes that are not UTF-8', Buffer.from([0x72, 0xe9, 0x2c]), 'UTF-8'],
    ['semicolons instead of commas', header.replaceAll(',', ';'), 'reported_by is missing'],
    ['a column that is missing', header.replace(',kind_of_loss', ''), 'kind_of_loss is missing'],
    ['a column that nobody knows', `${header},colour`, 'column 8 is none of'],
    ['a column that is there twice', `${header},record`, 'record is there twice'],
  ])('that has %s is refused at its header', (_, text, words) => {
    const found = read(text);
    expect(found.code).toBe('COLLECTION_INVALID');
    expect(found.fault).toContain(words);
  });

  test('that ends inside a quote is refused: what follows cannot be told apart', () => {
    expect(read(`${header}\n${good}\nR2,"UTO,X,passport,lost,2026-01-01,UTO\n`).fault).toContain(
      'row 3: a quote is opened and never closed',
    );
  });
});

describe('the specimens', () => {
  const specimens = read(readFileSync(join(import.meta.dirname, 'specimens.csv')));
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
