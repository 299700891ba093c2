import Type, { type Static } from 'typebox';
import { DocumentTypeName, UnreadableReason, UnreadableSpot } from './documents.ts';
import { BureauCode, CollectionName, Day, Instant } from './names.ts';

/** The answer to a lookup, always with who answered and how old that answer's knowledge is. */

export const Basis = Type.Union([Type.Literal('central'), Type.Literal('edition'), Type.Literal('cache')], {
  description: 'Who answered: the centre, the offline copy, or a recent answer of the centre',
});
export type Basis = Static<typeof Basis>;

/** One version of a collection, as the centre or an edition states it. */
export const CollectionState = Type.Object(
  {
    collection: CollectionName,
    version: Type.Integer({ minimum: 0, description: 'Version of the collection; higher is newer' }),
    date: Instant,
    count: Type.Integer({ minimum: 0, description: 'Records in this version' }),
  },
  { additionalProperties: false },
);
export type CollectionState = Static<typeof CollectionState>;

export const KindOfLoss = Type.Union([
  Type.Literal('stolen'),
  Type.Literal('lost'),
  Type.Literal('revoked'),
  Type.Literal('invalid'),
  Type.Literal('stolen-blank'),
]);
export type KindOfLoss = Static<typeof KindOfLoss>;

/** What is known of a matching record; an edition knows less than the centre. */
export const MatchedRecord = Type.Object(
  {
    documentType: DocumentTypeName,
    kindOfLoss: KindOfLoss,
    reportedOn: Day,
    reportedBy: BureauCode,
    record: Type.Optional(Type.String({ maxLength: 64, description: "The publisher's id of the record" })),
    lostOn: Type.Optional(Day),
    reference: Type.Optional(Type.String({ maxLength: 64, description: 'National reference' })),
    remark: Type.Optional(Type.String({ maxLength: 500 })),
  },
  { additionalProperties: false },
);
export type MatchedRecord = Static<typeof MatchedRecord>;

/** Why a match is only possible: the record's number is a look-alike, or it is filed under another type. */
export const MatchKind = Type.Union([
  Type.Literal('exact'),
  Type.Literal('variant'),
  Type.Literal('other-type'),
]);
export type MatchKind = Static<typeof MatchKind>;

/** A record that matches, and how. `number` is the number that matched, where it is not the one read. */
export const Match = Type.Object(
  {
    kind: MatchKind,
    number: Type.Optional(Type.String({ pattern: '^[A-Z0-9]{1,27}$' })),
    record: MatchedRecord,
  },
  { additionalProperties: false },
);
export type Match = Static<typeof Match>;

/** Why nobody could answer. */
export const UnresolvedReason = Type.Union([
  Type.Literal('no-basis'),
  Type.Literal('edition-too-old'),
  /** Part of the offline copy could not be read as it was written. */
  Type.Literal('edition-damaged'),
  Type.Literal('clock-unverified'),
  Type.Literal('central-stale'),
  Type.Literal('not-recorded'),
  Type.Literal('not-searchable'),
  /** Nothing is recorded under the number as read, but it may be another number: a check digit does not hold. */
  Type.Literal('number-doubtful'),
]);
export type UnresolvedReason = Static<typeof UnresolvedReason>;

/**
 * Age of the basis' knowledge in seconds when the verdict was made. `at-least` where the clock was not verified in
 * this boot: then it is a lower bound (DESIGN.md section 2, number 11).
 */
export const Age = Type.Object(
  {
    seconds: Type.Integer({ minimum: 0 }),
    bound: Type.Union([Type.Literal('exact'), Type.Literal('at-least')]),
  },
  { additionalProperties: false },
);
export type Age = Static<typeof Age>;

const answered = { basis: Basis, source: CollectionState, age: Age };
/** False only where recording failed and the verdict is shown all the same: a hit, or doubt. */
const recorded = { recorded: Type.Boolean() };

export const Verdict = Type.Union([
  Type.Object(
    { kind: Type.Literal('hit'), ...answered, matches: Type.Array(Match, { minItems: 1 }), ...recorded },
    { additionalProperties: false },
  ),
  Type.Object(
    { kind: Type.Literal('possible'), ...answered, matches: Type.Array(Match, { minItems: 1 }), ...recorded },
    { additionalProperties: false },
  ),
  Type.Object({ kind: Type.Literal('no-record'), ...answered, ...recorded }, { additionalProperties: false }),
  Type.Object(
    { kind: Type.Literal('unresolved'), reason: UnresolvedReason, age: Type.Optional(Age), ...recorded },
    { additionalProperties: false },
  ),
  Type.Object(
    {
      kind: Type.Literal('unreadable'),
      reason: UnreadableReason,
      spots: Type.Array(UnreadableSpot),
      ...recorded,
    },
    { additionalProperties: false },
  ),
]);
export type Verdict = Static<typeof Verdict>;
export type VerdictKind = Verdict['kind'];

export const VerdictKindName = Type.Union([
  Type.Literal('hit'),
  Type.Literal('possible'),
  Type.Literal('no-record'),
  Type.Literal('unresolved'),
  Type.Literal('unreadable'),
]);
