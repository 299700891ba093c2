import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LookupResponse } from '#contracts/lookup.ts';
import { typedReader } from '#contracts/names.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { Bench, doubtful, source, specimen, stolen, unreachable } from './test-bench.ts';

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => {
  bench.close();
});

describe('the way of a document', () => {
  test('a local hit is final at once and recorded before it is shown; the centre is asked to confirm', async () => {
    bench.edition?.set('UTO|L898902C3', [stolen]);
    let confirm: (value: Result<LookupResponse>) => void = () => {};
    bench.answer = () => new Promise((resolve) => (confirm = resolve));
    await bench.swipe(specimen('L898902C3'));
    expect(bench.order).toEqual(['record lookup', 'show final hit']);
    expect(bench.last()).toMatchObject({
      verdict: { kind: 'hit', basis: 'edition', recorded: true },
      confirmation: 'asked',
    });
    expect(bench.owed).toMatchObject([
      { kind: 'hit', document: { documentNumber: 'L898902C3' }, late: false },
    ]);
    confirm(
      ok({
        lookup: bench.last().lookup,
        source,
        time: '2026-01-15T08:00:00.000Z',
        candidates: [{ number: 'L898902C3', record: stolen }],
      }),
    );
    await bench.clock.advance(1);
    expect(bench.last().confirmation).toBe('agrees');
  });

  test('while the centre is asked the look is searching, then no-record with basis central', async () => {
    await bench.swipe(specimen('L898902C3'));
    expect(bench.order).toEqual(['show searching', 'record lookup', 'show final no-record']);
    expect(bench.last().verdict).toMatchObject({
      kind: 'no-record',
      basis: 'central',
      age: { seconds: 7200 },
    });
  });

  test('with the link known to be down the edition answers at once and the centre is not asked', async () => {
    bench.link = 'down';
    await bench.swipe(specimen('L898902C3'));
    expect(bench.order).toEqual(['record lookup', 'show final no-record']);
    expect(bench.asked).toEqual([]);
    expect(bench.last().verdict).toMatchObject({
      kind: 'no-record',
      basis: 'edition',
      age: { seconds: 7200, bound: 'exact' },
    });
  });

  test('with neither centre nor edition the document is unresolved, never no-record', async () => {
    bench.answer = unreachable;
    bench.edition = undefined;
    await bench.swipe(specimen('L898902C3'));
    expect(bench.last().verdict).toMatchObject({ kind: 'unresolved', reason: 'no-basis' });
  });

  test('where the copy cannot be read, the document is unresolved and no pass, and what can be read still counts', async () => {
    bench.link = 'down';
    bench.unreadable = (key) => key === 'UTO|L898902C3';
    await bench.swipe(specimen('L898902C3'));
    expect(bench.last().verdict).toMatchObject({ kind: 'unresolved', reason: 'edition-damaged' });
    bench.edition?.set('UTO|L898902G3', [stolen]);
    await bench.swipe(specimen('L898902C3', ['L898902G3']));
    expect(bench.last().verdict).toMatchObject({ kind: 'possible', matches: [{ number: 'L898902G3' }] });
  });

  test('until the time is verified in this boot, no-record from the edition is unresolved', async () => {
    bench.close();
    bench = new Bench(false);
    bench.link = 'down';
    await bench.swipe(specimen('L898902C3'));
    expect(bench.last().verdict).toMatchObject({
      kind: 'unresolved',
      reason: 'clock-unverified',
      age: { bound: 'at-least' },
    });
  });

  test('a look-alike in the collection is possible, with the number that matched', async () => {
    bench.link = 'down';
    bench.edition?.set('UTO|L898902G3', [stolen]);
    await bench.swipe(specimen('L898902C3', ['L898902G3']));
    expect(bench.last().verdict).toMatchObject({
      kind: 'possible',
      matches: [{ kind: 'variant', number: 'L898902G3' }],
    });
  });

  test('a frame that is no document is unreadable and on record, without a number', async () => {
    await bench.swipe({ kind: 'unreadable', reason: 'line-count', spots: [] });
    expect(bench.order).toEqual(['record lookup', 'show final unreadable']);
    expect(bench.recorded[0]).not.toHaveProperty('document');
  });

  test('the record holds a digest and never the number or a name', async () => {
    await bench.swipe(specimen('L898902C3'));
    const text = JSON.stringify(bench.recorded);
    expect(text).toMatch(/"digest":"1:[0-9a-f]{32}"/);
    expect(text).not.toMatch(/L898902C3|ERIKSSON/);
  });

  test('no name and no date leaves for the centre: only state, numbers and type', async () => {
    await bench.swipe(specimen('L898902C3'));
    expect(bench.asked).toEqual([
      {
        lookup: expect.any(String),
        collection: 'sltd',
        issuingState: 'UTO',
        numbers: ['L898902C3'],
        documentType: 'passport',
        purpose: 'first',
        training: false,
      },
    ]);
  });
});

