import { join } from 'node:path';
import { fail, type Fault, ok, type Result } from '#contracts/result.ts';
import { type MonotonicTime, type WallTime, wall } from '#contracts/units.ts';
import { type Clock, instant } from '#runtime/clock.ts';
import { floorFile, isPlausible, readFloor, writeFloor } from './floor-file.ts';
import { openReset, type ResetExpected, readResetVersion, writeResetVersion } from './reset.ts';

/** Seldom enough for flash; what a power cut takes away is at most this. */
const keepEvery = 600_000;
const jump = 3_600_000;

export interface FloorParts {
  /** Folder of the state of the uplink. */
  readonly state: string;
  /** When this program was built. */
  readonly built: WallTime;
  readonly boot: string;
  readonly clock: Clock;
}

/**
 * The floor of the clock: the last time that an authenticated source said. WireGuard's replay protection locks out a
 * terminal whose clock went back, so the clock is never started below it (`checkpost clock-floor`). It moves forward
 * only, and only by what the tunnel or NTS has authenticated: one forged answer of the year 2099 would lock the
 * terminal out for good. Whoever calls `move` vouches for that.
 */
export class TimeFloor {
  readonly #parts: FloorParts;
  readonly #file: string;
  #floor: WallTime;
  #fault: Fault | undefined;
  #written: { readonly at: WallTime; readonly when: MonotonicTime } | undefined;
  #heard: { readonly at: WallTime; readonly when: MonotonicTime } | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: FloorParts) {
    this.#parts = parts;
    this.#file = join(parts.state, floorFile);
    const { floor, fault } = readFloor(this.#file, parts.built);
    this.#floor = floor;
    this.#fault = fault;
  }

  get floor(): WallTime {
    return this.#floor;
  }

  /** Why the file could not be read or kept; undefined once it is whole again. */
  get fault(): Fault | undefined {
    return this.#fault;
  }

  /**
   * Moves the floor up to a time that was authenticated. It is kept on disk at most every 10 min, but at once where it
   * jumps by more than an hour, or where the file was damaged. A time before the floor changes nothing and is no fault.
   * Fault: TIME_FLOOR_FAILED where the time cannot be, or cannot be kept.
   */
  move(at: WallTime): Promise<Result<void>> {
    return this.#inTurn(async () => {
      const { built, clock, boot } = this.#parts;
      if (!isPlausible(at, built)) {
        const detail = `${show(at)} lies before this program was built (${instant(built)}) or ten years after it`;
        return fail('TIME_FLOOR_FAILED', detail);
      }
      if (at <= this.#floor && this.#fault === undefined) return ok(undefined);
      const when = clock.monotonic();
      const isJump = at - (this.#written?.at ?? this.#floor) > jump;
      const isDue = this.#written === undefined || when - this.#written.when >= keepEvery;
      if (at > this.#floor) {
        this.#floor = at;
        this.#heard = { at, when };
      }
      return isJump || isDue ? this.#write(boot, when) : ok(undefined);
    });
  }

  /**
   * Moves the floor up by what has passed since it was moved last, and keeps it on disk: now and then, and at an orderly
   * stop. Hubs are asked for the time seldom, but see our clock in every handshake: a floor that lay behind the last one
   * would not do. Fault: TIME_FLOOR_FAILED.
   */
  keep(): Promise<Result<void>> {
    return this.#inTurn(async () => {
      if (this.#heard !== undefined) {
        const passed = Math.floor(this.#parts.clock.monotonic() - this.#heard.when);
        this.#floor = wall(Math.max(this.#floor, this.#heard.at + passed));
      }
      const isKept = this.#written === undefined || this.#written.at === this.#floor;
      return isKept ? ok(undefined) : this.#write(this.#parts.boot, this.#parts.clock.monotonic());
    });
  }

  /**
   * Sets the floor to what a signed order says, lower ones too: for a terminal whose floor was moved too far. The
   * version of the order must be higher than that of each before it. Faults: SIGNATURE_REFUSED, ENVELOPE_INVALID,
   * TIME_FLOOR_FAILED.
   */
  reset(envelope: unknown, expected: Omit<ResetExpected, 'after'>): Promise<Result<WallTime>> {
    return this.#inTurn(async () => {
      const { state, built, boot, clock } = this.#parts;
      const after = readResetVersion(state);
      if (!after.ok) return after;
      const order = openReset(envelope, { ...expected, after: after.value });
      if (!order.ok) return order;
      const { at, version } = order.value;
      if (!isPlausible(at, built))
        return fail(
          'TIME_FLOOR_FAILED',
          `${show(at)} lies before this program was built or ten years after it`,
        );
      // The version first: an order that was obeyed in part may be given again under a higher one, never the same twice.
      const noted = await writeResetVersion(state, version);
      if (!noted.ok) return noted;
      const written = await writeFloor(this.#file, at, boot);
      if (!written.ok) return written;
      this.#floor = at;
      this.#heard = undefined;
      this.#fault = undefined;
      this.#written = { at, when: clock.monotonic() };
      return ok(at);
    });
  }

  async #write(boot: string, when: MonotonicTime): Promise<Result<void>> {
    // Also where it fails: a disk that is full is not asked every second.
    this.#written = { at: this.#floor, when };
    const written = await writeFloor(this.#file, this.#floor, boot);
    this.#fault = written.ok ? undefined : written.fault;
    return written;
  }

  async #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(action);
    this.#last = mine.catch(() => {});
    return mine;
  }
}

function show(at: number): string {
  // Beyond what a date can say: ECMA-262 section 21.4.1.1.
  return Math.abs(at) <= 8.64e15 ? new Date(at).toISOString() : 'what was said';
}
