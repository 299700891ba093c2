import Type, { type Static } from 'typebox';
import { DocumentFormat, DocumentTypeName, DocumentWarning, PartialRead } from './documents.ts';
import { ReaderState } from './health.ts';
import { ClockState, Instant, ReaderId, Uuid } from './names.ts';
import { HitOutcome, OfficerName } from './outbox.ts';
import { Age, CollectionState, Verdict } from './verdict.ts';

/**
 * What the agent tells the officer's page: `GET /api/events` is a stream of server-sent events, each one `event:` of
 * the names below with its JSON as `data:`. On connecting, the page is sent one `terminal` and then every open lookup
 * and the latest ones, so that a page that was away has missed nothing.
 */

/** What may be shown of the document. The number is whole on the big verdict only; lists show it masked. */
export const ShownDocument = Type.Object(
  {
    format: DocumentFormat,
    documentType: DocumentTypeName,
    documentCode: Type.String(),
    issuingState: Type.String(),
    documentNumber: Type.String(),
    expiry: Type.Optional(Type.String()),
    /** Places in the number, from 0, whose characters are in doubt. */
    doubtful: Type.Optional(Type.Array(Type.Integer({ minimum: 0 }))),
    /** How many characters were put right before the document was understood; the number is never among them. */
    repairs: Type.Optional(Type.Integer({ minimum: 1 })),
  },
  { additionalProperties: false },
);
export type ShownDocument = Static<typeof ShownDocument>;

/** Whether the centre was asked to confirm a local hit, and what it said. */
export const Confirmation = Type.Union([
  Type.Literal('not-needed'),
  Type.Literal('asked'),
  Type.Literal('agrees'),
  Type.Literal('disagrees'),
  Type.Literal('no-answer'),
]);
export type Confirmation = Static<typeof Confirmation>;

/** Event `lookup`: a lookup's present state; a later one with the same id replaces it. */
export const LookupView = Type.Object(
  {
    lookup: Uuid,
    at: Instant,
    clock: ClockState,
    reader: ReaderId,
    officer: OfficerName,
    training: Type.Boolean(),
    /** `searching` is neutral: the centre is being asked. `final` has a verdict, which may still be amended upward. */
    phase: Type.Union([Type.Literal('searching'), Type.Literal('final')]),
    document: Type.Union([Type.Null(), ShownDocument]),
    warnings: Type.Array(DocumentWarning),
    /** How often the document was on a reader: more than once where it came again within moments, which is shown anew. */
    presented: Type.Optional(Type.Integer({ minimum: 2 })),
    /** Of an unreadable document: what was read of the number's line. */
    partial: Type.Optional(PartialRead),
    verdict: Type.Union([Type.Null(), Verdict]),
    confirmation: Confirmation,
    late: Type.Boolean(),
    acknowledged: Type.Union([
      Type.Null(),
      Type.Object(
        { at: Instant, officer: OfficerName, outcome: HitOutcome },
        { additionalProperties: false },
      ),
    ]),
    /** Milliseconds from the last byte of the frame to this event. */
    elapsedMillis: Type.Number({ minimum: 0 }),
  },
  { additionalProperties: false },
);
export type LookupView = Static<typeof LookupView>;

/** Event `terminal`: what stands in the page's status line at all times. */
export const TerminalView = Type.Object(
  {
    terminal: Type.String(),
    site: Type.String(),
    demo: Type.Boolean(),
    clock: ClockState,
    time: Instant,
    link: Type.Union([Type.Literal('up'), Type.Literal('down'), Type.Literal('unknown')]),
    readers: Type.Array(
      Type.Object(
        {
          id: ReaderId,
          state: ReaderState,
          /** Whether it reads when it is told to: `POST /api/readers/{id}/trigger`. */
          trigger: Type.Boolean(),
          /** What it says about itself, and where it stands, where that is not what the settings say. */
          about: Type.Optional(Type.String({ maxLength: 200 })),
        },
        { additionalProperties: false },
      ),
    ),
    edition: Type.Union([
      Type.Null(),
      Type.Object(
        {
          source: CollectionState,
          age: Age,
          tooOld: Type.Boolean(),
          /** Past the limit at which officer and centre are warned, but still believed. */
          aging: Type.Boolean(),
          /** Part of it cannot be read: what is in that part is `unresolved`. */
          damaged: Type.Boolean(),
        },
        { additionalProperties: false },
      ),
    ]),
    owed: Type.Integer({ minimum: 0 }),
  },
  { additionalProperties: false },
);
export type TerminalView = Static<typeof TerminalView>;

/** `POST /api/lookups/{lookup}/acknowledge`. */
export const AcknowledgeRequest = Type.Object({ outcome: HitOutcome }, { additionalProperties: false });
export type AcknowledgeRequest = Static<typeof AcknowledgeRequest>;
