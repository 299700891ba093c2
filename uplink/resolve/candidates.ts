import { isIP } from 'node:net';
import { type MonotonicTime, ms } from '#contracts/units.ts';
import { Backoff } from '#runtime/backoff.ts';
import type { HubTarget } from './endpoint.ts';

/** How a hub is, as its probes say: `unknown` before they have said anything. */
export type Heard = 'up' | 'silent' | 'unknown';

/** So long an address may stay silent before the next one is tried. */
const patience = 10_000;

/**
 * The addresses of one hub and which of them is in use; pure but for the time that is passed in.
 *
 * An endpoint that is an address is used as it is. Of a name are tried, each for 10 s of silence, in turn: what DNS
 * last said, the last address at which the hub answered, the pinned ones. While a hub answers, its address is never
 * changed, whatever DNS says. The name is asked for at the start and while the hub is not up, with pauses that grow
 * from 2 s to 60 s: an endpoint's name is otherwise never resolved again (systemd#9911).
 */
export class Candidates {
  readonly #target: HubTarget;
  readonly #backoff: Backoff;
  #resolved: readonly string[] = [];
  #good: string | undefined;
  #address: string | undefined;
  #triedSince: MonotonicTime | undefined;
  #askAt: number = Number.NEGATIVE_INFINITY;
  #heard: Heard = 'unknown';

  constructor(target: HubTarget, good: string | undefined, random: () => number) {
    this.#target = target;
    this.#good = good;
    this.#backoff = new Backoff(ms(2000), ms(60_000), random);
    // Something is tried at once; what DNS says takes its place.
    this.#address = target.literal ?? good ?? target.pinned[0];
  }

  get address(): string | undefined {
    return this.#address;
  }

  /** The last address at which the hub answered; undefined for a hub that needs no name. */
  get good(): string | undefined {
    return this.#good;
  }

  /** Takes the word of the probes, and moves on where the address has been silent for too long. */
  look(heard: Heard, families: ReadonlySet<number>, now: MonotonicTime): void {
    this.#heard = heard;
    if (this.#target.literal !== undefined) return;
    if (heard === 'up') {
      this.#good = this.#address;
      this.#triedSince = undefined;
      this.#backoff.worked();
      return;
    }
    this.#triedSince ??= now;
    const isLost = this.#address === undefined || !families.has(isIP(this.#address));
    if (isLost || now - this.#triedSince >= patience) this.#next(families, now);
  }

  /** Whether the name is to be asked for now. */
  isDue(now: MonotonicTime): boolean {
    return this.#target.literal === undefined && this.#heard !== 'up' && now >= this.#askAt;
  }

  /** To be called when the asking begins. */
  asked(now: MonotonicTime): void {
    this.#askAt = now + this.#backoff.next();
  }

  /** What DNS said; an empty answer takes nothing away. */
  answered(addresses: readonly string[], families: ReadonlySet<number>, now: MonotonicTime): void {
    const usable = addresses.filter((address) => families.has(isIP(address)));
    if (usable.length === 0) return;
    const before = this.#resolved;
    this.#resolved = usable;
    const isNew = usable.some((address) => !before.includes(address));
    if (this.#heard === 'up' || !isNew) return;
    const address = this.#address ?? '';
    if (usable.includes(address)) return;
    // Of a name with many addresses each answer brings others: one that is being tried for the first time gets its time.
    const tried = now - (this.#triedSince ?? now);
    if (before.includes(address) && address !== this.#good && tried < patience) return;
    this.#use(usable[0], now);
  }

  #next(families: ReadonlySet<number>, now: MonotonicTime): void {
    const all = new Set([
      ...this.#resolved,
      ...(this.#good === undefined ? [] : [this.#good]),
      ...this.#target.pinned,
    ]);
    const usable = [...all].filter((address) => families.has(isIP(address)));
    const at = this.#address === undefined ? -1 : usable.indexOf(this.#address);
    // Without another one it stays: a hub that comes back is then found without delay.
    if (usable.length > 0) this.#use(usable[(at + 1) % usable.length], now);
  }

  #use(address: string | undefined, now: MonotonicTime): void {
    this.#address = address;
    this.#triedSince = now;
  }
}
