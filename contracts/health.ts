import Type, { type Static } from 'typebox';
import { ClockState, Instant, ReaderId, Uuid } from './names.ts';
import { CollectionState } from './verdict.ts';

/** What a terminal says about itself. */

const Session = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });

/**
 * Topic `status`, retained, QoS 1: the birth at the start of a session and, as its will, the death. Both carry the
 * session's number, which is persisted and rises with every connection; a death of a session that is not the current
 * one is ignored.
 */
export const Status = Type.Object(
  {
    v: Type.Literal(1),
    session: Session,
    state: Type.Union([Type.Literal('online'), Type.Literal('offline')]),
    reason: Type.Union([Type.Literal('start'), Type.Literal('stop'), Type.Literal('lost')], {
      description: 'start: a birth; stop: an orderly end; lost: said by the will',
    }),
    boot: Type.String({ maxLength: 64 }),
    version: Type.String({ maxLength: 32 }),
  },
  { additionalProperties: false },
);
export type Status = Static<typeof Status>;

/** A condition is data; absent means healthy. */
export const conditions = {
  'reader-absent': {
    severity: 'error',
    title: 'Reader not plugged in',
    remedy: 'Plug the reader in; check its cable.',
  },
  'reader-refused': {
    severity: 'error',
    title: 'Reader cannot be opened',
    remedy: 'Close the program that holds it; check the udev rules for readers.',
  },
  'reader-noise': {
    severity: 'warning',
    title: 'Reader sends noise',
    remedy: 'Check the baud rate and the wiring.',
  },
  'reader-silent': {
    severity: 'error',
    title: 'Reader does not answer',
    remedy: 'Check its power, its profile and the baud rate; `checkpost readers probe` finds them.',
  },
  'central-unreachable': {
    severity: 'warning',
    title: 'Centre out of reach, answers come from the copy',
    remedy: 'Check the uplink.',
  },
  'edition-absent': {
    severity: 'error',
    title: 'No offline copy',
    remedy: 'Bring an edition by the link or on a stick.',
  },
  'edition-old': {
    severity: 'error',
    title: 'Offline copy is older than the limit',
    remedy: 'Check the uplink, or bring an edition on a stick.',
  },
  'edition-aging': {
    severity: 'warning',
    title: 'Offline copy is getting old',
    remedy: 'Check that the bureau publishes and that the uplink carries the editions.',
  },
  'edition-damaged': {
    severity: 'error',
    title: 'Offline copy is damaged',
    remedy: 'It is fetched again by itself; check the disk of the terminal, or bring a base on a stick.',
  },
  'edition-refused': {
    severity: 'error',
    title: 'An edition was refused',
    remedy: 'The log and the record of the terminal name the reason; tell the bureau.',
  },
  'clock-unverified': {
    severity: 'warning',
    title: 'Clock not verified since power-on',
    remedy: 'It verifies itself when the centre is reached.',
  },
  'disk-low': { severity: 'error', title: 'Disk nearly full', remedy: 'Free space on the state partition.' },
  'not-recording': {
    severity: 'error',
    title: 'The record cannot be written',
    remedy: 'Check the disk of the terminal; `no-record` is not shown until it works.',
  },
  'store-replaced': {
    severity: 'error',
    title: 'The database was damaged and replaced',
    remedy: 'Keep the file that was set aside for the bureau.',
  },
  'certificate-expiring': {
    severity: 'warning',
    title: 'The certificate of the terminal expires within 30 days',
    remedy: 'Enrol the terminal again.',
  },
  // The controller finds these two about a terminal, and shows them among what the terminal says of itself.
  'identity-cloned': {
    severity: 'error',
    title: 'Two machines use the identity of this terminal',
    remedy: 'Find the second machine, revoke the terminal and enrol the right machine again.',
  },
  'items-lost': {
    severity: 'error',
    title: 'Something that the terminal owed never arrived and is no longer kept there',
    remedy: 'Compare with the record of the terminal: `checkpost audit verify`.',
  },
} as const satisfies Record<string, { severity: 'warning' | 'error'; title: string; remedy: string }>;
export type ConditionCode = keyof typeof conditions;

export const Condition = Type.Object(
  {
    code: Type.String({ pattern: '^[a-z0-9-]{1,48}$' }),
    since: Instant,
    subject: Type.Optional(
      Type.String({ maxLength: 64, description: 'What it concerns, for example a reader id' }),
    ),
  },
  { additionalProperties: false },
);
export type Condition = Static<typeof Condition>;

export const ReaderState = Type.Union([
  Type.Literal('ready'),
  Type.Literal('absent'),
  Type.Literal('refused'),
  Type.Literal('noise'),
  Type.Literal('silent'),
]);
export type ReaderState = Static<typeof ReaderState>;

const count = Type.Integer({ minimum: 0 });

/** The sections of a report; a change message has only the sections that changed. */
export const HealthReport = Type.Object(
  {
    versions: Type.Object(
      { checkpost: Type.String(), node: Type.String(), os: Type.String() },
      { additionalProperties: false },
    ),
    uptime: Type.Object({ systemSeconds: count, agentSeconds: count }, { additionalProperties: false }),
    load: Type.Object({ one: Type.Number({ minimum: 0 }), cpus: count }, { additionalProperties: false }),
    memory: Type.Object(
      { totalBytes: count, availableBytes: count, agentBytes: count },
      { additionalProperties: false },
    ),
    disk: Type.Object({ totalBytes: count, freeBytes: count }, { additionalProperties: false }),
    /** Null where the machine has no sensor. */
    temperature: Type.Union([
      Type.Null(),
      Type.Object({ celsius: Type.Number({ minimum: -60, maximum: 200 }) }, { additionalProperties: false }),
    ]),
    clock: Type.Object(
      { state: ClockState, offsetMillis: Type.Union([Type.Null(), Type.Integer()]) },
      { additionalProperties: false },
    ),
    readers: Type.Array(Type.Object({ id: ReaderId, state: ReaderState }, { additionalProperties: false }), {
      maxItems: 32,
    }),
    edition: Type.Union([Type.Null(), CollectionState]),
    outbox: Type.Object(
      { depth: count, oldestAt: Type.Union([Type.Null(), Instant]) },
      { additionalProperties: false },
    ),
    audit: Type.Object({ entries: count }, { additionalProperties: false }),
    conditions: Type.Array(Condition, { maxItems: 64 }),
  },
  { additionalProperties: false },
);
export type HealthReport = Static<typeof HealthReport>;

/** Topic `health`, QoS 1: a full report at the start of a session and now and then, else what changed. */
export const HealthMessage = Type.Object(
  {
    v: Type.Literal(1),
    session: Session,
    seq: Type.Integer({ minimum: 1 }),
    at: Instant,
    full: Type.Boolean(),
    report: Type.Partial(HealthReport),
  },
  { additionalProperties: false },
);
export type HealthMessage = Static<typeof HealthMessage>;

export const BootId = Uuid;
