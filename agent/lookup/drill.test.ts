import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LookupView } from '#contracts/officer.ts';
import { OwedItem } from '#contracts/outbox.ts';
import { fail } from '#contracts/result.ts';
import { Check } from 'typebox/value';
import { Bench, specimen } from './test-bench.ts';

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => {
  bench.close();
});

describe('a training drill', () => {
  test('is shown as a hit, recorded and owed as training, and never asked of the centre', async () => {
    expect(bench.enquiries.drill().ok).toBe(true);
    await bench.clock.advance(60_000);
    const view = bench.last();
    expect(Check(LookupView, view)).toBe(true);
    expect(view).toMatchObject({ training: true, phase: 'final', verdict: { kind: 'hit', recorded: true } });
    expect(bench.recorded).toMatchObject([{ kind: 'lookup', training: true, verdict: 'hit' }]);
    expect(bench.owed).toMatchObject([{ kind: 'hit', training: true }]);
    expect(bench.owed.every((item) => Check(OwedItem, item))).toBe(true);
    expect(bench.order).toEqual(['record lookup', 'show final hit']);
    bench.setLink('down');
    bench.setLink('up');
    await bench.clock.advance(60_000);
    expect(bench.asked).toEqual([]);
  });

  test('stands until it is acknowledged like a real one, also over a restart; until then there is no other', () => {
    bench.enquiries.drill();
    const { lookup } = bench.last();
    const again = bench.build();
    expect(again.views()).toMatchObject([{ lookup, training: true }]);
    expect(again.drill()).toMatchObject({ ok: false, fault: { code: 'COMMAND_BUSY' } });
    expect(again.acknowledge(lookup, 'false-alarm').ok).toBe(true);
    expect(bench.owed.at(-1)).toMatchObject({ kind: 'hit-acknowledged', lookup });
    expect(again.drill().ok).toBe(true);
  });

  test('is never shown before a real verdict: not while a hit is open, nor while somebody is at the counter', async () => {
    bench.link = 'down';
    await bench.swipe(specimen('X734211K5'));
    expect(bench.enquiries.drill()).toMatchObject({ ok: false, fault: { code: 'COMMAND_BUSY' } });
    await bench.clock.advance(15_000);
    expect(bench.enquiries.drill().ok).toBe(true);
    bench.enquiries.acknowledge(bench.last().lookup, 'false-alarm');
    bench.link = 'up';
    bench.records('L898902C3');
    await bench.swipe(specimen('L898902C3'));
    const { lookup } = bench.last();
    await bench.clock.advance(3_600_000);
    expect(bench.enquiries.drill()).toMatchObject({ ok: false, fault: { code: 'COMMAND_BUSY' } });
    bench.enquiries.acknowledge(lookup, 'document-held');
    expect(bench.enquiries.drill().ok).toBe(true);
  });

  test('leaves the same specimen on the reader a real lookup', async () => {
    bench.link = 'down';
    bench.enquiries.drill();
    await bench.swipe(specimen('L898902C3'));
    expect(bench.last()).toMatchObject({ training: false, verdict: { kind: 'no-record' } });
    expect(bench.owed).toHaveLength(1);
  });

  test('that cannot be recorded has failed', () => {
    bench.recording = fail('STORE_FAILED', 'the disk');
    expect(bench.enquiries.drill()).toMatchObject({ ok: false, fault: { code: 'STORE_FAILED' } });
    expect(bench.last()).toMatchObject({ training: true, verdict: { recorded: false } });
  });
});
