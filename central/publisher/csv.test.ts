import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Chunks, type CsvOptions, CsvRows } from './csv.ts';
import { fieldsKept, fieldText } from './rows.ts';

interface Found {
  readonly number: number;
  readonly fields: readonly string[];
  readonly count: number;
  readonly wrong: readonly string[];
  readonly broken: string | undefined;
}

async function found(given: string | Chunks, options: CsvOptions = {}): Promise<Found[]> {
  const source = new CsvRows(typeof given === 'string' ? [Buffer.from(given)] : given, options);
  const rows: Found[] = [];
  for (;;) {
    const row = source.next();
    if (row === undefined) {
      if (await source.more()) continue;
      return rows;
    }
    const { number, count, broken } = row;
    rows.push({
      number,
      // Of a broken row nothing is promised.
      fields:
        broken === undefined
          ? Array.from({ length: Math.min(count, fieldsKept) }, (_, at) => fieldText(row, at))
          : [],
      count: broken === undefined ? count : 0,
      wrong: row.wrong.map(({ problem }) => problem),
      broken,
    });
  }
}

const rows = async (text: string): Promise<(readonly string[])[]> =>
  (await found(text)).map(({ fields }) => fields);

/** A byte order mark, quotes, breaks and characters of one to four bytes, in any order. */
const noise = fc.string({ unit: fc.constantFrom('a', 'b', ',', '"', '\n', '\r', 'Ж', '語', '😀', '\uFEFF') });
const field = fc.string({ unit: fc.constantFrom('a', 'Ж', ',', '"', '\n', '\r', ' '), maxLength: 6 });
// A row of one empty field is an empty line, which is left out.
const table = fc.array(fc.array(field, { minLength: 2, maxLength: 4 }));
const quote = (text: string, always: boolean): string =>
  always || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;

describe('CSV (RFC 4180)', () => {
  test('what was written with quotes where they are needed reads back the same', async () => {
    await fc.assert(
      fc.asyncProperty(
        table,
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        fc.boolean(),
        async (given, end, all, last) => {
          const lines = given.map((fields) => fields.map((text) => quote(text, all)).join(','));
          expect(await rows(lines.join(end) + (last ? end : ''))).toEqual(given);
        },
      ),
    );
  });

  test('rows are numbered as a spreadsheet does, also after empty ones and after line breaks inside quotes', async () => {
    const numbers = (await found('a,b\n\n"c\nd",e\nf,g\n')).map(({ number }) => number);
    expect(numbers).toEqual([1, 3, 4]);
  });

  test('a quote that is never closed ends the reading and says so', async () => {
    expect((await found('a,b\nc,"d\ne,f\n')).map(({ number, broken }) => [number, broken])).toEqual([
      [1, undefined],
      [2, 'a quote is opened and never closed'],
    ]);
  });

  test('a quote that is never closed in a file of megabytes is given up after the longest row', async () => {
    let asked = 0;
    function* endless(): Generator<Buffer> {
      yield Buffer.from('a,b\n"c');
      for (;;) {
        asked++;
        yield Buffer.alloc(65_536, 'x\n');
      }
    }
    const broken = (await found(endless())).map(({ broken }) => broken);
    expect(broken).toEqual([undefined, expect.stringContaining('longer than 65536 bytes')]);
    expect(asked).toBeLessThan(40);
  });

  test('text after a closing quote is not guessed at', async () => {
    expect((await found('"a"b,c\nd,e\n')).map(({ broken }) => broken)).toEqual([
      'something stands between a closing quote and the next comma',
    ]);
  });

  test('fields beyond those that are kept are counted, however many', async () => {
    const [row] = await found(`${','.repeat(9999)}\nb\n`);
    expect(row).toMatchObject({ count: 10_000, broken: undefined });
    expect(row?.fields).toHaveLength(fieldsKept);
  });

  test('a row that is not UTF-8 is told from those around it', async () => {
    const bytes = Buffer.concat([
      Buffer.from('Ж,1\n'),
      Buffer.from([0x22, 0x22, 0x22, 0xe9, 0x22, 0x0a]),
      Buffer.from('語,2'),
    ]);
    expect((await found([bytes])).map(({ wrong }) => wrong.length)).toEqual([0, 1, 0]);
  });
});

describe('chunks', () => {
  test('cut anywhere give the rows of the text in one piece, also in the midst of a character or of a quote', async () => {
    await fc.assert(
      fc.asyncProperty(table, fc.constantFrom('\n', '\r\n'), fc.boolean(), async (given, end, all) => {
        const text = `\uFEFF${given.map((fields) => fields.map((one) => quote(one, all)).join()).join(end)}`;
        const bytes = Buffer.from(text);
        const whole = await found(text);
        for (let cut = 0; cut <= bytes.length; cut++) {
          // Blocks as small as can be, so that rows really straddle them.
          const options = { longestRow: 200, blockBytes: 1 + (cut % 7) };
          expect(await found([bytes.subarray(0, cut), bytes.subarray(cut)], options)).toEqual(whole);
        }
      }),
      { numRuns: 30 },
    );
  });

  test('of noise give the same, whatever the size of chunks and blocks, and reading ends', async () => {
    await fc.assert(
      fc.asyncProperty(
        noise,
        // A block holds a byte order mark at least.
        fc.integer({ min: 3, max: 40 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        async (text, longestRow, blockBytes, size) => {
          const bytes = Buffer.from(text);
          const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
            bytes.subarray(at * size, (at + 1) * size),
          );
          const whole = await found(text, { longestRow });
          expect(await found(pieces, { longestRow, blockBytes })).toEqual(whole);
          expect(whole.length).toBeLessThanOrEqual(text.length + 1);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('may come from a stream, and from a list', async () => {
    async function* stream(): AsyncGenerator<Uint8Array> {
      for (const byte of Buffer.from('a,b\nc,d')) yield await Promise.resolve(Uint8Array.of(byte));
    }
    expect((await found(stream())).map(({ fields }) => fields)).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
    expect(await found([])).toEqual([]);
  });
});
