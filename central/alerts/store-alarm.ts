import { type Alert, alertNote, type AlertNotice } from '#contracts/api/alerts.ts';
import { type Millis, ms } from '#contracts/units.ts';
import { type Clock, instant } from '#runtime/clock.ts';
import { toFault } from '#runtime/errors.ts';
import { faultFields, type Log } from '#runtime/log.ts';
import { uuid7 } from '#runtime/uuid.ts';
import type { Db } from '../store/index.ts';
import { deliver } from './deliver.ts';
import type { Routing } from './routing.ts';

export interface StoreAlarmParts {
  readonly db: Db;
  readonly routing: Routing;
  /** The database fails for so long before anybody is told. */
  readonly delay: Millis;
  readonly clock: Clock;
  readonly randomBytes: (bytes: Uint8Array) => Uint8Array;
  readonly log: Log;
}

const lookEvery = ms(5000);
/** An alert that could not be stored has no number of its own. */
const unstored = Number.MAX_SAFE_INTEGER;

/**
 * The one alarm that needs no database, since it is about the database: runs in every process of the centre, whoever leads.
 * Sent straight to the channels, once for each failure, and once when it is over.
 */
export class StoreAlarm {
  readonly #parts: StoreAlarmParts;
  #stopping = new AbortController();
  #cancel: () => void = () => {};
  /** Of what fails now. */
  #alert: Alert | undefined;
  /** Channels that do not know of it yet, and those that do. */
  #untold: readonly string[] = [];
  #told: readonly string[] = [];
  #looking: Promise<void> = Promise.resolve();

  constructor(parts: StoreAlarmParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#stopping = new AbortController();
    this.#tick();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#cancel();
    await this.#looking;
  }

  /** Looks once. */
  look(): Promise<void> {
    this.#looking = this.#looking
      .then(() => this.#look())
      .catch((thrown: unknown) => {
        this.#parts.log.error('The alarm of the database stopped', faultFields(toFault(thrown)));
      });
    return this.#looking;
  }

  #tick(): void {
    void this.look();
    this.#cancel = this.#parts.clock.after(lookEvery, () => this.#tick());
  }

  async #look(): Promise<void> {
    const { db, clock, delay, routing } = this.#parts;
    const now = clock.wall();
    // Written, not only read: a disk that is full or read-only still answers.
    const works = await db.transaction((tx) =>
      tx.run(
        'INSERT INTO store_alarm (id, at) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET at = excluded.at',
        instant(now),
      ),
    );
    if (!works.ok) {
      const at = instant(now);
      if (this.#alert === undefined) {
        this.#alert = alertOf(at);
        this.#untold = routing.opened('error', null);
      }
      if (now - Date.parse(this.#alert.openedAt) < delay) return;
      const told = await this.#tell('opened', this.#alert, this.#untold);
      this.#told = [...this.#told, ...told];
      this.#untold = this.#untold.filter((name) => !told.includes(name));
    } else if (this.#alert !== undefined) {
      const closed: Alert = { ...this.#alert, state: 'closed', closedAt: instant(now) };
      const told = this.#told;
      this.#alert = undefined;
      this.#told = [];
      await this.#tell('closed', closed, told);
    }
  }

  /** The channels that took it. */
  async #tell(event: 'opened' | 'closed', alert: Alert, to: readonly string[]): Promise<string[]> {
    const { clock, routing, log } = this.#parts;
    const { title, remedy } = alertNote(alert.code);
    const notice: AlertNotice = { event, step: 0, at: instant(clock.wall()), title, remedy, alert };
    const told: string[] = [];
    for (const channel of routing.channels.filter(({ name }) => to.includes(name))) {
      const id = uuid7(clock.wall(), this.#parts.randomBytes);
      const sent = await deliver(channel, { id, notices: [notice] }, clock, this.#stopping.signal);
      if (sent.ok) told.push(channel.name);
      else
        log.error('Nobody could be told that the database fails', {
          channel: channel.name,
          ...faultFields(sent.fault),
        });
    }
    return told;
  }
}

function alertOf(at: string): Alert {
  return {
    id: unstored,
    code: 'store-failing',
    severity: 'error',
    terminal: null,
    site: null,
    bureau: null,
    subject: null,
    state: 'open',
    cause: null,
    openedAt: at,
    closedAt: null,
    times: 1,
    flapping: false,
    acknowledged: null,
    silencedUntil: null,
    escalation: 0,
  };
}
