import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { maxNumbers } from '#contracts/lookup.ts';
import type { TravelDocument } from '#contracts/documents.ts';
import { passport } from '#test/rigs/documents.ts';
import { digitOf, validMrz, writeMrz } from '#test/rigs/mrz.ts';
import { readDocument } from './index.ts';

const today = { year: 2026, month: 11, day: 24 };

function documentOf(lines: readonly string[]): TravelDocument {
  const reading = readDocument(Buffer.from(lines.join('\r'), 'latin1'), today);
  if (reading.kind !== 'document') throw new Error(`unreadable: ${reading.reason}`);
  return reading.document;
}

/** The passport as a reader sends it that takes the characters of the number for others. */
function misread(number: string, read: string): TravelDocument {
  const [first, second] = passport(number);
  return documentOf([first, read.padEnd(9, '<') + second.slice(9)]);
}

/** The pairs that no check digit can tell apart (the difference of their values is a multiple of ten). */
const unseen = ['6G', '1L', '1B', '8S', '8I', '0U', '0A', '5Z', 'FP', 'MW', 'O4'];

describe('look-alikes that check digits cannot see', () => {
  test.each(unseen.flatMap((pair) => [pair, pair.split('').reverse().join('')]))(
    '%s: the number that was meant is a variant of the one read',
    (pair) => {
      const [meant = '', seen = ''] = pair.split('');
      const read = misread(`X7${meant}3X2X`, `X7${seen}3X2X`);
      expect(read.checks).toMatchObject({ number: true, composite: true });
      expect(read.variants).toContain(`X7${meant}3X2X`);
      expect(read.documentNumber).toBe(`X7${seen}3X2X`);
    },
  );

  test('a K and a filler are confused inside the number and at its end', () => {
    expect(misread('X7K32', 'X7<32').variants).toContain('X7K32');
    expect(misread('X7<32', 'X7K32').variants).toContain('X7<32');
    expect(misread('X732K', 'X732').variants).toContain('X732K');
    expect(misread('X732', 'X732K').variants).toContain('X732');
  });

  test('the same error throughout the number is found', () => {
    expect(misread('G1G7XG', '6167X6').variants).toContain('G1G7XG');
  });
});

describe('look-alikes that check digits see', () => {
  test.each(['O0', '1I', '5S', '2Z', '8B'].flatMap((pair) => [pair, pair.split('').reverse().join('')]))(
    '%s alone fails the digit: the number that was meant is searched all the same',
    (pair) => {
      const [meant = '', seen = ''] = pair.split('');
      const read = misread(`X7${meant}37Y`, `X7${seen}37Y`);
      expect(read.checks.number).toBe(false);
      expect(read.variants).toContain(`X7${meant}37Y`);
    },
  );

  test('two that cancel are found, since the digit holds: weights 7 and 3 make ten', () => {
    const read = misread('OO7X37Y', '007X37Y');
    expect(read.checks.number).toBe(true);
    expect(read.variants).toContain('OO7X37Y');
  });

  test('one alone is no variant of a number whose digit holds', () => {
    expect(documentOf(passport('X7037Y')).variants).not.toContain('X7O37Y');
  });
});

describe('what variants are', () => {
  const formats = ['TD1', 'TD2', 'TD3', 'MRV-A', 'MRV-B'] as const;
  const any = fc.constantFrom(...formats).chain((format) => validMrz({ format }));

  test('their digits hold, none is the number itself or twice there, and they fit into one question', () => {
    fc.assert(
      fc.property(any, (fields) => {
        const { documentNumber, variants } = documentOf(writeMrz(fields));
        const digit = digitOf(documentNumber.padEnd(9, '<'));
        expect(variants.length).toBeLessThan(maxNumbers);
        expect(new Set([documentNumber, ...variants]).size).toBe(variants.length + 1);
        for (const variant of variants) expect(digitOf(variant.padEnd(9, '<')), variant).toBe(digit);
      }),
    );
  });

  test('the document of a variant, made whole, has all its digits right', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('TD1', 'TD2', 'TD3').chain((format) => validMrz({ format })),
        (fields) => {
          const lines = writeMrz(fields);
          const { documentNumber, variants, format } = documentOf(lines);
          const at = format === 'TD1' ? 0 : 1;
          for (const variant of variants) {
            const changed = lines.with(
              at,
              (lines[at] ?? '').replace(documentNumber.padEnd(9, '<'), variant.padEnd(9, '<')),
            );
            const read = documentOf(changed);
            expect(read.documentNumber).toBe(variant);
            expect(read.checks).toMatchObject({ number: true, composite: true });
          }
        },
      ),
    );
  });

  test('a longer number has variants in its continued part too, whichever way its digit was counted', () => {
    fc.assert(
      fc.property(validMrz({ format: 'TD1' }), (fields) => {
        const read = documentOf(writeMrz({ ...fields, number: 'XX3XX3XX3776XX', optional: '' }));
        expect(read.checks.number).toBe(true);
        expect(read.variants).toContain('XX3XX3XX377GXX');
      }),
      { numRuns: 50 },
    );
  });

  test('one substituted character of the number is caught by a digit, or no digit could see it', () => {
    let caught = 0;
    let listed = 0;
    const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'.split('');
    fc.assert(
      fc.property(
        validMrz({ format: 'TD3' }),
        fc.nat(8),
        fc.constantFrom(...alphabet),
        (fields, place, to) => {
          const [first = '', second = ''] = writeMrz(fields);
          const from = second.charAt(place);
          fc.pre(from !== to && from !== '<');
          const read = documentOf([first, second.slice(0, place) + to + second.slice(place + 1)]);
          const difference = Math.abs(alphabet.indexOf(from) - alphabet.indexOf(to));
          if (difference % 10 !== 0) {
            expect(read.checks.number).toBe(false);
            caught += 1;
          } else if (unseen.some((pair) => pair.includes(from) && pair.includes(to))) {
            expect(read.variants).toContain(fields.number);
            listed += 1;
          } else {
            // Such as B and V: no check digit sees it, and no reader is known to confuse them.
            expect(read.checks.number).toBe(true);
          }
        },
      ),
      { numRuns: 3000 },
    );
    expect(caught).toBeGreaterThan(100);
    expect(listed).toBeGreaterThan(10);
  });
});

describe('places in doubt', () => {
  test('are those in which another character would make the check digit hold', () => {
    const { checks, doubtful, variants } = misread('X7037Y', 'X7O37Y');
    expect(checks.number).toBe(false);
    const places = 'X7O37Y'
      .split('')
      .flatMap((character, at) =>
        variants.some((variant) => variant.length === 6 && variant.charAt(at) !== character) ? [at] : [],
      );
    expect(doubtful).toEqual(places);
    expect(doubtful).toContain(2);
  });

  test('are none where the check digit holds, however many variants there are', () => {
    const { doubtful, variants } = documentOf(passport('6G1L8S0U5'));
    expect(variants.length).toBeGreaterThan(5);
    expect(doubtful).toEqual([]);
  });

  test('are none where no look-alike explains the digit: nobody knows then which it is', () => {
    const { checks, doubtful } = misread('XXXXXXX', 'XXXXXXY');
    expect(checks.number).toBe(false);
    expect(doubtful).toEqual([]);
  });
});
