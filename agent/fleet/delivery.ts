import { maxBatch, OutboxAck, type OutboxBatch } from '#contracts/outbox.ts';
import type { Result } from '#contracts/result.ts';
import type { Millis } from '#contracts/units.ts';
import type { Clock } from '#runtime/clock.ts';
import { faultFields, type Log } from '#runtime/log.ts';
import { parseJson } from '#runtime/parse.ts';
import type { Outbox } from '../outbox/index.ts';

export interface DeliveryParts {
  readonly outbox: Outbox;
  readonly resendAfter: Millis;
  readonly clock: Clock;
  readonly log: Log;
  readonly send: (batch: string) => Promise<Result<void>>;
  /** The controller has answered: the whole way works. */
  readonly onAck: () => void;
}

/**
 * Sends what is owed, in order, one batch at a time, for as long as one session lasts. What the broker says does not
 * count: a batch is done when the controller has said that it stored it, and is sent again until then.
 */
export class Delivery {
  readonly #parts: DeliveryParts;
  #inFlight = false;
  #sentThrough = 0;
  #turn = 0;
  #cancelResend: () => void = () => {};
  #stopListening: () => void;
  #over = false;

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
    this.#stopListening = parts.outbox.onOwed(() => {
      if (!this.#inFlight) this.#send();
    });
    this.#send();
  }

  close(): void {
    this.#over = true;
    this.#cancelResend();
    this.#stopListening();
  }

  /** Takes what came on the topic `outbox/ack`. */
  acknowledged(payload: string): void {
    if (this.#over) return;
    const { outbox, log, onAck } = this.#parts;
    const ack = parseJson(OutboxAck, payload, 'MESSAGE_INVALID');
    if (!ack.ok) return log.warn('An acknowledgement was refused', faultFields(ack.fault));
    const { stream, through } = ack.value;
    if (stream !== outbox.stream() || through > this.#sentThrough) {
      // Believing it would forget what the controller cannot have stored.
      return log.error('The controller acknowledged what was never sent to it', {
        code: 'MESSAGE_INVALID',
        through,
      });
    }
    onAck();
    const forgotten = outbox.acknowledge(through);
    if (!forgotten.ok) return log.error('An acknowledgement could not be kept', faultFields(forgotten.fault));
    // It has fewer than were sent, or has answered an earlier copy: what is missing goes again when its time comes.
    if (forgotten.value > 0) this.#send();
  }

  #send(): void {
    if (this.#over) return;
    this.#cancelResend();
    this.#inFlight = false;
    const { outbox, clock, log, resendAfter, send } = this.#parts;
    const owed = outbox.batch(maxBatch);
    if (!owed.ok) log.error('What is owed cannot be read', faultFields(owed.fault));
    else if (owed.value === undefined) return;
    const later = (): void => {
      this.#cancelResend = clock.after(resendAfter, () => this.#send());
    };
    if (!owed.ok || owed.value === undefined) return later();
    this.#inFlight = true;
    const { oldest, entries } = owed.value;
    const batch: OutboxBatch = { v: 1, stream: outbox.stream(), oldest, entries };
    this.#sentThrough = Math.max(this.#sentThrough, entries.at(-1)?.seq ?? 0);
    const turn = ++this.#turn;
    // A failure needs nothing here: the session ends by itself, or the batch is sent again. On a thin line it may take
    // longer to leave than the controller to answer: only then does the wait begin, or copies would pile up.
    void send(JSON.stringify(batch)).then(() => {
      if (!this.#over && this.#inFlight && turn === this.#turn) later();
    });
  }
}
