import { describe, expect, test } from 'vitest';
import { lookupView, verdicts } from '#test/rigs/officer-desk.ts';
import { draftFor, emptyDraft } from './draft.ts';
import { isTouched } from './entry-state.ts';
import { begin, current, next, type PageEvent, type PageState } from './state.ts';

const play = (events: readonly PageEvent[], from: PageState = begin(0)): PageState =>
  events.reduce(next, from);
const lookup = (...args: Parameters<typeof lookupView>): PageEvent => ({
  type: 'lookup',
  view: lookupView(...args),
});
const live: PageEvent = { type: 'live', state: 'live' };
const open: PageEvent = { type: 'entry-open', from: undefined };
const typed: PageEvent = { type: 'entry-edit', change: { documentNumber: 'L898' } };
const partial = { line: 2, text: `L898902C36UTO${'_'.repeat(31)}`, documentType: 'passport' } as const;
const unreadable = lookupView(1, { document: null, verdict: verdicts.unreadable, partial });

describe('a document that comes while the form is open', () => {
  test.each(['hit', 'possible'] as const)(
    'closes it at once where it is a %s, and what was typed is kept',
    (kind) => {
      const state = play([live, open, typed, lookup(1, { verdict: verdicts[kind] })]);
      expect(state.entry).toMatchObject({ open: false, draft: { documentNumber: 'L898' } });
      expect(play([open], state).entry.draft.documentNumber).toBe('L898');
    },
  );

  test('closes it when a search or an earlier document becomes a hit', () => {
    const searching = play([live, lookup(1, { phase: 'searching' }), open, typed]);
    expect(searching.entry.open).toBe(true);
    expect(play([lookup(1, { verdict: verdicts.hit })], searching).entry.open).toBe(false);
    const late = play([live, lookup(1, { verdict: verdicts['no-record-copy'] }), lookup(2), open, typed]);
    expect(play([lookup(1, { verdict: verdicts.hit, late: true })], late).entry.open).toBe(false);
  });

  test('closes it where nothing is typed yet, also where it was opened with a line read in part', () => {
    const from = draftFor(unreadable);
    for (const begun of [play([live, open]), play([live, { type: 'entry-open', from }])])
      expect(play([lookup(2)], begun).entry).toMatchObject({ open: false, draft: { line: '' } });
  });

  test('is told of where something is typed, once it is there and not with each change of an earlier one', () => {
    const state = play([live, lookup(1), open, typed, lookup(1, { confirmation: 'asked' })]);
    expect(state.entry).toMatchObject({ open: true, news: false });
    expect(play([lookup(2)], state).entry).toMatchObject({ open: true, news: true });
  });

  test('is told of where it came while the page was not connected', () => {
    const away: PageEvent[] = [
      { type: 'live', state: 'lost' },
      { type: 'live', state: 'connecting' },
    ];
    const state = play([live, lookup(1), open, typed, ...away, lookup(1)]);
    expect(play([lookup(2), live], state).entry).toMatchObject({ open: true, news: true });
    expect(play([live], state).entry).toMatchObject({ open: true, news: false });
    const hit = play([lookup(2, { verdict: verdicts.hit }), live], state);
    expect(hit.entry).toMatchObject({ open: false, draft: { documentNumber: 'L898' } });
  });
});

describe('what is typed', () => {
  test('is gone when the form is closed or searched, and kept when a verdict is looked at', () => {
    const state = play([live, lookup(1), lookup(2), open, typed]);
    expect(isTouched(play([{ type: 'entry-close', keep: false }], state).entry)).toBe(false);
    expect(isTouched(play([{ type: 'entered' }], state).entry)).toBe(false);
    expect(isTouched(play([{ type: 'entry-close', keep: true }], state).entry)).toBe(true);
    const looking = play([{ type: 'select', lookup: lookupView(1).lookup }], state);
    expect(looking.entry).toMatchObject({ open: false, draft: { documentNumber: 'L898' } });
    expect(current(looking)).toEqual(lookupView(1));
  });

  test('begins anew with another line read in part, and goes on with the same one', () => {
    const from = draftFor(unreadable);
    const begun = play([
      live,
      { type: 'lookup', view: unreadable },
      open,
      typed,
      { type: 'entry-open', from },
    ]);
    expect(begun.entry.draft).toMatchObject({ kind: 'line', line: partial.text, documentNumber: '' });
    const later = play(
      [
        { type: 'entry-edit', change: { line: 'L898902C36UTO7' } },
        { type: 'entry-close', keep: true },
        { type: 'entry-open', from },
      ],
      begun,
    );
    expect(later.entry.draft.line).toBe('L898902C36UTO7');
  });

  test('is not the number that is in doubt: that must be typed from the document', () => {
    const verdict = { kind: 'unresolved', reason: 'number-doubtful', recorded: true } as const;
    expect(draftFor(lookupView(1, { verdict }))).toEqual({ ...emptyDraft(), issuingState: 'UTO' });
    expect(draftFor(lookupView(1, { verdict: verdicts.unresolved }))).toBeUndefined();
    expect(draftFor(lookupView(1, { verdict: verdicts['no-record'] }))).toBeUndefined();
    expect(draftFor(undefined)).toBeUndefined();
  });
});