describe('a number whose check digit does not hold', () => {
  test('is unresolved where the centre has no record of it, and is not asked for again', async () => {
    await bench.swipe(doubtful('L898902C3', [2]));
    expect(bench.last()).toMatchObject({
      document: { documentNumber: 'L898902C3', doubtful: [2] },
      verdict: { kind: 'unresolved', reason: 'number-doubtful', age: { seconds: 7200 }, recorded: true },
    });
    expect(bench.recorded).toMatchObject([{ verdict: 'unresolved', reason: 'number-doubtful' }]);
    bench.setLink('up');
    await bench.clock.advance(60_000);
    expect(bench.asked).toHaveLength(1);
  });

  test('is unresolved at once where the edition has no record of it', async () => {
    bench.link = 'down';
    await bench.swipe(doubtful('L898902C3', []));
    expect(bench.order).toEqual(['record lookup', 'show final unresolved']);
    expect(bench.last().verdict).toMatchObject({ reason: 'number-doubtful' });
  });

  test('stays unresolved when the link is back and the centre has no record either, and is asked once', async () => {
    bench.link = 'down';
    await bench.swipe(doubtful('L898902C3', [2]));
    bench.build();
    bench.setLink('up');
    await bench.clock.advance(1);
    expect(bench.last()).toMatchObject({
      late: false,
      verdict: { kind: 'unresolved', reason: 'number-doubtful' },
    });
    bench.setLink('up');
    await bench.clock.advance(60_000);
    expect(bench.asked).toMatchObject([{ purpose: 'recheck' }]);
    expect(bench.owed).toEqual([]);
  });

  test('is a late hit where the centre has a record of it when the link is back', async () => {
    bench.link = 'down';
    await bench.swipe(doubtful('L898902C3', [2]));
    bench.records('L898902C3');
    bench.setLink('up');
    await bench.clock.advance(1);
    expect(bench.last()).toMatchObject({ late: true, verdict: { kind: 'hit', basis: 'central' } });
    expect(bench.owed).toMatchObject([{ kind: 'hit', late: true }]);
  });

  test('is a hit where it is recorded all the same', async () => {
    bench.edition?.set('UTO|L898902C3', [stolen]);
    await bench.swipe(doubtful('L898902C3', [2]));
    expect(bench.shown[0]?.verdict).toMatchObject({ kind: 'hit' });
  });
});

describe('what an officer types', () => {
  test('is searched and recorded like what a reader read, under the reader "typed"', async () => {
    bench.records('L898902C3');
    await bench.swipe(specimen('L898902C3'), typedReader);
    expect(bench.last()).toMatchObject({ reader: 'typed', verdict: { kind: 'hit' } });
    expect(bench.recorded).toMatchObject([{ kind: 'lookup', reader: 'typed' }]);
    expect(bench.owed).toMatchObject([{ kind: 'hit', reader: 'typed' }]);
  });
});

