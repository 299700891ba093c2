import { tmpdir } from 'node:os';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readCollection } from './collection.ts';
import { type Places, QuickRows } from './edition-row.ts';
import { type Column, optionalColumns, requiredColumns } from './record.ts';
import { editionRows, type Shape, wholeRecords } from './row-check.ts';

const columns: readonly Column[] = [...requiredColumns, ...optionalColumns];

/** What a clerk, a program and an accident write into each column. */
const typed: Readonly<Record<Column, readonly string[]>> = {
  record: [
    'R1',
    ' R1 ',
    'R2',
    'R3',
    'Ж-4',
    ' R5 ',
    'R 6',
    '',
    'R\u00077',
    'R\u00858',
    'x'.repeat(64),
    'x'.repeat(65),
    '\u00A0R9',
  ],
  issuing_state: [
    'UTO',
    'uto',
    'D',
    'D<<',
    'DEU',
    'deu',
    'ROM',
    'KS',
    ' UTO',
    'UTOP',
    '',
    '<',
    'U O',
    'U1',
    'ſſ',
    '\u0000D',
    'ß',
  ],
  document_number: [
    'L898902C3',
    'l898902c3',
    'L-898.902/C 3<',
    '',
    '--',
    '?',
    'Ж',
    '1'.repeat(27),
    '1'.repeat(28),
    'ß',
    ' 12',
    '12\u00A0',
    '1\t2',
    '1\u001C2',
  ],
  document_type: [
    'passport',
    'PASSPORT',
    'identity-card',
    'Visa',
    'other',
    ' visa ',
    'identity\rcard',
    '',
    'pass',
    'passporT',
    'K',
  ],
  kind_of_loss: [
    'stolen',
    'lost',
    'revoked',
    'invalid',
    'stolen-blank',
    'LOST',
    'invalie',
    '',
    ' lost',
    'ſtolen',
  ],
  reported_on: [
    '2026-03-02',
    '2024-02-29',
    '2023-02-29',
    '2026-02-30',
    '1899-12-31',
    '1900-01-01',
    '2999-12-31',
    '3000-01-01',
    '9999-12-31',
    '0000-00-00',
    '2026-3-2',
    '2026/03/02',
    '',
    ' 2026-03-02',
    '2026-03-0２',
    '20260-3-02',
  ],
  reported_by: ['UTO', 'uto', ' UTO', 'D', '', 'UT0', 'UTOP', 'ßO', 'ßA'],
  lost_on: ['', '', '2026-02-27', ' ', '2026-02-29', 'x'],
  reference: ['', 'A/1', 'é', 'x'.repeat(65), ' '.repeat(70), 'a\u0007', 'x'.repeat(63) + 'é'],
  remark: ['', 'two, "quoted"', 'x'.repeat(500), 'x'.repeat(501), 'é'.repeat(500), ' '.repeat(600), 'a\nb'],
};
/** The first of each is right: most rows have one thing wrong, or two. */
const value = (column: Column) =>
  fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...typed[column].slice(0, 3)) },
    { weight: 1, arbitrary: fc.constantFrom(...typed[column]) },
    { weight: 1, arbitrary: fc.constantFrom(...typed[column]).map((text) => text.slice(0, -1)) },
  );
const row = fc.tuple(...columns.map(value));
const cell = (text: string): string => `"${text.replaceAll('"', '""')}"`;

async function read<R>(text: string, shape: Shape<R>) {
  const records: R[] = [];
  const result = await readCollection([Buffer.from(text)], {
    name: 'x.csv',
    shape,
    work: tmpdir(),
    take: (some) => void records.push(...some),
  });
  return { records, fault: result.ok ? undefined : result.fault };
}

describe('the short way of reading a row', () => {
  test('says of every row, right or wrong, what the long way says, problem by problem', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { maxLength: 40 }),
        fc.shuffledSubarray([...columns], { minLength: columns.length }),
        async (rows, order) => {
          const lines = rows.map((fields) =>
            order.map((column) => cell(fields[columns.indexOf(column)] ?? '')).join(),
          );
          const text = [order.join(), ...lines].join('\n');
          const long = await read(text, wholeRecords);
          const short = await read(text, editionRows());
          expect(short.fault).toEqual(long.fault);
          expect(short.records).toEqual(
            long.records.map(({ key, documentType, kindOfLoss, reportedOn, reportedBy }) => {
              return { key, documentType, kindOfLoss, reportedOn, reportedBy };
            }),
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  test('says the same of each value by itself in a row that is right otherwise', async () => {
    const right = columns.map((column) => typed[column][0] ?? '');
    for (const [at, column] of columns.entries()) {
      for (const text of typed[column]) {
        const line = right.map((good, place) => cell(place === at ? text : good)).join();
        const long = await read(`${columns.join()}\n${line}`, wholeRecords);
        const short = await read(`${columns.join()}\n${line}`, editionRows());
        expect(short.fault, JSON.stringify(text)).toEqual(long.fault);
        expect(short.records.map(({ key }) => key)).toEqual(long.records.map(({ key }) => key));
      }
    }
  });

  test.each([
    ['as a program writes it', 'R1,UTO,L898902C3,passport,stolen,2026-03-02,UTO,,,'],
    ['in small letters and capitals', 'R1,uto,l898902c3,PASSPORT,Stolen,2026-03-02,uto,,,'],
    [
      'with what does not count in a number',
      'R1,D<<,L 898-902.C3<,visa,lost,2026-03-02,DEU,2026-01-01,A/1,Ж',
    ],
  ])('is taken for a row %s', (_, text) => {
    const places = Object.fromEntries(columns.map((column, at) => [column, at])) as Places;
    const bytes = Buffer.from(text);
    const from: number[] = [];
    const to: number[] = [];
    let begin = 0;
    for (const field of text.split(',')) {
      from.push(begin);
      to.push(begin + Buffer.byteLength(field));
      begin = (to.at(-1) ?? 0) + 1;
    }
    const found = new QuickRows().read(
      {
        number: 2,
        bytes,
        from: Int32Array.from(from),
        to: Int32Array.from(to),
        count: columns.length,
        wrong: [],
        broken: undefined,
      },
      places,
    );
    expect(found?.key).toMatch(/^(UTO|D)\|L898902C3$/);
  });
});
