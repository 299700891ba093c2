import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Type from 'typebox';
import { Instant, TerminalId } from '#contracts/names.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { type WallTime, wall } from '#contracts/units.ts';
import { openEnvelope, type TrustedKey } from '#formats/envelope.ts';
import { replaceFile } from '#runtime/durable-file.ts';
import { systemCode } from '#runtime/errors.ts';
import { parseJson } from '#runtime/parse.ts';

/** Payload type of a signed order that sets the floor of the clock; key role `configuration`. */
export const timeResetType = 'application/vnd.checkpost.time.v1+json';

const version = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
const ResetPayload = Type.Object(
  { v: Type.Literal(1), terminal: TerminalId, at: Instant, version },
  { additionalProperties: false },
);
const VersionFile = Type.Object({ v: Type.Literal(1), version }, { additionalProperties: false });

export interface ResetExpected {
  readonly trusted: readonly TrustedKey[];
  readonly terminal: string;
  /** The highest version obeyed so far; 0 where there was none. */
  readonly after: number;
}

/** Opens a signed order for the floor. Faults: SIGNATURE_REFUSED, ENVELOPE_INVALID, TIME_FLOOR_FAILED. */
export function openReset(
  envelope: unknown,
  { trusted, terminal, after }: ResetExpected,
): Result<{ readonly at: WallTime; readonly version: number }> {
  const opened = openEnvelope(envelope, { payloadType: timeResetType, role: 'configuration', trusted });
  if (!opened.ok) return opened;
  const order = parseJson(ResetPayload, opened.value.payload.toString('utf8'), 'ENVELOPE_INVALID');
  if (!order.ok) return order;
  const { value } = order;
  if (value.terminal !== terminal)
    return fail('TIME_FLOOR_FAILED', `The order is for ${value.terminal}, not for ${terminal}.`);
  if (value.version <= after)
    return fail('TIME_FLOOR_FAILED', `The order has version ${value.version}; ${after} was obeyed already.`);
  const at = Date.parse(value.at);
  if (Number.isNaN(at)) return fail('ENVELOPE_INVALID', `${value.at} is no instant.`);
  return ok({ at: wall(at), version: value.version });
}

const nameOf = (state: string): string => join(state, 'time-reset.json');

/**
 * The highest version that was obeyed, in a file of its own, so that a floor that is damaged does not make old orders
 * good again. Fault: TIME_FLOOR_FAILED where it cannot be read: no order is obeyed then.
 */
export function readResetVersion(state: string): Result<number> {
  const file = nameOf(state);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return ok(0);
    return fail('TIME_FLOOR_FAILED', `${file}: ${systemCode(cause) ?? 'cannot be read'}`, cause);
  }
  const read = parseJson(VersionFile, text, 'TIME_FLOOR_FAILED');
  if (read.ok) return ok(read.value.version);
  return fail('TIME_FLOOR_FAILED', `${file} is damaged; remove it to let a signed order reset the time.`);
}

/** Fault: TIME_FLOOR_FAILED. */
export async function writeResetVersion(state: string, version: number): Promise<Result<void>> {
  const text = `${JSON.stringify({ v: 1, version })}\n`;
  const written = await replaceFile(nameOf(state), Buffer.from(text), 0o600);
  return written.ok ? ok(undefined) : fail('TIME_FLOOR_FAILED', written.fault.detail, written.fault.cause);
}
