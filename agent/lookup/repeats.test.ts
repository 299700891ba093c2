import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { typedReader } from '#contracts/names.ts';
import { fail, ok } from '#contracts/result.ts';
import { monotonic } from '#contracts/units.ts';
import { Bench, doubtful, specimen, stolen, unreachable } from './test-bench.ts';

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => {
  bench.close();
});

describe('two frames of one document', () => {
  test('within three seconds are one lookup, shown again', async () => {
    await bench.swipe(specimen('L898902C3'));
    await bench.clock.advance(2900);
    await bench.swipe(specimen('L898902C3'));
    expect(bench.asked).toHaveLength(1);
    expect(new Set(bench.shown.map(({ lookup }) => lookup)).size).toBe(1);
  });

  test('the second is shown as the one that is on the reader now, and its own reader is told of it', async () => {
    await bench.swipe(specimen('L898902C3'));
    await bench.enquiries.take(specimen('L898902C3'), 'booth-2', monotonic(bench.clock.monotonic()));
    expect(bench.last()).toMatchObject({ presented: 2, reader: 'counter-1' });
    expect(bench.concluded.map(({ reader }) => reader)).toEqual(['counter-1', 'booth-2']);
  });

  test('the moments count from the first: a document that is swiped every two seconds for an hour is asked for again and again', async () => {
    bench.link = 'down';
    for (let swipe = 0; swipe < 10; swipe++) {
      await bench.swipe(specimen('L898902C3'));
      await bench.clock.advance(2000);
    }
    expect(bench.recorded.filter(({ kind }) => kind === 'lookup')).toHaveLength(5);
  });

  test('a better read with other look-alikes is a lookup of its own, and its possible hit is not lost', async () => {
    bench.link = 'down';
    bench.edition?.set('UTO|L898902C3', [stolen]);
    await bench.swipe(specimen('L8989O2C3'));
    await bench.clock.advance(1500);
    await bench.swipe(specimen('L8989O2C3', ['L898902C3']));
    expect(bench.last().verdict).toMatchObject({ kind: 'possible' });
  });

  test('a document that nobody could answer, or whose answer is not on record, is never a repeat', async () => {
    bench.answer = unreachable;
    bench.edition = undefined;
    await bench.swipe(specimen('L898902C3'));
    bench.edition = new Map([['UTO|L898902C3', [stolen]]]);
    bench.recording = fail('STORE_FULL', 'disk full');
    await bench.swipe(specimen('L898902C3'));
    expect(bench.last().verdict).toMatchObject({ kind: 'hit', recorded: false });
    bench.recording = ok(undefined);
    await bench.swipe(specimen('L898902C3'));
    expect(bench.last().verdict).toMatchObject({ kind: 'hit', recorded: true });
  });

  test('further apart are two lookups, and another document is always its own', async () => {
    await bench.swipe(specimen('L898902C3'));
    await bench.swipe(specimen('D23145890'));
    await bench.clock.advance(3100);
    await bench.swipe(specimen('L898902C3'));
    expect(bench.asked).toHaveLength(3);
  });

  test('the first does not hide the second where its number was in doubt', async () => {
    await bench.swipe(doubtful('L898902C3', [2]));
    await bench.clock.advance(1000);
    await bench.swipe(specimen('L898902C3'));
    expect(bench.last().verdict).toMatchObject({ kind: 'no-record', basis: 'central' });
    expect(bench.asked).toHaveLength(2);
  });

  test('of which one was typed are two lookups, and both typed are one', async () => {
    await bench.swipe(specimen('L898902C3'));
    await bench.swipe(specimen('L898902C3'), typedReader);
    await bench.swipe(specimen('L898902C3'), typedReader);
    const readers = new Map(bench.shown.map(({ lookup, reader }) => [lookup, reader]));
    expect([...readers.values()]).toEqual(['counter-1', 'typed']);
  });
});
