import { fail, ok, type Result } from '#contracts/result.ts';
import { ms } from '#contracts/units.ts';
import type { Clock } from '#runtime/clock.ts';
import type { Order, Report } from '../halves/orders.ts';

/** What the namespace of the agent is to be, without the numbers of the order. */
export type OrderText = Omit<Order, 'seq' | 'nudge'>;

export interface OrderBookParts {
  readonly clock: Clock;
  readonly content: () => OrderText;
  /** Gives it to the inner half, whenever that is there. */
  readonly give: (order: Order) => void;
  /** Numbers that go on from one configuration to the next. */
  readonly nextSeq: () => number;
}

/** An order that the inner half has not carried out by then was not heard. */
const applyWithin = ms(8000);

/** The orders to the inner half: what was given, and what came of it. */
export class OrderBook {
  readonly #parts: OrderBookParts;
  #waiting: readonly { readonly seq: number; readonly settle: (outcome: Result<void>) => void }[] = [];
  #last = '';
  #nudge = 0;
  #state: 'applied' | 'waiting' | 'absent' = 'absent';

  constructor(parts: OrderBookParts) {
    this.#parts = parts;
  }

  /** How the inner half is: it has done all, it has not yet, or it is not there. */
  get state(): 'applied' | 'waiting' | 'absent' {
    return this.#state;
  }

  /** Whether something else is wanted than was given last. */
  get isStale(): boolean {
    return JSON.stringify(this.#parts.content()) !== this.#last;
  }

  /** Every hub is to hear of this terminal with the next order: its address or key is another one. */
  nudge(): void {
    this.#nudge++;
  }

  /** Gives what is wanted now; the number of the order. */
  give(): number {
    const content = this.#parts.content();
    this.#last = JSON.stringify(content);
    if (this.#state === 'applied') this.#state = 'waiting';
    const seq = this.#parts.nextSeq();
    this.#parts.give({ ...content, seq, nudge: this.#nudge });
    return seq;
  }

  /** The same, and waits until it is carried out. Fault: TUNNEL_FAILED. */
  giveAndAwait(): Promise<Result<void>> {
    const seq = this.give();
    return new Promise((resolve) => {
      const settle = (outcome: Result<void>): void => {
        cancel();
        this.#waiting = this.#waiting.filter((one) => one !== waiting);
        resolve(outcome);
      };
      const waiting = { seq, settle };
      const cancel = this.#parts.clock.after(applyWithin, () =>
        settle(fail('TUNNEL_FAILED', 'The inner half has not done what it was told in time.')),
      );
      this.#waiting = [...this.#waiting, waiting];
    });
  }

  /** What the inner half says of an order. */
  heard(report: Exclude<Report, { kind: 'counters' }>): Result<void> {
    const outcome: Result<void> =
      report.kind === 'applied'
        ? ok(undefined)
        : { ok: false, fault: { code: 'TUNNEL_FAILED', detail: `${report.code}: ${report.detail}` } };
    this.#state = report.kind === 'applied' ? 'applied' : 'waiting';
    for (const { seq, settle } of this.#waiting) if (seq <= report.seq) settle(outcome);
    return outcome;
  }

  present(there: boolean): void {
    this.#state = there ? 'waiting' : 'absent';
  }
}