describe('what was read of an unreadable document', () => {
  const partial = {
    line: 2,
    text: `L898902C36UTO74081${'_'.repeat(26)}`,
    issuingState: 'UTO',
    documentType: 'passport',
  } as const;

  test('is shown, and neither recorded nor owed nor kept on disk', async () => {
    const spots = [{ line: 2, from: 19, to: 44 }];
    await bench.swipe({ kind: 'unreadable', reason: 'line-length', spots, partial });
    expect(bench.last()).toMatchObject({ partial, verdict: { kind: 'unreadable', spots } });
    expect(JSON.stringify([bench.recorded, bench.owed])).not.toContain('L898902C3');
    expect(bench.store.all('SELECT * FROM recheck UNION ALL SELECT * FROM open_hits')).toEqual([]);
  });
});

test('How many characters were put right is shown, and which number is in doubt only where one is', async () => {
  const reading = specimen('L898902C3');
  if (reading.kind !== 'document') throw new TypeError('a specimen is a document');
  const repairs = [{ line: 2, column: 14, from: 'O', to: '0' }];
  await bench.swipe({ ...reading, document: { ...reading.document, repairs }, warnings: ['repaired'] });
  expect(bench.last().document).toMatchObject({ repairs: 1 });
  expect(bench.last().document).not.toHaveProperty('doubtful');
  await bench.swipe(specimen('D23145890'));
  expect(bench.last().document).not.toHaveProperty('repairs');
});

describe('recording that fails', () => {
  beforeEach(() => {
    bench.recording = fail('STORE_FULL', 'disk full');
  });

  test('turns no-record into unresolved', async () => {
    await bench.swipe(specimen('L898902C3'));
    expect(bench.last().verdict).toMatchObject({
      kind: 'unresolved',
      reason: 'not-recorded',
      recorded: false,
    });
    expect(bench.enquiries.recordingFails).toBe(true);
  });

  test('shows a hit all the same, marked as not recorded, and records it when recording works again', async () => {
    bench.link = 'down';
    bench.edition?.set('UTO|L898902C3', [stolen]);
    bench.answer = unreachable;
    await bench.swipe(specimen('L898902C3'));
    expect(bench.shown[0]?.verdict).toMatchObject({ kind: 'hit', recorded: false });
    bench.recording = ok(undefined);
    await bench.swipe({ kind: 'unreadable', reason: 'empty', spots: [] });
    expect(bench.recorded.map(({ kind }) => kind)).toContain('lookup');
    expect(bench.owed.filter(({ kind }) => kind === 'hit')).toHaveLength(1);
    expect(bench.enquiries.recordingFails).toBe(false);
  });
});

describe('when the link comes back', () => {
  test('a no-record of the edition is asked again, and a hit found then is a late hit, owed once', async () => {
    bench.link = 'down';
    await bench.swipe(specimen('L898902C3'));
    bench.answer = (request) =>
      Promise.resolve(
        ok({
          lookup: request.lookup,
          source,
          time: '2026-01-15T08:00:00.000Z',
          candidates: [{ number: 'L898902C3', record: stolen }],
        }),
      );
    bench.setLink('up');
    await bench.clock.advance(1);
    expect(bench.asked).toMatchObject([{ purpose: 'recheck' }]);
    expect(bench.last()).toMatchObject({ late: true, verdict: { kind: 'hit', basis: 'central' } });
    expect(bench.owed).toMatchObject([{ kind: 'hit', late: true }]);
    bench.setLink('up');
    await bench.clock.advance(60_000);
    expect(bench.asked).toHaveLength(1);
  });

  test('a restart in between loses no question', async () => {
    bench.link = 'down';
    await bench.swipe(specimen('L898902C3'));
    bench.build();
    bench.setLink('up');
    await bench.clock.advance(1);
    expect(bench.asked).toMatchObject([{ purpose: 'recheck', numbers: ['L898902C3'] }]);
  });

  test('a local hit that the centre does not have stays a hit, and both sides know of the disagreement', async () => {
    bench.edition?.set('UTO|L898902C3', [stolen]);
    await bench.swipe(specimen('L898902C3'));
    await bench.clock.advance(1);
    expect(bench.last()).toMatchObject({ confirmation: 'disagrees', verdict: { kind: 'hit' } });
    expect(bench.owed).toMatchObject([{ kind: 'hit' }, { kind: 'confirmation', result: 'disagrees' }]);
  });

  test('after it was closed nothing is asked any more: its store is closed too, and another one may have begun', async () => {
    bench.answer = () => Promise.resolve(fail('CENTRAL_TIMEOUT', 'late'));
    await bench.swipe(specimen('L898902C3'));
    bench.enquiries.close();
    // Also what was on its way then, and has no answer now.
    await bench.swipe(specimen('L898902C4'));
    const asked = bench.asked.length;
    await bench.clock.advance(30_000);
    bench.setLink('up');
    await bench.clock.advance(0);
    expect(bench.asked).toHaveLength(asked);
    expect(bench.clock.waiting).toBe(0);
  });

  test('an answer that timed out while the link stays up is asked for again', async () => {
    bench.answer = () => Promise.resolve(fail('CENTRAL_TIMEOUT', 'late'));
    await bench.swipe(specimen('L898902C3'));
    expect(bench.last().verdict).toMatchObject({ kind: 'no-record', basis: 'edition' });
    await bench.clock.advance(10_000);
    expect(bench.asked.map(({ purpose }) => purpose)).toEqual(['first', 'recheck']);
  });
});

