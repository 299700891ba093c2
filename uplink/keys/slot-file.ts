import { readFileSync } from 'node:fs';
import Type, { type Static } from 'typebox';
import { Instant } from '#contracts/names.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { wireguardKeyPattern } from '#contracts/settings/uplink.ts';
import { replaceFile } from '#runtime/durable-file.ts';
import { systemCode } from '#runtime/errors.ts';
import { parseJson } from '#runtime/parse.ts';

const generation = Type.Integer({ minimum: 1, maximum: 1_000_000_000 });

/**
 * Which key of a slot is in force. Keys lie in files of their own, numbered, written once and never changed: so this
 * small file alone decides, and replacing it is one step that a power cut cannot halve.
 */
export const SlotFile = Type.Object(
  {
    v: Type.Literal(1),
    /** Public key of the enrolment that the rotated keys follow; null for a probe, whose first key is made here. */
    enrolment: Type.Union([Type.Null(), Type.String({ pattern: wireguardKeyPattern })]),
    /** null: the key of the enrolment. */
    current: Type.Union([Type.Null(), generation]),
    next: Type.Union([Type.Null(), generation]),
    /** Whether every hub was told of `next`: from then on each takes both keys, or only the new one. */
    offered: Type.Boolean(),
    /** The one that the interface was given last. */
    applied: Type.Union([Type.Literal('current'), Type.Literal('next')]),
    /** When `current` came into force, by a clock that may have been wrong. */
    since: Type.Union([Type.Null(), Instant]),
  },
  { additionalProperties: false },
);
export type SlotFile = Static<typeof SlotFile>;

/** undefined where there is none. Faults: CREDENTIAL_UNREADABLE. */
export function readSlotFile(file: string): Result<SlotFile> | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const code = systemCode(cause);
    if (code === 'ENOENT') return undefined;
    return fail('CREDENTIAL_UNREADABLE', `${file}: ${code ?? 'cannot be read'}`, cause);
  }
  const parsed = parseJson(SlotFile, text, 'CREDENTIAL_UNREADABLE');
  if (!parsed.ok) return fail(parsed.fault.code, `${file}: ${parsed.fault.detail}`, parsed.fault.cause);
  if (parsed.value.applied === 'next' && parsed.value.next === null)
    return fail('CREDENTIAL_UNREADABLE', `${file}: names a new key in use that is not there`);
  return ok(parsed.value);
}

export function writeSlotFile(file: string, slot: SlotFile): Promise<Result<void>> {
  return replaceFile(file, Buffer.from(`${JSON.stringify(slot)}\n`), 0o600);
}
