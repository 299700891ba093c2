import { ms } from '#contracts/units.ts';
import { faultFields } from '#runtime/log.ts';
import { Bell } from './bell.ts';
import type { CommandBook } from './commands.ts';
import type { OrdersParts } from './ports.ts';

const every = ms(1000);
/** After the broker could not be reached, unless a session with it begins earlier. */
const retryEvery = 10_000;

/** The leader’s task that gives up commands in time and sends those that could not be sent. Its timers are rows. */
export class CommandTask {
  readonly #parts: Pick<OrdersParts, 'link' | 'clock' | 'log'>;
  readonly #book: CommandBook;
  readonly #bell: Bell;
  #notBefore = 0;

  constructor(parts: Pick<OrdersParts, 'link' | 'clock' | 'log'>, book: CommandBook) {
    this.#parts = parts;
    this.#book = book;
    this.#bell = new Bell(parts.clock);
  }

  /** Runs while this process leads. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = this.#parts.link.onConnected(() => {
      this.#notBefore = 0;
      this.#bell.ring();
    });
    try {
      while (!signal.aborted) {
        await this.turn();
        await this.#bell.wait(every, signal);
      }
    } finally {
      stop();
    }
  }

  async turn(): Promise<void> {
    const { clock, log } = this.#parts;
    const expired = await this.#book.expire();
    if (!expired.ok) log.error('Commands could not be given up in time', faultFields(expired.fault));
    if (clock.monotonic() < this.#notBefore) return;
    const sent = await this.#book.sendAgain();
    if (!sent.ok) log.error('Commands could not be sent again', faultFields(sent.fault));
    if (!sent.ok || sent.value.failed) this.#notBefore = clock.monotonic() + retryEvery;
  }
}
