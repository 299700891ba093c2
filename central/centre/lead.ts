import type { Result } from '#contracts/result.ts';
import { ms } from '#contracts/units.ts';
import { type Clock, pause } from '#runtime/clock.ts';
import { toFault } from '#runtime/errors.ts';
import { faultFields, type Log } from '#runtime/log.ts';
import type { Db } from '../store/index.ts';

export interface LeadParts {
  readonly db: Db;
  readonly clock: Clock;
  readonly log: Log;
  /** What one process does for all; each runs until the signal is aborted. */
  readonly tasks: readonly ((signal: AbortSignal) => Promise<void>)[];
}

/** How often a process that does not lead asks for the lead: so long nobody watches after a leader died. */
const askEvery = ms(2000);

/** Wins the lead whenever it is free, and does the leader's work for as long as it holds. */
export class Leading {
  readonly #parts: LeadParts;
  readonly #ending = new AbortController();
  readonly #running: Promise<void>;
  #leads = false;
  #fails = false;

  constructor(parts: LeadParts) {
    this.#parts = parts;
    this.#running = this.#run();
  }

  get leads(): boolean {
    return this.#leads;
  }

  async close(): Promise<void> {
    this.#ending.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { db, clock } = this.#parts;
    const { signal } = this.#ending;
    while (!signal.aborted) {
      const lead = await db.lead('controller');
      this.#note(lead);
      if (lead.ok && lead.value !== undefined) {
        await this.#lead(lead.value.lost);
        await lead.value.release();
      }
      await pause(clock, askEvery, signal);
    }
  }

  /** Nobody may lead while the database cannot be asked: said once, and again when it can. */
  #note(asked: Result<unknown>): void {
    const { log } = this.#parts;
    if (asked.ok === !this.#fails) return;
    this.#fails = !asked.ok;
    if (asked.ok) log.info('The database was asked for the lead again');
    else log.error('The database could not be asked for the lead', faultFields(asked.fault));
  }

  async #lead(lost: Promise<void>): Promise<void> {
    const { log, tasks } = this.#parts;
    const over = new AbortController();
    const end = (): void => over.abort();
    this.#ending.signal.addEventListener('abort', end, { once: true });
    void lost.then(end);
    if (this.#ending.signal.aborted) end();
    log.info('This controller leads');
    this.#leads = true;
    await Promise.all(
      tasks.map(async (task) => {
        try {
          await task(over.signal);
        } catch (thrown) {
          // A defect in one must not leave the others running under a lead that this process gives up.
          log.error('A task of the leader failed', faultFields(toFault(thrown)));
          end();
        }
      }),
    );
    this.#leads = false;
    this.#ending.signal.removeEventListener('abort', end);
    if (!this.#ending.signal.aborted) log.warn('This controller no longer leads');
  }
}
