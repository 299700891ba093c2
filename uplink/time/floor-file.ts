import { readFileSync } from 'node:fs';
import Type from 'typebox';
import { Instant } from '#contracts/names.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { type WallTime, wall } from '#contracts/units.ts';
import { instant } from '#runtime/clock.ts';
import { replaceFile } from '#runtime/durable-file.ts';
import { systemCode } from '#runtime/errors.ts';
import { parseJson } from '#runtime/parse.ts';

/** The last verified time, as it lies in the state folder. */
const FloorFile = Type.Object(
  { v: Type.Literal(1), at: Instant, boot: Type.String({ maxLength: 64 }) },
  { additionalProperties: false },
);

/** Name of the file in the state folder. */
export const floorFile = 'time-floor.json';

/** So long after it was built a program may still run; what claims to be later is wrong. */
const tenYears = 10 * 365.25 * 86_400_000;

/** Whether a time can be: not before the program was built, and not more than ten years after it. */
export function isPlausible(at: WallTime, built: WallTime): boolean {
  return at >= built && at <= built + tenYears;
}

/**
 * The least that now can be: what the file says, or the time at which the program was built where there is no file.
 * A file that is damaged, or says what cannot be, counts as none, and is told: `fault` is TIME_FLOOR_FAILED then.
 */
export function readFloor(
  file: string,
  built: WallTime,
): { readonly floor: WallTime; readonly fault?: Extract<Result<never>, { ok: false }>['fault'] } {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const code = systemCode(cause);
    if (code === 'ENOENT') return { floor: built };
    return { floor: built, ...fail('TIME_FLOOR_FAILED', `${file}: ${code ?? 'cannot be read'}`, cause) };
  }
  const read = parseJson(FloorFile, text, 'TIME_FLOOR_FAILED');
  if (!read.ok) return { floor: built, fault: { ...read.fault, detail: `${file}: ${read.fault.detail}` } };
  const at = wall(Date.parse(read.value.at));
  if (Number.isNaN(at) || at > built + tenYears) {
    const detail = `${file}: ${read.value.at} is more than ten years after this program was built`;
    return { floor: built, ...fail('TIME_FLOOR_FAILED', detail) };
  }
  return { floor: wall(Math.max(at, built)) };
}

/** Fault: TIME_FLOOR_FAILED. */
export async function writeFloor(file: string, at: WallTime, boot: string): Promise<Result<void>> {
  const text = `${JSON.stringify({ v: 1, at: instant(at), boot })}\n`;
  const written = await replaceFile(file, Buffer.from(text), 0o600);
  return written.ok ? ok(undefined) : fail('TIME_FLOOR_FAILED', written.fault.detail, written.fault.cause);
}
