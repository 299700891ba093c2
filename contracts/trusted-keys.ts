import Type, { type Static } from 'typebox';

/** A key or certificate as text, RFC 7468. */
export const Pem = Type.String({ pattern: '^-----BEGIN [A-Z ]+-----', maxLength: 16_384 });

/** `trusted.json`: the public keys that are believed, each for one role (`TrustedKeyFile` of formats/envelope.ts). */
export const TrustedKeys = Type.Object(
  {
    keys: Type.Array(
      Type.Object(
        {
          id: Type.String({ minLength: 1, maxLength: 64 }),
          role: Type.Union([
            Type.Literal('configuration'),
            Type.Literal('commands'),
            Type.Literal('editions'),
            Type.Literal('releases'),
            Type.Literal('enrolment'),
          ]),
          publicKey: Pem,
        },
        { additionalProperties: false },
      ),
      { maxItems: 64 },
    ),
  },
  { additionalProperties: false },
);
export type TrustedKeys = Static<typeof TrustedKeys>;
