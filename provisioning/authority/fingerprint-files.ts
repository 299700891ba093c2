import type { Static } from 'typebox';
import { NamedSecretText } from '#contracts/enrolment.ts';
import { toError } from '#runtime/errors.ts';
import { parseJson } from '#runtime/parse.ts';
import { readOptional, readText } from '../files.ts';
import type { AuthorityFiles } from './layout.ts';

export type Secret = Static<typeof NamedSecretText>;

/** A secret of the bureau from its file. Throws FILE_REFUSED, or CREDENTIAL_UNREADABLE with the file's name. */
export function readSecret(path: string): Secret {
  return parseSecret(path, readText(path));
}

/** The same; undefined where there is no such file. */
export function readOptionalSecret(path: string): Secret | undefined {
  const text = readOptional(path);
  return text === undefined ? undefined : parseSecret(path, text);
}

/**
 * The key that editions were made with when the present one was made: until the first edition of the present key is out,
 * a terminal that is enrolled needs both.
 */
export function keyBefore(files: AuthorityFiles, present: Secret): Secret | undefined {
  const before = readOptionalSecret(files.fingerprintBefore);
  return before?.id === present.id ? undefined : before;
}

function parseSecret(path: string, text: string): Secret {
  const parsed = parseJson(NamedSecretText, text, 'CREDENTIAL_UNREADABLE');
  if (!parsed.ok) throw toError({ ...parsed.fault, detail: `${path}: ${parsed.fault.detail}` });
  return parsed.value;
}
