import { fail, ok, type Result } from '#contracts/result.ts';
import { UplinkRequest } from '#contracts/uplink.ts';
import { parseValue } from '#runtime/parse.ts';

const code = 'UPLINK_REQUEST_INVALID';
const schemas = new Map<string, (typeof UplinkRequest.anyOf)[number]>(
  UplinkRequest.anyOf.map((schema) => [schema.properties.verb.const, schema]),
);
const verbs = [...schemas.keys()].join(', ');

/** A line that was read: the number to answer to, 0 where it has none, and what is asked. */
export interface ReadRequest {
  readonly id: number;
  readonly request: Result<UplinkRequest>;
}

/** Reads one line of the control socket. Whatever it holds, the fault says what is wrong and never what was found. */
export function readRequest(line: string): ReadRequest {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { id: 0, request: fail(code, 'The line is not JSON.') };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { id: 0, request: fail(code, 'The line is not a JSON object.') };
  const id = idOf(member(value, 'id'));
  const verb = member(value, 'verb');
  // Only the form of the verb asked for is compared with, so that the fault speaks of that one and not of seven.
  const schema = typeof verb === 'string' ? schemas.get(verb) : undefined;
  if (schema === undefined) return { id, request: fail(code, `The verb is none of ${verbs}.`) };
  const parsed = parseValue(schema, value, code);
  if (!parsed.ok) return { id, request: parsed };
  if (parsed.value.verb === 'prefer' && !isPreference(parsed.value))
    return { id, request: fail(code, 'prefer wants an uplink, a hub or both, or auto alone.') };
  return { id, request: ok(parsed.value) };
}

function isPreference({ uplink, hub, auto }: Extract<UplinkRequest, { verb: 'prefer' }>): boolean {
  return (auto === true) !== (uplink !== undefined || hub !== undefined);
}

function member(value: object, name: string): unknown {
  return Object.hasOwn(value, name) ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}

function idOf(id: unknown): number {
  return typeof id === 'number' && Number.isSafeInteger(id) && id >= 1 ? id : 0;
}
