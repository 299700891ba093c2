import { fail, ok, type Result } from '#contracts/result.ts';
import type { Clock } from '#runtime/clock.ts';

/** So many wrong passwords are free; then each costs a wait that doubles up to the longest. */
const free = { pair: 5, account: 20, address: 20 };
const firstWaitMillis = 2000;
const longestWaitMillis = 300_000;
/** After so long without another wrong one, all is forgotten. */
const forgetMillis = 3_600_000;
const mostKept = 10_000;

interface Kept {
  wrong: number;
  last: number;
  until: number;
}

/**
 * Slows down whoever tries passwords: by account and address together first, so that nobody can lock somebody else out
 * from afar; more loosely by either alone. Each process of the centre counts for itself.
 */
export class Throttle {
  readonly #clock: Clock;
  readonly #kept = new Map<string, Kept>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether one may try now; if not, ATTEMPTS_EXCEEDED with how long to wait. */
  check(account: string, address: string): Result<void> {
    const now = this.#clock.monotonic();
    const wait = Math.max(
      ...keysOf(account, address).map(([key]) => (this.#kept.get(key)?.until ?? 0) - now),
    );
    return wait <= 0 ? ok(undefined) : fail('ATTEMPTS_EXCEEDED', `Wait for ${Math.ceil(wait / 1000)} s.`);
  }

  wrong(account: string, address: string): void {
    const now = this.#clock.monotonic();
    for (const [key, allowed] of keysOf(account, address)) {
      const before = this.#kept.get(key);
      const wrong = before === undefined || now - before.last > forgetMillis ? 1 : before.wrong + 1;
      const wait =
        wrong < allowed
          ? 0
          : Math.min(longestWaitMillis, firstWaitMillis * 2 ** Math.min(20, wrong - allowed));
      // The newest stand last, so that the oldest is dropped first.
      this.#kept.delete(key);
      this.#kept.set(key, { wrong, last: now, until: now + wait });
    }
    for (const key of this.#kept.keys()) {
      if (this.#kept.size <= mostKept) break;
      this.#kept.delete(key);
    }
  }

  /** Takes back what `wrong` counted: it was right. */
  right(account: string, address: string): void {
    for (const [key, allowed] of keysOf(account, address)) {
      const kept = this.#kept.get(key);
      if (kept === undefined) continue;
      kept.wrong = allowed === free.pair ? 0 : kept.wrong - 1;
      if (kept.wrong < allowed) kept.until = 0;
      if (kept.wrong === 0) this.#kept.delete(key);
    }
  }
}

function keysOf(account: string, address: string): (readonly [string, number])[] {
  return [
    [`both ${address} ${account}`, free.pair],
    [`account ${account}`, free.account],
    [`address ${address}`, free.address],
  ];
}
