import Type, { type Static } from 'typebox';
import { WrappedSecret } from './enrolment.ts';
import { TerminalId } from './names.ts';

/**
 * `keys/TERMINAL.json` in a repository of editions: the bureau's newest fingerprint keys for one terminal, each wrapped
 * to the key that the terminal has kept since its enrolment. It is the payload of a signed envelope of this type, by the
 * key of the role `editions`. Whoever else reads it learns nothing.
 */
export const fingerprintKeysType = 'application/vnd.checkpost.fingerprint-keys.v1+json';

/** Longer ones are not read. */
export const fingerprintKeysBytes = 16_384;

export const FingerprintKeys = Type.Object(
  {
    v: Type.Literal(1),
    terminal: TerminalId,
    /** Newest first; each seals a `NamedSecretText` of the same id. */
    keys: Type.Array(
      Type.Object(
        { id: Type.String({ pattern: '^[A-Za-z0-9._-]{1,62}$' }), wrapped: WrappedSecret },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: 8 },
    ),
  },
  { additionalProperties: false },
);
export type FingerprintKeys = Static<typeof FingerprintKeys>;

/** Folder of a repository that holds them. */
export const fingerprintKeysFolder = 'keys';

/** Where the keys of a terminal lie below the repository's address. */
export function fingerprintKeysPath(terminal: string): string {
  return `${fingerprintKeysFolder}/${terminal}.json`;
}

/** What a wrapped key is bound to: neither another terminal's nor another key can stand in its place. */
export function fingerprintKeyContext(terminal: string, key: string): string {
  return `fingerprint key ${terminal} ${key}`;
}
