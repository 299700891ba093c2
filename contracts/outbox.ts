import Type, { type Static } from 'typebox';
import { DocumentTypeName } from './documents.ts';
import { ClockState, EditionNumber, Instant, ReaderId, Uuid } from './names.ts';
import { Age, Basis, CollectionState, Match } from './verdict.ts';

/**
 * What a terminal owes to the centre: numbered items in one stream, kept on the terminal's disk until the controller
 * (not the broker) has acknowledged that it stored them.
 *
 * The stream's id is made with the terminal's store, so that a wiped terminal begins a new stream. The controller
 * stores an item only where its number follows the last one stored of that stream, so that nothing is lost, doubled or
 * out of order however often a batch is sent.
 */
const Sequence = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
const Hash = Type.String({ pattern: '^[0-9a-f]{64}$', description: 'SHA-256, hexadecimal' });
const Count = Type.Integer({ minimum: 0 });

/** Who did it; `unassigned` until officers log in. */
export const OfficerName = Type.String({ minLength: 1, maxLength: 64 });

/** What an officer found out at the counter after a hit. */
export const HitOutcome = Type.Union([
  Type.Literal('document-held'),
  Type.Literal('passed-to-bureau'),
  Type.Literal('false-alarm'),
]);
export type HitOutcome = Static<typeof HitOutcome>;

/** A hit or a possible hit. `late` where it was found by asking again after the link came back. */
export const HitItem = Type.Object(
  {
    kind: Type.Literal('hit'),
    lookup: Uuid,
    verdict: Type.Union([Type.Literal('hit'), Type.Literal('possible')]),
    document: Type.Object(
      {
        issuingState: Type.String({ maxLength: 3 }),
        documentNumber: Type.String({ maxLength: 32 }),
        documentType: DocumentTypeName,
      },
      { additionalProperties: false },
    ),
    basis: Basis,
    source: CollectionState,
    age: Age,
    matches: Type.Array(Match, { minItems: 1 }),
    officer: OfficerName,
    reader: ReaderId,
    training: Type.Boolean(),
    late: Type.Boolean(),
    recorded: Type.Boolean(),
  },
  { additionalProperties: false },
);

/** The officer has acknowledged a hit. */
export const AcknowledgedItem = Type.Object(
  { kind: Type.Literal('hit-acknowledged'), lookup: Uuid, outcome: HitOutcome, officer: OfficerName },
  { additionalProperties: false },
);

/** The centre was asked to confirm a local hit, and what it said; a hit stays a hit either way. */
export const ConfirmationItem = Type.Object(
  {
    kind: Type.Literal('confirmation'),
    lookup: Uuid,
    result: Type.Union([Type.Literal('agrees'), Type.Literal('disagrees')]),
  },
  { additionalProperties: false },
);

/** The head of the audit chain: the centre keeps it, so that truncating the chain is found. */
export const AuditHeadItem = Type.Object(
  { kind: Type.Literal('audit-head'), entry: Sequence, hash: Hash },
  { additionalProperties: false },
);

/** The terminal's store was damaged and set aside; `file` is its name in the state folder. */
export const StoreReplacedItem = Type.Object(
  { kind: Type.Literal('store-replaced'), file: Type.String({ maxLength: 255 }) },
  { additionalProperties: false },
);

/**
 * Stands for an item that the terminal kept but cannot read any more: its seal does not match (`seal`), or it is not an
 * item that this release knows (`content`). It takes the item's number, so that one damaged row does not hold up all
 * that came after it; the terminal keeps the sealed bytes, and its audit record still says what happened.
 */
export const ItemDamagedItem = Type.Object(
  { kind: Type.Literal('item-damaged'), reason: Type.Union([Type.Literal('seal'), Type.Literal('content')]) },
  { additionalProperties: false },
);

/** Another edition of the offline copy is in use on the terminal. */
export const EditionInUseItem = Type.Object(
  { kind: Type.Literal('edition-in-use'), edition: EditionNumber, date: Instant, count: Count },
  { additionalProperties: false },
);

/** An edition or its description was refused, with the code of the error; the one in use stays. */
export const EditionRefusedItem = Type.Object(
  { kind: Type.Literal('edition-refused'), code: Type.String({ pattern: '^[A-Z_]{1,48}$' }) },
  { additionalProperties: false },
);

/** Part of the edition in use could not be read as it was written; it is fetched again. */
export const EditionDamagedItem = Type.Object(
  { kind: Type.Literal('edition-damaged'), edition: EditionNumber },
  { additionalProperties: false },
);

export const OwedItem = Type.Union([
  EditionInUseItem,
  EditionRefusedItem,
  EditionDamagedItem,
  HitItem,
  AcknowledgedItem,
  ConfirmationItem,
  AuditHeadItem,
  StoreReplacedItem,
  ItemDamagedItem,
]);
export type OwedItem = Static<typeof OwedItem>;
export type HitItem = Static<typeof HitItem>;

/** An item in its envelope: its number and when the terminal says that it happened. */
export const OutboxEntry = Type.Object(
  { seq: Sequence, at: Instant, clock: ClockState, item: OwedItem },
  { additionalProperties: false },
);
export type OutboxEntry = Static<typeof OutboxEntry>;

/** At most this many entries in a batch. */
export const maxBatch = 32;

/**
 * Topic `outbox`, QoS 1. `oldest` is the lowest number that the terminal still keeps: where the controller lacks what
 * came before it (restored from an older backup), it records the gap and goes on from there.
 */
export const OutboxBatch = Type.Object(
  {
    v: Type.Literal(1),
    stream: Uuid,
    oldest: Sequence,
    entries: Type.Array(OutboxEntry, { minItems: 1, maxItems: maxBatch }),
  },
  { additionalProperties: false },
);
export type OutboxBatch = Static<typeof OutboxBatch>;

/** Topic `outbox/ack`, QoS 1: the controller has durably stored everything up to and including `through`. */
export const OutboxAck = Type.Object(
  {
    v: Type.Literal(1),
    stream: Uuid,
    through: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  },
  { additionalProperties: false },
);
export type OutboxAck = Static<typeof OutboxAck>;
