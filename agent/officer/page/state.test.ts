import { describe, expect, test } from 'vitest';
import { lookupView, verdicts } from '#test/rigs/officer-desk.ts';
import { begin, current, next, openHits, type PageEvent, type PageState } from './state.ts';
import { lookOf } from './words.ts';

const play = (events: readonly PageEvent[], from: PageState = begin(0)): PageState =>
  events.reduce(next, from);
const lookup = (...args: Parameters<typeof lookupView>): PageEvent => ({
  type: 'lookup',
  view: lookupView(...args),
});
const live: PageEvent = { type: 'live', state: 'live' };
const again: readonly PageEvent[] = [
  { type: 'live', state: 'lost' },
  { type: 'live', state: 'connecting' },
];

describe('what the page shows', () => {
  test('a page that was just opened shows the newest lookup, whatever order they were sent in', () => {
    const state = play([lookup(3), lookup(1), live]);
    expect(current(state)).toEqual(lookupView(3));
  });

  test('a new document is shown even where the clock was set back since the one before', () => {
    const state = play([lookup(5), live, lookup(6), lookup(2)]);
    expect(current(state)).toEqual(lookupView(2));
  });

  test('a new document ends looking at an earlier one; a change of an earlier one does not', () => {
    const looking = play([lookup(1), lookup(2), live, { type: 'select', lookup: lookupView(1).lookup }]);
    expect(current(looking)).toEqual(lookupView(1));
    const changed = play([lookup(2, { late: true })], looking);
    expect(current(changed)).toEqual(lookupView(1));
    expect(current(play([lookup(3)], changed))).toEqual(lookupView(3));
  });

  test('what the agent does not know any more after a reconnect is gone, so that nothing searches for ever', () => {
    const state = play([live, lookup(1, { phase: 'searching' }), ...again, lookup(0), live]);
    expect(state.lookups).toEqual([lookupView(0)]);
    expect(current(state)).toEqual(lookupView(0));
  });

  test('a document that is on the reader again within moments is shown again, not the one that came between', () => {
    const between = play([live, lookup(1), lookup(2)]);
    expect(current(between)).toEqual(lookupView(2));
    expect(current(play([lookup(1, { presented: 2 })], between))).toMatchObject({ presented: 2 });
    const looking = play([{ type: 'select', lookup: lookupView(1).lookup }], between);
    expect(current(play([lookup(2, { presented: 2 })], looking))).toMatchObject({
      lookup: lookupView(2).lookup,
    });
  });

  test('hits wait until an outcome is recorded', () => {
    const acknowledged = { at: lookupView(1).at, officer: 'unassigned', outcome: 'false-alarm' } as const;
    const state = play([
      live,
      lookup(1, { verdict: verdicts.hit }),
      lookup(2, { verdict: verdicts.possible }),
    ]);
    expect(openHits(state)).toHaveLength(2);
    expect(openHits(play([lookup(1, { verdict: verdicts.hit, acknowledged })], state))).toHaveLength(1);
  });
});

describe('the look of a lookup', () => {
  test('a verdict that this page does not know is doubt', () => {
    const verdict = { ...verdicts['no-record'], kind: 'something-new' } as never;
    expect(lookOf({ phase: 'final', verdict })).toBe('unresolved');
    expect(lookOf({ phase: 'final', verdict: null })).toBe('unresolved');
  });

  test('no record looks like the centre only where the centre answered this very question', () => {
    const of = (basis: 'central' | 'edition' | 'cache') =>
      lookOf({ phase: 'final', verdict: { ...verdicts['no-record'], basis } });
    expect([of('central'), of('edition'), of('cache')]).toEqual([
      'no-record',
      'no-record-copy',
      'no-record-copy',
    ]);
  });
});
