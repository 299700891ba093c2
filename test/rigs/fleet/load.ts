import { randomBytes } from 'node:crypto';
import { ms } from '#contracts/units.ts';
import type { Clock } from '#runtime/clock.ts';
import type { PlayedTerminal } from './terminal.ts';

export interface LoadOrder {
  /** Each terminal comes to owe an item this often, in seconds; 0: never. */
  readonly itemSeconds: number;
  /** So often in a minute a reader is unplugged somewhere; 0: never. */
  readonly hurtsPerMinute: number;
}

const tick = ms(100);
/** So many readers are unplugged at a time; then the first is plugged in again for each further one. */
const hurtAtOnce = 20;

/**
 * What happens at terminals by itself: heads of their records come to be owed, one terminal after the other, and readers
 * are unplugged here and there.
 */
export class PlayedLoad {
  readonly #terminals: readonly PlayedTerminal[];
  readonly #order: LoadOrder;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #hurt: PlayedTerminal[] = [];
  #cancel: (() => void) | undefined;
  #next = 0;
  #items = 0;
  #hurts = 0;
  #entries = 0;

  constructor(
    terminals: readonly PlayedTerminal[],
    order: LoadOrder,
    parts: { readonly clock: Clock; readonly random: () => number },
  ) {
    this.#terminals = terminals;
    this.#order = order;
    this.#clock = parts.clock;
    this.#random = parts.random;
  }

  start(): void {
    if (this.#cancel !== undefined) return;
    let before = this.#clock.monotonic();
    const turn = (): void => {
      const now = this.#clock.monotonic();
      this.#play((now - before) / 1000);
      before = now;
      this.#cancel = this.#clock.after(tick, turn);
    };
    this.#cancel = this.#clock.after(tick, turn);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #play(seconds: number): void {
    const { itemSeconds, hurtsPerMinute } = this.#order;
    if (itemSeconds > 0) this.#items += (seconds / itemSeconds) * this.#terminals.length;
    for (; this.#items >= 1; this.#items--) {
      const terminal = this.#terminals[this.#next++ % this.#terminals.length];
      const hash = randomBytes(32).toString('hex');
      if (terminal?.running === true) terminal.owe({ kind: 'audit-head', entry: ++this.#entries, hash });
    }
    this.#hurts += (seconds / 60) * hurtsPerMinute;
    for (; this.#hurts >= 1; this.#hurts--) {
      const terminal = this.#terminals[Math.floor(this.#random() * this.#terminals.length)];
      if (terminal?.connected !== true || terminal.hurts.length > 0) continue;
      terminal.hurt('unplug-reader');
      this.#hurt.push(terminal);
      if (this.#hurt.length > hurtAtOnce) this.#hurt.shift()?.heal('unplug-reader');
    }
  }
}
