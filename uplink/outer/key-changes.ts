import { fail, ok, type Result } from '#contracts/result.ts';
import type { UplinkSettings } from '#contracts/settings/uplink.ts';
import { ms, seconds } from '#contracts/units.ts';
import { type Clock, pause } from '#runtime/clock.ts';
import type { Log } from '#runtime/log.ts';
import type { KeyStore } from '../keys/key-store.ts';
import { hubOf, probeSlot, type Slot, slotsOf, tunnelSlot } from '../keys/slots.ts';
import type { HubClient } from '../rotation/hub-client.ts';
import { planRotation } from '../rotation/plan.ts';
import { createRotations, type SlotRotation } from '../rotation/rotations.ts';

export interface KeyChangesParts {
  readonly settings: Pick<UplinkSettings, 'hubs' | 'uplinks' | 'keys'>;
  readonly keys: KeyStore;
  readonly client: HubClient;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** The hub that carries now. */
  readonly carrying: () => string | undefined;
  /** Round trip to a hub over the uplink that carries, in ms; undefined while it does not answer there. */
  readonly delayTo: (hub: string) => number | undefined;
  /** Lets this hub carry for the time of a change; undefined takes that back. */
  readonly divert: (hub: string | undefined) => void;
  /** Brings the tunnels to what is wanted now, and every hub hears of it. */
  readonly applyTunnels: () => Promise<Result<void>>;
  readonly applyProbe: (uplinkAt: number) => Promise<Result<void>>;
  readonly onChanged: (slot: Slot) => void;
}

const planEvery = ms(3_600_000);
const divertWithin = ms(8000);
const lookEvery = ms(50);

/**
 * Changes of keys, on the word of the operator or by their age. The key of the hub that carries is changed last and
 * only when another hub carries for it, where one answers: then no packet is lost.
 */
export class KeyChanges {
  readonly #parts: KeyChangesParts;
  readonly #rotations;
  #plannedAt: number;

  constructor(parts: KeyChangesParts) {
    this.#parts = parts;
    this.#plannedAt = parts.clock.monotonic();
    this.#rotations = createRotations({
      store: parts.keys,
      client: parts.client,
      applyKey: (slot) => this.#apply(slot),
      hubs: parts.settings.hubs.map(({ name }) => name),
      clock: parts.clock,
      random: parts.random,
      log: parts.log,
      prepare: (slot) => this.#prepare(slot),
    });
  }

  /** Goes on with what an earlier run had begun. */
  resume(): void {
    this.#rotations.resume();
  }

  /** A hub answers again: what waits for it is tried at once. */
  retry(): void {
    this.#rotations.retry();
  }

  state(slot: Slot): SlotRotation {
    return this.#rotations.state(slot);
  }

  /** New keys with this hub, or all. Settles when each was tried once; what is left goes on by itself. */
  async rotate(hub?: string): Promise<Result<void>> {
    const { settings } = this.#parts;
    if (hub !== undefined && !settings.hubs.some(({ name }) => name === hub))
      return fail('UPLINK_REQUEST_INVALID', `${hub} is not a hub of the settings.`);
    return this.#rotate(hub === undefined ? slotsOf(settings) : [tunnelSlot(hub)]);
  }

  /** To be called now and then while a hub answers: changes what is too old. */
  look(): void {
    const { settings, clock, keys, carrying } = this.#parts;
    const now = clock.monotonic();
    if (now - this.#plannedAt < planEvery) return;
    this.#plannedAt = now;
    const ages = slotsOf(settings).flatMap((slot) => {
      const view = keys.view(slot);
      return view.ok ? [{ slot, since: view.value.since, begun: view.value.next !== null }] : [];
    });
    const due = planRotation(ages, clock.wall(), {
      rotateAfter: seconds(settings.keys.rotateDays * 86_400),
      carrying: carrying() ?? null,
    });
    if (due.length > 0) void this.#rotate(due);
  }

  async close(): Promise<void> {
    await this.#rotations.close();
  }

  async #rotate(slots: readonly Slot[]): Promise<Result<void>> {
    const outcomes = await this.#rotations.rotate(slots.toSorted((a, b) => this.#rank(a) - this.#rank(b)));
    this.#parts.divert(undefined);
    for (const [slot, { kind }] of outcomes) if (kind === 'final') this.#parts.onChanged(slot);
    for (const outcome of outcomes.values())
      if (outcome.kind !== 'final') return { ok: false, fault: outcome.fault };
    return ok(undefined);
  }

  #rank(slot: Slot): number {
    const hub = hubOf(slot);
    return hub === undefined ? 0 : hub === this.#parts.carrying() ? 2 : 1;
  }

  async #prepare(slot: Slot): Promise<void> {
    const { settings, clock, signal, carrying, delayTo, divert, applyTunnels } = this.#parts;
    const hub = hubOf(slot);
    divert(undefined);
    if (hub === undefined || hub !== carrying()) return;
    const delay = delayTo(hub) ?? 0;
    const other = settings.hubs.find(({ name }) => name !== hub && delayTo(name) !== undefined);
    if (other === undefined) return;
    divert(other.name);
    const deadline = clock.monotonic() + divertWithin;
    while (carrying() === hub && clock.monotonic() < deadline && !signal.aborted)
      await pause(clock, lookEvery, signal);
    await applyTunnels();
    // What is still on its way back through the hub before may arrive.
    await pause(clock, ms(200 + 2 * delay), signal);
  }

  #apply(slot: Slot): Promise<Result<void>> {
    if (hubOf(slot) !== undefined) return this.#parts.applyTunnels();
    return this.#parts.applyProbe(
      this.#parts.settings.uplinks.findIndex(({ name }) => probeSlot(name) === slot),
    );
  }
}
