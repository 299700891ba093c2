import type { Result } from '#contracts/result.ts';
import { ms, type MonotonicTime, type WallTime, wall } from '#contracts/units.ts';
import type { Clock } from '#runtime/clock.ts';
import type { HubClient } from '../rotation/hub-client.ts';

/** A hub is asked for the time so often, so that the floor of the clock moves on. */
const askEvery = ms(3_600_000);
/** It is told the size of packets again so often: it may have been started anew. */
const tellEvery = ms(3_600_000);
/** What failed is tried again no sooner. */
const againAfter = ms(10_000);
/** An answer that took longer says too little of the time. */
const slow = ms(10_000);

interface Contact {
  askedAt: MonotonicTime | undefined;
  toldAt: MonotonicTime | undefined;
  told: number | undefined;
  triedAt: MonotonicTime | undefined;
  busy: boolean;
}

export interface HubContactParts {
  readonly client: HubClient;
  readonly clock: Clock;
  /** An authenticated time. */
  readonly onTime: (at: WallTime) => void;
  readonly onOutcome: (hub: string, outcome: Result<unknown>) => void;
}

/** What the terminal and its hubs have to say to each other now and then: the time, and the size of packets. */
export class HubContact {
  readonly #parts: HubContactParts;
  readonly #contacts = new Map<string, Contact>();
  #offset: number | undefined;

  constructor(parts: HubContactParts) {
    this.#parts = parts;
  }

  /** How far this machine's clock is behind a hub's, in ms; undefined where no hub has said so in this run. */
  get offset(): number | undefined {
    return this.#offset;
  }

  /** What a hub said about the time, in an answer that took so long. */
  heardTime(at: WallTime, took: number): void {
    if (took > slow) return;
    const middle = wall(at + took / 2);
    this.#offset = Math.round(middle - this.#parts.clock.wall());
    this.#parts.onTime(middle);
  }

  /** To be called about once a second for every hub that is up, with the largest packet that reaches this terminal. */
  look(hub: string, mtu: number | undefined): void {
    const contact = this.#contacts.get(hub) ?? fresh();
    this.#contacts.set(hub, contact);
    const now = this.#parts.clock.monotonic();
    const since = (at: MonotonicTime | undefined): number => (at === undefined ? Infinity : now - at);
    if (contact.busy || since(contact.triedAt) < againAfter) return;
    if (mtu !== undefined && (contact.told !== mtu || since(contact.toldAt) >= tellEvery)) {
      void this.#run(hub, contact, async () => {
        const told = await this.#parts.client.path(hub, mtu);
        if (told.ok) {
          contact.told = mtu;
          contact.toldAt = contact.askedAt = now;
        }
        return told;
      });
    } else if (since(contact.askedAt) >= askEvery) {
      void this.#run(hub, contact, async () => {
        const asked = await this.#parts.client.keys(hub);
        if (asked.ok) contact.askedAt = now;
        return asked;
      });
    }
  }

  /** Another uplink carries: what the hub knows of the size is of the one before. */
  forgetSize(): void {
    for (const contact of this.#contacts.values()) contact.triedAt = undefined;
  }

  async #run(hub: string, contact: Contact, action: () => Promise<Result<unknown>>): Promise<void> {
    contact.busy = true;
    const outcome = await action();
    contact.busy = false;
    contact.triedAt = outcome.ok ? undefined : this.#parts.clock.monotonic();
    this.#parts.onOutcome(hub, outcome);
  }
}

function fresh(): Contact {
  return { askedAt: undefined, toldAt: undefined, told: undefined, triedAt: undefined, busy: false };
}
