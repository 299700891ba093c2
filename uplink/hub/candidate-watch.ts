import { type Millis, ms } from '#contracts/units.ts';
import { type Clock, pause } from '#runtime/clock.ts';
import type { Keyring } from './keyring.ts';

export interface CandidateWatch {
  /** A new key was offered: looks often again. */
  wake(): void;
  close(): Promise<void>;
}

const often = ms(100);
const seldom = ms(5000);
/** So long after the last offer it looks often. */
const fresh = ms(60_000);
/** A look at thousands of peers takes its time; it takes at most a fifth of it all. */
const share = 5;

/** Looks for the first handshake of each candidate; starts nothing while there is none. */
export function watchCandidates(keyring: Pick<Keyring, 'look' | 'waiting'>, clock: Clock): CandidateWatch {
  const stopping = new AbortController();
  let since = clock.monotonic();
  let woken = new AbortController();

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      let delay: Millis = ms(2 ** 30);
      if (keyring.waiting) {
        const began = clock.monotonic();
        const looked = await keyring.look();
        const took = clock.monotonic() - began;
        const young = looked.ok && clock.monotonic() - since < fresh;
        delay = ms(Math.max(young ? often : seldom, took * (share - 1)));
      }
      if (!keyring.waiting) delay = ms(2 ** 30);
      await pause(clock, delay, AbortSignal.any([woken.signal, stopping.signal]));
      if (woken.signal.aborted) woken = new AbortController();
    }
  }

  const over = loop();
  return {
    wake() {
      since = clock.monotonic();
      woken.abort();
    },
    async close() {
      stopping.abort();
      await over;
    },
  };
}
