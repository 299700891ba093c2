import Type, { type Static } from 'typebox';
import { DocumentTypeName } from './documents.ts';
import { ClockState, EditionNumber, Instant, ReaderId, Uuid } from './names.ts';
import { HitOutcome, OfficerName } from './outbox.ts';
import { Age, Basis, CollectionState, UnresolvedReason, VerdictKindName } from './verdict.ts';

/**
 * One entry of the tamper-evident record. It holds no document number and no name: `document.digest` is an HMAC of the
 * search key under a key that the bureau holds for its auditors, named by its version.
 */
const common = {
  seq: Type.Integer({ minimum: 1 }),
  at: Instant,
  clock: ClockState,
  boot: Type.String({ maxLength: 64, description: 'Boot id of the machine' }),
  monotonic: Type.Integer({ minimum: 0, description: 'Milliseconds since that boot' }),
};

export const AuditedDocument = Type.Object(
  {
    digest: Type.String({
      pattern: '^[0-9]+:[0-9a-f]{32}$',
      description: 'Key version, colon, 128 bits of HMAC',
    }),
    type: DocumentTypeName,
  },
  { additionalProperties: false },
);

const LookupEntry = Type.Object(
  {
    ...common,
    kind: Type.Union([Type.Literal('lookup'), Type.Literal('amended'), Type.Literal('late-hit')]),
    lookup: Uuid,
    officer: OfficerName,
    reader: ReaderId,
    training: Type.Boolean(),
    document: Type.Optional(AuditedDocument),
    verdict: VerdictKindName,
    basis: Type.Optional(Basis),
    source: Type.Optional(CollectionState),
    age: Type.Optional(Age),
    reason: Type.Optional(Type.Union([UnresolvedReason, Type.String({ maxLength: 32 })])),
    matches: Type.Integer({ minimum: 0 }),
  },
  { additionalProperties: false },
);

const AcknowledgedEntry = Type.Object(
  {
    ...common,
    kind: Type.Literal('hit-acknowledged'),
    lookup: Uuid,
    officer: OfficerName,
    outcome: HitOutcome,
  },
  { additionalProperties: false },
);

const ConfirmationEntry = Type.Object(
  {
    ...common,
    kind: Type.Literal('confirmation'),
    lookup: Uuid,
    result: Type.Union([Type.Literal('agrees'), Type.Literal('disagrees')]),
  },
  { additionalProperties: false },
);

/** The agent started: its version and, after a damaged store, the name of the file that was set aside. */
const StartedEntry = Type.Object(
  {
    ...common,
    kind: Type.Literal('started'),
    version: Type.String({ maxLength: 32 }),
    setAside: Type.Optional(Type.String({ maxLength: 255 })),
  },
  { additionalProperties: false },
);

/** The offline copy: another edition is in use; one was refused, or the one in use is damaged, with the error's code. */
const EditionEntry = Type.Object(
  {
    ...common,
    kind: Type.Union([
      Type.Literal('edition-in-use'),
      Type.Literal('edition-refused'),
      Type.Literal('edition-damaged'),
    ]),
    edition: Type.Optional(EditionNumber),
    code: Type.Optional(Type.String({ pattern: '^[A-Z_]{1,48}$' })),
  },
  { additionalProperties: false },
);

/** A configuration of the centre: put on probation, confirmed, undone or refused. */
const ConfigurationEntry = Type.Object(
  {
    ...common,
    kind: Type.Literal('configuration'),
    version: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
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

/** A command of the centre: who asked for what, and how it ended. */
const CommandEntry = Type.Object(
  {
    ...common,
    kind: Type.Literal('command'),
    command: Uuid,
    /** What was asked for (contracts/command.ts); empty where it could not be read. */
    what: Type.String({ pattern: '^[a-z-]{0,32}$' }),
    by: Type.String({ maxLength: 64 }),
    state: Type.Union([
      Type.Literal('accepted'),
      Type.Literal('done'),
      Type.Literal('failed'),
      Type.Literal('refused'),
    ]),
    code: Type.Optional(Type.String({ pattern: '^[A-Z_]{1,48}$' })),
  },
  { additionalProperties: false },
);

export const AuditEntry = Type.Union([
  ConfigurationEntry,
  CommandEntry,
  LookupEntry,
  AcknowledgedEntry,
  ConfirmationEntry,
  StartedEntry,
  EditionEntry,
]);
export type AuditEntry = Static<typeof AuditEntry>;

type WithoutPlace<T> = T extends unknown ? Omit<T, 'seq' | 'at' | 'clock' | 'boot' | 'monotonic'> : never;
/** What happened, before the record gives it a number and a time. */
export type AuditEvent = WithoutPlace<AuditEntry>;
