import { statSync } from 'node:fs';
import { fail, ok, type Result } from '#contracts/result.ts';
import { type WallTime, wall } from '#contracts/units.ts';
import { systemCode } from './errors.ts';

/** When the program was built: when its file was last changed. Fault: TIME_FLOOR_FAILED. */
export function builtAt(program: string): Result<WallTime> {
  try {
    return ok(wall(Math.floor(statSync(program).mtimeMs)));
  } catch (cause) {
    return fail('TIME_FLOOR_FAILED', `${program}: ${systemCode(cause) ?? 'cannot be read'}`, cause);
  }
}
