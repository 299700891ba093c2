import { join } from 'node:path';
import { fail, type Fault, ok, type Result } from '#contracts/result.ts';
import type { WallTime } from '#contracts/units.ts';
import type { Children, Tool } from '#runtime/child.ts';
import type { Clock } from '#runtime/clock.ts';
import { floorFile, readFloor } from './floor-file.ts';

const date: Tool = { name: 'date', package: 'coreutils' };

export interface RaiseParts {
  /** Folder of the state of the uplink. */
  readonly state: string;
  readonly built: WallTime;
  readonly clock: Clock;
  readonly children: Children;
  /** Only say what would be done. */
  readonly onlyCheck: boolean;
}

export interface Raised {
  readonly floor: WallTime;
  /** What the clock said before. */
  readonly clock: WallTime;
  /** `stands`: it is not below the floor; `below`: it is, and only that was asked; `raised`: it was, and was set. */
  readonly result: 'stands' | 'below' | 'raised';
  /** Why the floor could not be read; the time of building was taken then. */
  readonly fault: Fault | undefined;
}

/** Sets the machine's clock up to the floor where it stands below. Faults: TIME_FLOOR_FAILED, TOOL_MISSING. */
export async function raiseClock(parts: RaiseParts): Promise<Result<Raised>> {
  const { floor, fault } = readFloor(join(parts.state, floorFile), parts.built);
  const now = parts.clock.wall();
  const say = (result: Raised['result']): Result<Raised> => ok({ floor, clock: now, result, fault });
  if (now >= floor) return say('stands');
  if (parts.onlyCheck) return say('below');
  // A program, since Node cannot set a clock; seconds are enough, and never below.
  const set = await parts.children.run(date, ['--utc', `--set=@${Math.ceil(floor / 1000)}`]);
  if (set.ok) return say('raised');
  if (set.fault.code === 'TOOL_MISSING') return set;
  const rights = /not permitted/i.test(set.fault.detail) ? ' It needs the capability CAP_SYS_TIME.' : '';
  return fail('TIME_FLOOR_FAILED', `The clock was not set: ${set.fault.detail}${rights}`, set.fault.cause);
}
