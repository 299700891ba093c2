import type { Static, TSchema } from 'typebox';
import { Check, Default, Errors } from 'typebox/value';
import type { ErrorCode } from '#contracts/errors.ts';
import { fail, ok, type Result } from '#contracts/result.ts';

/**
 * Parses JSON from an edge (a message, a request, a file) by its schema. The fault names the places and what is
 * allowed there, never the values found, which may be personal data.
 */
export function parseJson<S extends TSchema>(schema: S, text: string, code: ErrorCode): Result<Static<S>> {
  const value = readJson(text, code);
  return value.ok ? parseValue(schema, value.value, code) : value;
}

/** As `parseJson`; what is left out and has a default takes it. For what people write by hand. */
export function parseJsonFilled<S extends TSchema>(
  schema: S,
  text: string,
  code: ErrorCode,
): Result<Static<S>> {
  const value = readJson(text, code);
  return value.ok ? parseValue(schema, Default(schema, value.value), code) : value;
}

function readJson(text: string, code: ErrorCode): Result<unknown> {
  try {
    return ok(JSON.parse(text));
  } catch (cause) {
    return fail(code, 'It is not JSON.', cause);
  }
}

export function parseValue<S extends TSchema>(schema: S, value: unknown, code: ErrorCode): Result<Static<S>> {
  if (Check(schema, value)) return ok(value);
  const places = Errors(schema, value)
    .slice(0, 5)
    .map((error) => `${error.instancePath === '' ? 'the whole' : error.instancePath} ${error.message}`);
  return fail(code, `${places.join('; ')}.`);
}
