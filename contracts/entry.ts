import Type, { type Static } from 'typebox';
import { DocumentTypeName } from './documents.ts';

/** A document that an officer types: for those that no reader can read. */

/** What an officer types where no reader can read the document. */
export const EntryRequest = Type.Union([
  Type.Object(
    {
      kind: Type.Literal('number'),
      documentType: DocumentTypeName,
      issuingState: Type.String({ maxLength: 8 }),
      documentNumber: Type.String({ maxLength: 40 }),
      /** The check digit behind the number, or empty where there is none to see. */
      checkDigit: Type.String({ maxLength: 2 }),
    },
    { additionalProperties: false },
  ),
  Type.Object(
    {
      kind: Type.Literal('line'),
      documentType: DocumentTypeName,
      /** From the other line; the line of a card of three lines holds it itself, and this is then not looked at. */
      issuingState: Type.String({ maxLength: 8 }),
      /** The line that holds the number: 44, 36 or 30 characters. */
      line: Type.String({ maxLength: 64 }),
    },
    { additionalProperties: false },
  ),
]);
export type EntryRequest = Static<typeof EntryRequest>;

/** `POST /api/entries/check` says of what is being typed (an `EntryRequest`) how it stands; nothing is searched. */
export const EntryCheck = Type.Object(
  {
    /** Enough to be searched. */
    ready: Type.Boolean(),
    /** What is still wrong, in the order of the fields; empty where `ready`. */
    problems: Type.Array(
      Type.Object(
        {
          field: Type.Union([
            Type.Literal('state'),
            Type.Literal('number'),
            Type.Literal('digit'),
            Type.Literal('line'),
          ]),
          problem: Type.Union([
            Type.Literal('missing'),
            Type.Literal('characters'),
            Type.Literal('length'),
            Type.Literal('not-read'),
          ]),
          /** For `length`: how many characters are there and how many are wanted. */
          found: Type.Optional(Type.Integer({ minimum: 0 })),
          wanted: Type.Optional(Type.Array(Type.Integer({ minimum: 1 }))),
        },
        { additionalProperties: false },
      ),
    ),
    /** What the typed line says, field by field, with whether its check digit holds; null where it has none. */
    parts: Type.Array(
      Type.Object(
        {
          part: Type.Union([
            Type.Literal('number'),
            Type.Literal('birth'),
            Type.Literal('expiry'),
            Type.Literal('optional'),
            Type.Literal('composite'),
          ]),
          value: Type.String({ maxLength: 44 }),
          holds: Type.Union([Type.Boolean(), Type.Null()]),
        },
        { additionalProperties: false },
      ),
    ),
    /** The state is on the list of those that issue documents; a warning only. */
    stateListed: Type.Boolean(),
  },
  { additionalProperties: false },
);
export type EntryCheck = Static<typeof EntryCheck>;

/** `POST /api/entries` searches for what was typed; its lookup comes by the stream like any other. */
export const EntryAccepted = Type.Object({ accepted: Type.Literal(true) }, { additionalProperties: false });
