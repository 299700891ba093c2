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
 *
 * The numbers of a stream have no hole. Where the terminal gave up items for want of space (metrics first, then events,
 * never what is `kept`: `outboxClass`), one `thinned` item stands for a run of numbers: under the number n and with the
 * count c it says of each of n-c+1 … n that it is not coming any more, which is no loss. So an entry stands for the
 * numbers from `firstOf(entry)` to `entry.seq`; it follows where `firstOf(entry)` is at most one above the last number
 * stored, and what is stored then reaches to `entry.seq`. Items of such a run may have been sent, and even stored, before
 * they were given up and their acknowledgement got lost: a `thinned` never contradicts what is stored.
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

/** What became of a configuration of the centre (contracts/configuration.ts); `code` where it did not stay. */
export const ConfigurationItem = Type.Object(
  {
    kind: Type.Literal('configuration'),
    version: Sequence,
    state: Type.Union([
      Type.Literal('probation'),
      Type.Literal('current'),
      Type.Literal('undone'),
      Type.Literal('refused'),
    ]),
    code: Type.Optional(Type.String({ pattern: '^[A-Z_]{1,48}$' })),
  },
  { additionalProperties: false },
);

/** How a command of the centre ended (contracts/command.ts). */
export const CommandItem = Type.Object(
  {
    kind: Type.Literal('command'),
    command: Uuid,
    state: Type.Union([Type.Literal('done'), Type.Literal('failed'), Type.Literal('refused')]),
    code: Type.Optional(Type.String({ pattern: '^[A-Z_]{1,48}$' })),
    detail: Type.String({ maxLength: 2000 }),
  },
  { additionalProperties: false },
);

/** What a metric may hold; each is one of `metrics` in contracts/api/fleet.ts, in its unit. */
export const sampleNames = [
  'uplink-delay',
  'uplink-loss',
  'memory',
  'memory-available',
  'load',
  'temperature',
  'disk-free',
  'clock-offset',
  'reads',
  'hits',
  'unresolved',
  'unreadable',
] as const;
export type SampleName = (typeof sampleNames)[number];

/**
 * History of the time without a link: what was measured at `at`; of what is counted (reads, hits, unresolved,
 * unreadable), how many there were in the `spanSeconds` before. What the machine does not tell is left out.
 */
export const MetricItem = Type.Object(
  {
    kind: Type.Literal('metric'),
    at: Instant,
    spanSeconds: Type.Integer({ minimum: 1, maximum: 86_400 }),
    samples: Type.Partial(
      Type.Object(
        Object.fromEntries(sampleNames.map((name) => [name, Type.Number()])) as Record<
          SampleName,
          ReturnType<typeof Type.Number>
        >,
      ),
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
);
export type MetricItem = Static<typeof MetricItem>;

/** Stands for the `count` numbers that end with its own: they were given up for want of space. */
export const ThinnedItem = Type.Object(
  { kind: Type.Literal('thinned'), count: Sequence },
  { additionalProperties: false },
);

export const OwedItem = Type.Union([
  MetricItem,
  ThinnedItem,
  ConfigurationItem,
  CommandItem,
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

/** What may be given up when the outbox is full: metrics first, then events; what is kept, never. */
export type OutboxClass = 'kept' | 'event' | 'metric';

export function outboxClass(kind: OwedItem['kind']): OutboxClass {
  switch (kind) {
    case 'metric':
      return 'metric';
    case 'edition-in-use':
    case 'edition-refused':
    case 'edition-damaged':
      return 'event';
    default:
      return 'kept';
  }
}

/** An item in its envelope: its number and when the terminal says that it happened. */
export const OutboxEntry = Type.Object(
  { seq: Sequence, at: Instant, clock: ClockState, item: OwedItem },
  { additionalProperties: false },
);
export type OutboxEntry = Static<typeof OutboxEntry>;

/** The lowest number that an entry stands for: its own, but for a `thinned`. */
export function firstOf({ seq, item }: OutboxEntry): number {
  return item.kind === 'thinned' ? Math.max(1, seq - item.count + 1) : seq;
}

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
