import Type, { type Static } from 'typebox';
import { DocumentTypeName } from './documents.ts';
import { CollectionName, Instant, Uuid } from './names.ts';
import { CollectionState, MatchedRecord } from './verdict.ts';

/**
 * The lookup service: HTTPS with mutual TLS. `POST /v1/lookups` asks, `GET /v1/collections/sltd` describes the
 * collection and tells the time; both are harmless to repeat. No name ever crosses this wire.
 */
export const lookupPath = '/v1/lookups';
export const collectionPath = '/v1/collections/sltd';

const CanonicalNumber = Type.String({
  pattern: '^[A-Z0-9]{1,27}$',
  description: 'Canonical document number',
});

/** At most this many numbers in one question: the one read and its look-alikes. */
export const maxNumbers = 32;

export const LookupRequest = Type.Object(
  {
    lookup: Uuid,
    collection: CollectionName,
    issuingState: Type.String({ pattern: '^[A-Z]{1,3}$', description: 'Canonical issuing state' }),
    numbers: Type.Array(CanonicalNumber, {
      minItems: 1,
      maxItems: maxNumbers,
      description: 'The number as read first, then its variants',
    }),
    documentType: DocumentTypeName,
    purpose: Type.Union([Type.Literal('first'), Type.Literal('confirm'), Type.Literal('recheck')]),
    training: Type.Boolean(),
  },
  { additionalProperties: false },
);
export type LookupRequest = Static<typeof LookupRequest>;

/** A record whose key is one of those asked for; whether it is a hit or possible is decided by the terminal's policy. */
export const Candidate = Type.Object(
  { number: CanonicalNumber, record: MatchedRecord },
  { additionalProperties: false },
);
export type Candidate = Static<typeof Candidate>;

/** At most this many records in one answer, those of the number as read first. */
export const maxCandidates = 256;

export const LookupResponse = Type.Object(
  {
    lookup: Uuid,
    source: CollectionState,
    time: Instant,
    candidates: Type.Array(Candidate, { maxItems: maxCandidates }),
  },
  { additionalProperties: false },
);
export type LookupResponse = Static<typeof LookupResponse>;

export const CollectionResponse = Type.Object(
  { source: CollectionState, time: Instant },
  { additionalProperties: false },
);
export type CollectionResponse = Static<typeof CollectionResponse>;

/** Every refusal of every HTTP interface of ours: the code of `errors.ts`, and its words. */
export const Refusal = Type.Object(
  { code: Type.String(), what: Type.String(), detail: Type.String(), remedy: Type.String() },
  { additionalProperties: false },
);
export type Refusal = Static<typeof Refusal>;