describe('a hit', () => {
  test('stays open until it is acknowledged, also over a restart, and is acknowledged once', async () => {
    bench.edition?.set('UTO|L898902C3', [stolen]);
    bench.answer = unreachable;
    await bench.swipe(specimen('L898902C3'));
    const again = bench.build();
    const [open] = again.views();
    expect(open?.verdict?.kind).toBe('hit');
    const lookup = open?.lookup ?? '';
    expect(again.acknowledge(lookup, 'document-held')).toMatchObject({
      ok: true,
      value: { acknowledged: { outcome: 'document-held' } },
    });
    expect(again.acknowledge(lookup, 'false-alarm')).toMatchObject({
      ok: true,
      value: { acknowledged: { outcome: 'document-held' } },
    });
    expect(bench.owed.filter(({ kind }) => kind === 'hit-acknowledged')).toHaveLength(1);
    expect(bench.build().views()).toEqual([]);
  });

  test('cannot be acknowledged where there is none', () => {
    expect(
      bench.enquiries.acknowledge('019bc000-0000-7000-8000-0000000000ff', 'document-held'),
    ).toMatchObject({ ok: false, fault: { code: 'NOT_FOUND' } });
  });

  test('a recent answer of the centre serves for the minutes after the link has gone, as cache', async () => {
    await bench.swipe(specimen('L898902C3'));
    await bench.clock.advance(5000);
    bench.link = 'down';
    await bench.swipe(specimen('L898902C3'));
    expect(bench.last().verdict).toMatchObject({ kind: 'no-record', basis: 'cache' });
    await bench.clock.advance(600_000);
    await bench.swipe(specimen('L898902C3'));
    expect(bench.last().verdict).toMatchObject({ kind: 'no-record', basis: 'edition' });
  });
});

test('A reader that sends nothing but noise fills neither the record nor the page; a document that it reads then is answered', async () => {
  for (let read = 0; read < 200; read++) {
    await bench.swipe({ kind: 'unreadable', reason: 'characters', spots: [] });
    await bench.clock.advance(50);
  }
  expect(bench.recorded.length).toBeLessThanOrEqual(10);
  await bench.swipe(specimen('L898902C3'));
  expect(bench.last().verdict).toMatchObject({ kind: 'no-record' });
});

test('What was read of a line is forgotten when the next document is there', async () => {
  const partial = { line: 2, text: 'L898902C36UTO7408'.padEnd(44, '_'), documentType: 'passport' } as const;
  await bench.swipe({ kind: 'unreadable', reason: 'line-length', spots: [], partial });
  expect(bench.enquiries.views()).toMatchObject([{ partial }]);
  await bench.swipe(specimen('L898902C3'));
  for (const view of bench.enquiries.views()) expect(view).not.toHaveProperty('partial');
});
