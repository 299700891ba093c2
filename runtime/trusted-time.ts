import type { ClockState } from '#contracts/names.ts';
import type { Age } from '#contracts/verdict.ts';
import { type Millis, type MonotonicTime, type WallTime, wall } from '#contracts/units.ts';
import type { Clock } from './clock.ts';

/** Where the last verified time is kept over restarts. */
export interface TimeMemory {
  read(): string | undefined;
  write(value: string): void;
}

interface Anchor {
  readonly boot: string;
  readonly monotonic: number;
  readonly wall: number;
}

/**
 * Time that can be believed (DESIGN.md section 2, number 11). A terminal may start in 1970. Until the time has been
 * verified in this boot, now is only a lower bound: the last verified time, or later what a signed file proves.
 */
export class TrustedTime {
  readonly #clock: Clock;
  readonly #boot: string;
  readonly #memory: TimeMemory;
  #anchor: Anchor | undefined;
  #floor = 0;
  #kept = Number.NEGATIVE_INFINITY;

  constructor(parts: { clock: Clock; boot: string; memory: TimeMemory }) {
    this.#clock = parts.clock;
    this.#boot = parts.boot;
    this.#memory = parts.memory;
    const kept = readAnchor(parts.memory.read());
    if (kept === undefined) return;
    this.#floor = kept.wall;
    // The monotonic clock is the machine's: a restart of the process alone does not lose what was verified.
    if (kept.boot === parts.boot && kept.monotonic <= parts.clock.monotonic()) this.#anchor = kept;
  }

  get state(): ClockState {
    return this.#anchor === undefined ? 'unverified' : 'verified';
  }

  /** The best that is known of now: verified time, or else the machine's clock, but never below the floor. */
  now(): WallTime {
    const anchor = this.#anchor;
    if (anchor === undefined) return wall(Math.max(this.#floor, this.#clock.wall()));
    return wall(anchor.wall + (this.#clock.monotonic() - anchor.monotonic));
  }

  /** How far the machine's clock is off, where that is known. */
  offset(): number | null {
    return this.#anchor === undefined ? null : Math.round(this.#clock.wall() - this.now());
  }

  /** Takes the time of an authenticated source that said `at` when the monotonic clock stood at `when`. */
  verify(at: WallTime, when: MonotonicTime): void {
    this.#anchor = { boot: this.#boot, monotonic: when, wall: at };
    this.#floor = Math.max(this.#floor, at);
    const now = this.#clock.monotonic();
    if (now - this.#kept < keepEvery) return;
    this.#kept = now;
    this.#memory.write(JSON.stringify(this.#anchor));
  }

  /** A signed file of this date proves that now is not before it. */
  atLeast(at: WallTime): void {
    this.#floor = Math.max(this.#floor, at);
  }

  /** The verified time, or undefined. */
  verified(): WallTime | undefined {
    return this.#anchor === undefined ? undefined : this.now();
  }

  /** The least that now can be: verified, or proved by what was signed. */
  least(): WallTime {
    return this.verified() ?? wall(this.#floor);
  }

  /** Age of something of that date; a lower bound while the time is unverified, or the date lies ahead of it. */
  ageOf(date: WallTime): Age {
    const verified = this.#anchor === undefined ? undefined : this.now();
    // Whoever set the clock back makes nothing younger: what is proved to be past stays past.
    const now = Math.max(this.#floor, verified ?? 0);
    // What comes from the future has a date that is wrong, and so an age that nobody knows.
    const isKnown = verified !== undefined && date <= verified + tolerance;
    return { seconds: Math.max(0, Math.floor((now - date) / 1000)), bound: isKnown ? 'exact' : 'at-least' };
  }
}

/** So far the clocks of a publisher and a centre may differ, in milliseconds. */
const tolerance = 600_000;
/** Often enough for a floor, seldom enough for flash. */
const keepEvery = 600_000 as Millis;

function readAnchor(text: string | undefined): Anchor | undefined {
  if (text === undefined) return undefined;
  try {
    const value = JSON.parse(text) as Partial<Anchor>;
    const { boot, monotonic, wall: at } = value;
    if (typeof boot !== 'string' || typeof monotonic !== 'number' || typeof at !== 'number') return undefined;
    return { boot, monotonic, wall: at };
  } catch {
    return undefined;
  }
}
