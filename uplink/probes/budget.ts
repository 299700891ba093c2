import Type, { type Static } from 'typebox';
import type { MonotonicTime } from '#contracts/units.ts';
import { movedSince } from './device-counter.ts';

/**
 * What a small probe costs on a line that was silent before: handshake, echo, reply, keepalive. In bytes, as a device
 * counts them that has headers of Ethernet (14 of each packet); others count 572.
 */
export const smallProbeCost = 642;
/** What a probe of full size costs, there and back: 2988 with headers of Ethernet. In bytes. */
export const fullProbeCost = 3000;

const days = 86_400_000;
/**
 * The budget is for any 30 days, and a day's worth may be spent at once. With a 32nd of it a day, both together leave a
 * share over for what a probe costs beyond its estimate where nothing answers: a handshake is tried for 90 s.
 */
const shares = 32;
/** A probe whose bytes are not on the counter by then never cost them. In ms. */
const longestReserve = 15_000;

/** What is kept over a restart. */
export const SavedBudget = Type.Object(
  {
    level: Type.Number({ description: 'Bytes that may be spent now; negative where too many were' }),
    counter: Type.Union([
      Type.Null(),
      Type.Number({ minimum: 0, description: 'Counter of the device, bytes' }),
    ]),
  },
  { additionalProperties: false },
);
export type SavedBudget = Static<typeof SavedBudget>;

/** What a metered uplink may still cost while it stands by: a token bucket. Plain data. */
export interface Budget {
  readonly level: number;
  readonly counter: number | undefined;
  readonly at: MonotonicTime;
  /** Promised to probes whose bytes are not on the counter yet. */
  readonly reserved: number;
  readonly reservedAt: MonotonicTime;
}

export interface BudgetReading {
  readonly at: MonotonicTime;
  /** Bytes that the device has received and sent; undefined where it is not there. */
  readonly counter: number | undefined;
  /** Whether it stands by; what it moves while it carries is no cost of standing by. */
  readonly standsBy: boolean;
  /** Whether nothing else works: the bucket then fills at twice the rate. */
  readonly doubled: boolean;
}

const burstOf = (bytesPerMonth: number): number => bytesPerMonth / shares;

/** Begins with a day's worth, or with what was left before. Time that was not watched fills nothing. */
export function openBudget(saved: SavedBudget | undefined, bytesPerMonth: number, at: MonotonicTime): Budget {
  const burst = burstOf(bytesPerMonth);
  const level = Math.min(saved?.level ?? burst, burst);
  return { level, counter: saved?.counter ?? undefined, at, reserved: 0, reservedAt: at };
}

export const saveBudget = ({ level, counter }: Budget): SavedBudget => ({ level, counter: counter ?? null });

/** Takes what the device really moved, and fills up for the time that has passed. */
export function readBudget(budget: Budget, reading: BudgetReading, bytesPerMonth: number): Budget {
  const { at, counter, standsBy, doubled } = reading;
  const burst = burstOf(bytesPerMonth);
  const filled = ((at - budget.at) / days) * burst * (doubled ? 2 : 1);
  const moved = counter === undefined ? 0 : movedSince(budget.counter, counter);
  const cost = standsBy ? moved : 0;
  const expired = at - budget.reservedAt >= longestReserve;
  return {
    // A debt of a month at most, so that one mishap does not silence an uplink for a year.
    level: Math.max(Math.min(budget.level + filled, burst) - cost, -bytesPerMonth),
    counter: counter ?? budget.counter,
    at,
    reserved: expired ? 0 : Math.max(0, budget.reserved - cost),
    reservedAt: budget.reservedAt,
  };
}

/** Bytes that may be spent on probes now. */
export const budgetLeft = ({ level, reserved }: Budget): number => level - reserved;

/** A probe of that cost goes out; what it really costs is read from the device. */
export function reserve(budget: Budget, cost: number, at: MonotonicTime): Budget {
  return { ...budget, reserved: budget.reserved + cost, reservedAt: at };
}

/** In how many ms there is enough for a probe of that cost, at the everyday rate. */
export function millisUntil(budget: Budget, cost: number, bytesPerMonth: number): number {
  return (Math.max(0, cost - budgetLeft(budget)) / burstOf(bytesPerMonth)) * days;
}
