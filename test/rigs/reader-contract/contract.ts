import { describe, expect, test } from 'vitest';
import type { ReaderProfile } from '#contracts/readers.ts';
import { ms } from '#contracts/units.ts';
import { pause, systemClock } from '#runtime/clock.ts';
import { passport } from '../documents.ts';
import { eventually } from '../eventually.ts';
import { encodeRead } from '../reader-simulator/encode.ts';
import { specimens } from '../specimens.ts';
import { type Counter, type CounterOptions, withCounter } from './counter.ts';
import { documentOf } from './desk.ts';

/** Where a read rests in its middle, a busy machine must not make a silence of it. */
const unhurried: CounterOptions = { idleMillis: 600 };

/**
 * What every family of serial readers keeps, whatever its framing and protocol: shown on the simulator, over a real
 * pseudo-terminal, with the reader that the agent opens. `by-hand.ts` has those promises that a person with a real
 * reader can try. The tests of one family run at the same time, each at a counter of its own.
 */
export function readerContract(profile: ReaderProfile): void {
  const { framing, protocol, signals } = profile;
  const readsOnce = protocol.kind === 'elyctis' || protocol.trigger !== undefined;
  const isAsked =
    protocol.kind === 'elyctis' || protocol.setup.some(({ expect: answer }) => answer !== undefined);
  const hasCheck = 'blockCheck' in framing && framing.blockCheck !== 'none';
  const at =
    (play: (counter: Counter) => Promise<void>, options: CounterOptions = {}) =>
    (): Promise<void> =>
      withCounter(profile, options, play);

  describe.concurrent(profile.name, () => {
    for (const [name, lines] of Object.entries(specimens)) {
      test(
        `a document (${name}) is one frame that reads as exactly this document`,
        at(async ({ swipe, expectAll, desk }) => {
          await swipe(lines);
          await expectAll([lines]);
          expect(desk.seen).toHaveLength(1);
          expect(desk.faults).toEqual([]);
        }),
      );
    }

    test(
      'ten documents in a row all arrive, each once and in order',
      at(async ({ swipe, shows, expectAll, desk }) => {
        const all = Array.from({ length: 10 }, (_, n) => passport(`SPEC1000${n}`));
        for (const [n, lines] of all.entries()) {
          await swipe(lines);
          await shows(n + 1);
        }
        await expectAll(all);
        expect(desk.seen).toHaveLength(10);
      }),
    );

    test(
      'a read that comes byte by byte or in pieces is the same document',
      at(async ({ swipe, shows, expectAll }) => {
        const all = [specimens.passport, specimens.card, specimens.smallCard, specimens.visa];
        for (const [n, lines] of all.entries()) {
          await swipe(lines, ['split']);
          await shows(n + 1);
        }
        await expectAll(all);
      }, unhurried),
    );

    // A reader that is told to read each time never joins two.
    if (!readsOnce)
      test(
        'two reads in one piece are two documents',
        at(async ({ swipe, expectAll, desk }) => {
          await swipe(specimens.passport, ['joined']);
          await swipe(specimens.card, ['joined']);
          await expectAll([specimens.passport, specimens.card]);
          expect(desk.seen).toHaveLength(2);
        }),
      );

    test(
      'noise before a read costs it nothing and adds nothing',
      at(async ({ swipe, shows, expectAll, desk }) => {
        const all = [specimens.passport, specimens.smallVisa, specimens.card];
        for (const [n, lines] of all.entries()) {
          await swipe(lines, ['noise']);
          await shows(n + 1);
        }
        await expectAll(all);
        expect(new Set(desk.faults)).toEqual(new Set(['FRAME_NOISE']));
      }),
    );

    test(
      'when the swipe stutters, the officer hears of it, and the next document is whole',
      at(async ({ swipe, expectAll, desk }) => {
        for (const lines of [specimens.passport, specimens.card]) {
          const before = desk.seen.length;
          await swipe(lines, ['stutter']);
          await eventually(() => desk.seen.length > before, { what: 'the partial read' });
        }
        expect(desk.documents()).toEqual([]);
        await swipe(specimens.passport);
        await expectAll([specimens.passport]);
      }),
    );

    test(
      'when a few bytes are all that comes of a read, the next document is whole',
      at(async ({ swipe, quiet, expectAll, desk }) => {
        await swipe(['P<UTO', 'L8'], ['stutter']);
        await quiet();
        expect(desk.documents()).toEqual([]);
        await swipe(specimens.passport);
        await expectAll([specimens.passport]);
      }),
    );

    test(
      'a read that the reader repeats is one document',
      at(async ({ swipe, expectAll, desk }) => {
        await swipe(specimens.passport, ['repeat']);
        await expectAll([specimens.passport]);
        expect(desk.seen).toHaveLength(1);
        await swipe(specimens.card, ['repeat']);
        await expectAll([specimens.passport, specimens.card]);
      }),
    );

    test(
      'characters that the reader could not read are never data',
      at(async ({ swipe, quiet, desk }) => {
        const right = documentOf(specimens.passport);
        for (let round = 1; round <= 8; round++) {
          const before = desk.seen.length;
          await swipe(specimens.passport, ['unread']);
          await eventually(() => desk.seen.length > before, { what: `read ${round}` });
        }
        await quiet();
        for (const document of desk.documents()) {
          // Only names, which no search needs, may be missing.
          expect({ ...document, names: right.names }).toEqual(right);
        }
        expect(desk.seen.some(({ reading }) => reading.kind === 'unreadable')).toBe(true);
      }),
    );

    test(
      'unplugged in the middle of a read, the half is dropped, and after it is plugged in again the next is whole',
      at(async ({ swipe, expectAll, desk }) => {
        await swipe(specimens.passport, ['unplug']);
        await desk.becomes('ready');
        expect(desk.seen).toEqual([]);
        expect(desk.faults).toEqual(['READER_LOST']);
        await swipe(specimens.card);
        await expectAll([specimens.card]);
      }, unhurried),
    );

    for (const seed of [1, 2, 3, 4]) {
      test(
        `at a wrong speed (${seed}) it never yields a document, and the terminal says that something is wrong`,
        at(
          async ({ simulator, quiet, desk }) => {
            for (const lines of [specimens.passport, specimens.card]) {
              simulator.transmit(encodeRead(framing, lines));
              await quiet();
            }
            await eventually(() => ['noise', 'silent'].includes(desk.reader.state()), {
              what: 'noise or silence',
            });
            expect(desk.documents()).toEqual([]);
          },
          { faults: ['wrong-baud'], seed },
        ),
      );
    }

    if (hasCheck)
      test(
        'a wrong block check makes a read damaged, and the next one is whole',
        at(async ({ swipe, expectAll, desk }) => {
          await swipe(specimens.passport, ['bad-check']);
          await eventually(() => desk.seen.length === 1);
          expect(desk.seen).toMatchObject([{ damaged: true }]);
          expect(desk.faults).toEqual(['FRAME_DAMAGED']);
          await swipe(specimens.card);
          await expectAll([specimens.card]);
        }),
      );

    test(
      'with its wires crossed nothing arrives, and a reader that is asked is said to be silent',
      at(
        async ({ simulator, quiet, desk }) => {
          await simulator.present(specimens.passport);
          if (isAsked) await desk.becomes('silent');
          await quiet();
          expect(desk.seen).toEqual([]);
          expect(simulator.commands).toEqual([]);
        },
        { faults: ['swapped'] },
      ),
    );

    if (readsOnce)
      test(
        'a reader that must be told to read sends nothing when the terminal is gone',
        at(async ({ swipe, simulator, quiet, desk }) => {
          await swipe(specimens.passport);
          await eventually(() => desk.seen.length === 1);
          await desk.close();
          await quiet();
          // A session that stands from before is used up by the first.
          await simulator.present(specimens.card);
          expect(await simulator.present(specimens.smallCard)).toBe(false);
          await pause(systemClock, ms(100));
          expect(simulator.listening).toBe(false);
          expect(desk.seen).toHaveLength(1);
        }),
      );

    if (signals.attention !== undefined)
      test(
        'it is told to beep where the settings say so',
        at(async ({ simulator, desk }) => {
          desk.reader.signal('attention');
          await eventually(() => simulator.signals.includes('attention'), { what: 'the beep' });
        }),
      );
  });
}
