import type { Seconds, WallTime } from '#contracts/units.ts';
import { hubOf, type Slot } from '../keys/slots.ts';

/** What the plan must know of a slot. */
export interface SlotAge {
  readonly slot: Slot;
  /** When its key came into force; null where nobody knows. */
  readonly since: WallTime | null;
  /** Whether a new key is on its way already. */
  readonly begun: boolean;
}

/**
 * The slots whose key is due, in the order in which they are to be changed: what was begun first, then the probes, then
 * the tunnels, that of the hub that carries last, so that the traffic can be moved away from it before. Pure.
 *
 * A clock that is behind the date of the key says nothing about its age: then it is not due.
 */
export function planRotation(
  slots: readonly SlotAge[],
  now: WallTime,
  { rotateAfter, carrying }: { readonly rotateAfter: Seconds; readonly carrying: string | null },
): readonly Slot[] {
  const old = ({ since }: SlotAge): boolean =>
    rotateAfter > 0 && (since === null || now - since >= rotateAfter * 1000);
  return slots
    .filter((one) => one.begun || old(one))
    .map((one) => ({ ...one, rank: rankOf(one, carrying) }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ slot }) => slot);
}

function rankOf({ slot, begun }: SlotAge, carrying: string | null): number {
  const hub = hubOf(slot);
  const ofCarrier = hub !== undefined && hub === carrying;
  if (begun && !ofCarrier) return 0;
  if (hub === undefined) return 1;
  return ofCarrier ? 3 : 2;
}
