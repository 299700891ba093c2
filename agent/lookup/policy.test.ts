import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Match } from '#contracts/verdict.ts';
import { type Answer, decide as decideOn, type Evidence, isSettled } from './policy.ts';

const record = {
  documentType: 'passport',
  kindOfLoss: 'stolen',
  reportedOn: '2026-01-02',
  reportedBy: 'UTO',
} as const;
const exact: Match = { kind: 'exact', record };
const variant: Match = { kind: 'variant', number: 'L898902G3', record };

function answer(change: Partial<Answer> & { day?: number; bound?: 'exact' | 'at-least' } = {}): Answer {
  const { day = 15, bound = 'exact', ...rest } = change;
  return {
    source: { collection: 'sltd', version: 7, date: `2026-01-${day}T06:00:00.000Z`, count: 12 },
    age: { seconds: 3600, bound },
    tooOld: false,
    matches: [],
    ...rest,
  };
}

/** Of a document whose number's check digit holds. */
const decide = (evidence: Evidence) => decideOn(evidence, false);

describe('the policy', () => {
  test('an exact match is a hit on the basis that has it', () => {
    expect(decide({ edition: answer({ matches: [exact] }) })).toMatchObject({
      kind: 'hit',
      basis: 'edition',
    });
    expect(decide({ edition: answer(), central: answer({ matches: [exact] }) })).toMatchObject({
      kind: 'hit',
      basis: 'central',
    });
  });

  test('a hit is a hit however old its basis is and whether or not the clock was verified', () => {
    expect(decide({ edition: answer({ matches: [exact], tooOld: true, bound: 'at-least' }) }).kind).toBe(
      'hit',
    );
  });

  test('a hit of the copy stays one when the centre has nothing', () => {
    expect(decide({ central: answer(), edition: answer({ matches: [exact] }) })).toMatchObject({
      kind: 'hit',
      basis: 'edition',
    });
  });

  test('a look-alike or another document type is only possible, and an exact match elsewhere outweighs it', () => {
    expect(decide({ central: answer({ matches: [variant] }) })).toMatchObject({
      kind: 'possible',
      basis: 'central',
    });
    expect(
      decide({ central: answer({ matches: [variant] }), edition: answer({ matches: [exact] }) }),
    ).toMatchObject({ kind: 'hit', basis: 'edition' });
  });

  test('no-record comes from the centre where it answered', () => {
    expect(decide({ central: answer(), edition: answer() })).toMatchObject({
      kind: 'no-record',
      basis: 'central',
    });
  });

  test('no-record comes from a recent answer of the centre unless the edition knows more', () => {
    expect(decide({ cache: answer({ day: 15 }), edition: answer({ day: 15 }) })).toMatchObject({
      basis: 'cache',
    });
    expect(decide({ cache: answer({ day: 15 }), edition: answer({ day: 16 }) })).toMatchObject({
      basis: 'edition',
    });
  });

  test('a stale centre is not believed more than a fresh edition', () => {
    expect(decide({ central: answer({ tooOld: true }), edition: answer() })).toMatchObject({
      kind: 'no-record',
      basis: 'edition',
    });
    expect(decide({ central: answer({ tooOld: true }) })).toMatchObject({
      kind: 'unresolved',
      reason: 'central-stale',
    });
  });

  test.each([
    [{}, 'no-basis'],
    [{ edition: answer({ tooOld: true }) }, 'edition-too-old'],
    [{ edition: answer({ bound: 'at-least' }) }, 'clock-unverified'],
    [{ edition: answer({ damaged: true }) }, 'edition-damaged'],
  ] as const)('without a usable basis the answer is unresolved, with the reason', (evidence, reason) => {
    expect(decide(evidence)).toMatchObject({ kind: 'unresolved', reason });
  });

  test.each([
    ['the centre', { central: answer() }],
    ['a recent answer of the centre', { cache: answer() }],
    ['the edition', { edition: answer() }],
  ])(
    'a number whose check digit does not hold is unresolved where %s has no record of it, with the age',
    (_who, evidence) => {
      expect(decide(evidence).kind).toBe('no-record');
      expect(decideOn(evidence, true)).toEqual({
        kind: 'unresolved',
        reason: 'number-doubtful',
        age: { seconds: 3600, bound: 'exact' },
      });
    },
  );

  test('a number whose check digit does not hold stays a hit or possible where it is recorded', () => {
    expect(decideOn({ central: answer(), edition: answer({ matches: [exact] }) }, true).kind).toBe('hit');
    expect(decideOn({ central: answer({ matches: [variant] }) }, true).kind).toBe('possible');
  });

  test.each([
    [{}, 'no-basis'],
    [{ edition: answer({ tooOld: true }) }, 'edition-too-old'],
    [{ edition: answer({ bound: 'at-least' }) }, 'clock-unverified'],
    [{ central: answer({ tooOld: true }) }, 'central-stale'],
  ] as const)('that nobody could answer is said before the doubt about the number', (evidence, reason) => {
    expect(decideOn(evidence, true)).toMatchObject({ kind: 'unresolved', reason });
  });

  test('a question is settled where the centre has a match, or a fresh collection without one', () => {
    expect(isSettled({ central: answer() })).toBe(true);
    expect(isSettled({ central: answer({ tooOld: true, matches: [exact] }) })).toBe(true);
    expect(isSettled({ central: answer({ tooOld: true }), edition: answer() })).toBe(false);
    expect(isSettled({ central: answer({ bound: 'at-least' }) })).toBe(false);
    expect(isSettled({ cache: answer(), edition: answer({ matches: [exact] }) })).toBe(false);
  });

  test('whatever was answered, no-record has a named basis of known age within the limit, and no basis had a match', () => {
    const anyAnswer = fc.option(
      fc
        .record({
          tooOld: fc.boolean(),
          bound: fc.constantFrom('exact' as const, 'at-least' as const),
          matches: fc.subarray([exact, variant]),
          day: fc.integer({ min: 15, max: 18 }),
          damaged: fc.boolean(),
        })
        .map(answer),
      { nil: undefined },
    );
    fc.assert(
      fc.property(anyAnswer, anyAnswer, anyAnswer, fc.boolean(), (central, cache, edition, doubtful) => {
        const evidence: Evidence = {
          ...(central && { central }),
          ...(cache && { cache }),
          ...(edition && { edition }),
        };
        const decision = decideOn(evidence, doubtful);
        const answers = Object.values(evidence);
        if (answers.some(({ matches }) => matches.includes(exact))) expect(decision.kind).toBe('hit');
        else if (answers.some(({ matches }) => matches.length > 0)) expect(decision.kind).toBe('possible');
        if (doubtful) expect(decision.kind).not.toBe('no-record');
        if (decision.kind !== 'no-record') return;
        const basis = evidence[decision.basis];
        expect(basis).toMatchObject({ tooOld: false, damaged: false, age: { bound: 'exact' } });
      }),
      { numRuns: 500 },
    );
  });
});
