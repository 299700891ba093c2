import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readCsv } from './csv.ts';

const rows = (text: string): string[][] => [...readCsv(text)].map(({ fields }) => [...fields]);

describe('CSV (RFC 4180)', () => {
  test('what was written with quotes where they are needed reads back the same', () => {
    const field = fc.string({ unit: fc.constantFrom('a', 'Ж', ',', '"', '\n', '\r', ' '), maxLength: 6 });
    // A row of one empty field is an empty line, which is left out.
    const row = fc.array(field, { minLength: 2, maxLength: 4 });
    const quote = (text: string, always: boolean): string =>
      always || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    fc.assert(
      fc.property(
        fc.array(row),
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        fc.boolean(),
        (given, end, all, last) => {
          const lines = given.map((fields) => fields.map((text) => quote(text, all)).join(','));
          expect(rows(lines.join(end) + (last ? end : ''))).toEqual(given);
        },
      ),
    );
  });

  test('rows are numbered as a spreadsheet does, also after empty ones and after line breaks inside quotes', () => {
    const found = [...readCsv('a,b\n\n"c\nd",e\nf,g\n')];
    expect(found.map(({ number }) => number)).toEqual([1, 3, 4]);
  });

  test('a quote that is never closed ends the reading and says so', () => {
    const found = [...readCsv('a,b\nc,"d\ne,f\n')];
    expect(found.map(({ number, broken }) => [number, broken])).toEqual([
      [1, undefined],
      [2, 'a quote is opened and never closed'],
    ]);
  });

  test('text after a closing quote is not guessed at', () => {
    expect([...readCsv('"a"b,c\nd,e\n')].map(({ broken }) => broken)).toEqual([
      'something stands between a closing quote and the next comma',
    ]);
  });

  test('whatever the text is, reading ends', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r') }), (text) => {
        expect([...readCsv(text)].length).toBeLessThanOrEqual(text.length + 1);
      }),
    );
  });
});
