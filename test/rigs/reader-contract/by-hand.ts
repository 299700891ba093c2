import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ReaderProfile } from '#contracts/readers.ts';
import { eventually } from '../eventually.ts';
import { type Desk, openDesk, waitsForOfficer } from './desk.ts';

/** How long a person is waited for. */
const patience = { timeoutMs: 60_000, everyMs: 50 };
const testPatience = 10 * 60_000;

/**
 * The promises of the contract that a person with a real reader and a specimen can try. It asks on the console; what
 * the document says is never printed.
 */
export function readerContractByHand(profile: ReaderProfile, port: string): void {
  describe(`${profile.name} at ${port}`, () => {
    let desk: Desk;
    beforeEach(async () => {
      desk = openDesk({ profile, device: port });
      await desk.becomes('ready');
    });
    afterEach(() => desk.close());

    const ask = (text: string): void => void process.stderr.write(`\n  >>> ${text}\n`);
    const asksToSwipe = async (text: string): Promise<void> => {
      const before = desk.seen.length;
      ask(text);
      if (waitsForOfficer(profile)) desk.reader.trigger();
      await eventually(() => desk.seen.length > before, { ...patience, what: 'a swipe' });
    };

    test(
      'a document that is swiped is one frame and reads as a document',
      async () => {
        await asksToSwipe('Swipe a specimen once.');
        ask(`It calls itself: ${desk.reader.about() || 'nothing'}.`);
        expect(desk.seen).toHaveLength(1);
        expect(desk.documents()).toHaveLength(1);
        expect(desk.documents()[0]?.checks.number).toBe(true);
        expect(desk.faults).toEqual([]);
      },
      testPatience,
    );

    test(
      'ten swipes of one document in a row all arrive and say the same',
      async () => {
        for (let at = 1; at <= 10; at++) await asksToSwipe(`Swipe the same specimen again: ${at} of 10.`);
        expect(desk.documents()).toHaveLength(10);
        expect(new Set(desk.documents().map((document) => JSON.stringify(document))).size).toBe(1);
      },
      testPatience,
    );

    test(
      'a bad swipe is never a document with other data than a good one',
      async () => {
        await asksToSwipe('Swipe the specimen well.');
        const [right] = desk.documents();
        for (let at = 1; at <= 3; at++) {
          await asksToSwipe(`Swipe the same specimen badly, stop half way: ${at} of 3.`);
        }
        await asksToSwipe('Swipe the specimen well again.');
        const numbers = new Set(desk.documents().map(({ documentNumber }) => documentNumber));
        expect([...numbers]).toEqual([right?.documentNumber]);
      },
      testPatience,
    );

    test(
      'unplugged and plugged in again, it reads on',
      async () => {
        ask('Unplug the reader.');
        await eventually(() => desk.reader.state() === 'absent', { ...patience, what: 'the unplugging' });
        ask('Plug it in again, into the same port.');
        await eventually(() => desk.reader.state() === 'ready', { ...patience, what: 'the plugging in' });
        await asksToSwipe('Swipe the specimen once.');
        expect(desk.documents()).toHaveLength(1);
      },
      testPatience,
    );
  });
}
