import Type from 'typebox';
import { Check } from 'typebox/value';
import { fail, ok, type Result } from '#contracts/result.ts';

/**
 * What the kernel knows of a neighbour: the states of NUD in ip-neighbour(8), by what they say of the router.
 * `answers`: heard of lately (REACHABLE, PERMANENT, NOARP); `unknown`: not asked lately, or being asked (STALE, DELAY,
 * PROBE, NONE, or no entry); `silent`: asked and not answered (INCOMPLETE, FAILED).
 */
export type NeighbourState = 'answers' | 'unknown' | 'silent';

export interface Neighbour {
  readonly address: string;
  readonly device: string;
  readonly state: NeighbourState;
}

const meaning: Readonly<Record<string, NeighbourState>> = {
  REACHABLE: 'answers',
  PERMANENT: 'answers',
  NOARP: 'answers',
  STALE: 'unknown',
  DELAY: 'unknown',
  PROBE: 'unknown',
  NONE: 'unknown',
  INCOMPLETE: 'silent',
  FAILED: 'silent',
};

const Entry = Type.Object({
  dst: Type.String({ minLength: 2, maxLength: 45 }),
  dev: Type.String({ minLength: 1, maxLength: 15 }),
  state: Type.Array(Type.String({ maxLength: 32 }), { maxItems: 4 }),
});

/**
 * Parses what `ip -json neigh` prints. An entry that is not understood is passed over: other versions of ip may know
 * more kinds. Fault: TOOL_FAILED where the whole is not a list.
 */
export function parseNeighbours(text: string): Result<readonly Neighbour[]> {
  // ip prints nothing at all, or an empty list, where there are no neighbours.
  if (text.trim() === '') return ok([]);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    return fail('TOOL_FAILED', 'ip printed neighbours that are not JSON.', cause);
  }
  if (!Array.isArray(value)) return fail('TOOL_FAILED', 'ip printed neighbours that are not a list.');
  return ok(
    value.flatMap((entry: unknown) => {
      if (!Check(Entry, entry)) return [];
      const state = entry.state.map((word) => meaning[word]).find((found) => found !== undefined);
      return state === undefined ? [] : [{ address: entry.dst.toLowerCase(), device: entry.dev, state }];
    }),
  );
}

/** The state of one neighbour; one that is not in the list is `unknown`: nobody has asked for it yet. */
export function neighbourState(
  neighbours: readonly Neighbour[],
  device: string,
  address: string,
): NeighbourState {
  const found = neighbours.find((one) => one.device === device && one.address === address.toLowerCase());
  return found?.state ?? 'unknown';
}
