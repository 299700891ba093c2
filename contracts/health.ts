import Type, { type Static } from 'typebox';
import { ClockState, Instant, ReaderId, Uuid } from './names.ts';
import { HubName, UplinkName } from './settings/uplink.ts';
import { lineStates, type LineState, uplinkStates, type UplinkStateName } from './uplink.ts';
import { CollectionState } from './verdict.ts';
import { nullable } from './nullable.ts';

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
    /** MQTT keep-alive of the session in seconds: 600 and more is the metered profile. */
    keepAlive: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_535 })),
  },
  { additionalProperties: false },
);
export type Status = Static<typeof Status>;

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

/** The ways out of the site, as the helper of the uplink measures them. */
export const UplinkHealth = Type.Object(
  {
    state: Type.Unsafe<UplinkStateName>(Type.Enum(Object.keys(uplinkStates) as [UplinkStateName])),
    /** Which uplink and which hub carry; null while none does. */
    uplink: nullable(UplinkName),
    hub: nullable(HubName),
    uplinks: Type.Array(
      Type.Object(
        {
          name: UplinkName,
          state: Type.Unsafe<LineState>(Type.Enum(Object.keys(lineStates) as [LineState])),
          /** Over the best of its paths. */
          loss: nullable(Type.Number({ minimum: 0, maximum: 1 })),
          delayMillis: nullable(count),
          mtu: nullable(count),
          /** Null where it is not metered. */
          monthBytes: nullable(count),
          overBudget: Type.Boolean(),
        },
        { additionalProperties: false },
      ),
      { maxItems: 8 },
    ),
  },
  { additionalProperties: false },
);
export type UplinkHealth = Static<typeof UplinkHealth>;

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
    /** Null where there is no helper, or it does not answer. */
    uplink: nullable(UplinkHealth),
    /** Bytes through the tunnel since the machine started; null where there is none. */
    traffic: nullable(
      Type.Object({ sentBytes: count, receivedBytes: count }, { additionalProperties: false }),
    ),
    /** Since the agent started. */
    counts: Type.Object(
      {
        frames: count,
        hit: count,
        possible: count,
        noRecord: count,
        unresolved: count,
        unreadable: count,
      },
      { additionalProperties: false },
    ),
    /** Wear of the flash or disk, 0 new to 100 and above spent; null where it does not tell. */
    storage: Type.Object(
      { wearPercent: nullable(count), fileSystemErrors: nullable(count) },
      { additionalProperties: false },
    ),
    /** Null where the machine does not tell. */
    power: nullable(
      Type.Object(
        {
          source: Type.Union([Type.Literal('mains'), Type.Literal('battery')]),
          batteryPercent: nullable(Type.Number({ minimum: 0, maximum: 100 })),
          undervoltage: Type.Boolean(),
        },
        { additionalProperties: false },
      ),
    ),
    /** How this boot came about. */
    start: Type.Object(
      { unexpected: Type.Boolean(), watchdog: Type.Boolean() },
      { additionalProperties: false },
    ),
    /** The configuration that runs (contracts/configuration.ts). */
    configuration: Type.Object(
      {
        version: count,
        state: Type.Union([
          Type.Literal('current'),
          Type.Literal('probation'),
          Type.Literal('undone'),
          Type.Literal('refused'),
        ]),
      },
      { additionalProperties: false },
    ),
    certificateExpires: Instant,
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
    seq: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
    at: Instant,
    full: Type.Boolean(),
    report: Type.Partial(HealthReport),
  },
  { additionalProperties: false },
);
export type HealthMessage = Static<typeof HealthMessage>;

export const BootId = Uuid;
