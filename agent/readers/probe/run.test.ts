import { expect, test } from 'vitest';
import { fail, ok } from '#contracts/result.ts';
import { ms } from '#contracts/units.ts';
import { type Clock, systemClock } from '#runtime/clock.ts';
import type { LinkListener } from '../links/link.ts';
import { type ProbeParts, runProbe } from './run.ts';

/** Time passes as soon as nothing else happens. */
const hurried: Clock = {
  ...systemClock,
  after(_, action) {
    const turn = setImmediate(action);
    return () => clearImmediate(turn);
  },
};

function parts(opened: (listener: LinkListener) => void, given: Partial<ProbeParts> = {}): ProbeParts {
  return {
    clock: hurried,
    open: (_, listener) => {
      opened(listener);
      return Promise.resolve(
        ok({
          present: () => true,
          write: () => {},
          lines: () => Promise.resolve({ cts: true, dsr: false, dcd: false }),
          close: () => Promise.resolve(),
        }),
      );
    },
    say: () => {},
    patience: ms(20_000),
    signal: new AbortController().signal,
    ...given,
  };
}

test('A line that floods ends the probe after a bounded number of reads', async () => {
  let opened = 0;
  const flood = Uint8Array.from({ length: 100_000 }, (_, at) => (at * 89) % 256);
  const concluded = await runProbe(
    parts((listener) => {
      opened++;
      listener.data(flood);
      listener.data(flood);
    }),
  );
  expect(concluded).toMatchObject({ ok: true, value: { kind: 'unknown' } });
  expect(opened).toBeLessThanOrEqual(12);
});

test('Where nothing comes, what the port can tell of its lines is in the conclusion', async () => {
  expect(await runProbe(parts(() => {}))).toMatchObject(
    ok({ kind: 'nothing', modem: { cts: true, dsr: false, dcd: false } }),
  );
});

test('A device that goes is a fault, and one that cannot be opened too', async () => {
  const gone = await runProbe(parts((listener) => listener.lost('EIO')));
  expect(gone).toMatchObject({
    ok: false,
    fault: { code: 'READER_LOST', detail: expect.stringContaining('The probe has ended') as string },
  });
  const refused = await runProbe(
    parts(() => {}, { open: () => Promise.resolve(fail('READER_REFUSED', 'EACCES.')) }),
  );
  expect(refused).toMatchObject({ ok: false, fault: { code: 'READER_REFUSED' } });
});

test('Stopped while it waits for a swipe, it ends without a conclusion', async () => {
  const stop = new AbortController();
  const waiting = runProbe(
    parts(() => {}, {
      clock: systemClock,
      signal: stop.signal,
      say: (text) => {
        if (text.includes('Swipe')) setImmediate(() => stop.abort());
      },
    }),
  );
  expect(await waiting).toEqual(ok(undefined));
});
