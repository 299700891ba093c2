import Type, { type Static } from 'typebox';
import { Reported } from '../configuration.ts';
import { Condition, HealthReport } from '../health.ts';
import { BureauCode, Instant, SiteId, TerminalId, Uuid } from '../names.ts';
import { HitItem, HitOutcome, OutboxEntry } from '../outbox.ts';
import { nullable } from '../nullable.ts';

/** The fleet as operators see it: sites, terminals, hits, what happened and when. */

const count = Type.Integer({ minimum: 0 });
const Id = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });

/**
 * `never`: registered, but it has not been seen yet. `suspect`: silent for longer than its keep-alive and a half, but not
 * yet for so long that anybody is woken.
 */
export const TerminalState = Type.Union([
  Type.Literal('online'),
  Type.Literal('suspect'),
  Type.Literal('offline'),
  Type.Literal('never'),
]);
export type TerminalState = Static<typeof TerminalState>;

/** A place on the map. */
export const SiteRow = Type.Object(
  {
    site: SiteId,
    bureau: BureauCode,
    name: Type.String(),
    timeZone: nullable(Type.String()),
    /** Degrees north and east; null where nobody gave them. */
    latitude: nullable(Type.Number()),
    longitude: nullable(Type.Number()),
  },
  { additionalProperties: false },
);
export type SiteRow = Static<typeof SiteRow>;

/** A terminal in the list: light, since there are thousands. `conditions` are the causes alone, gravest first. */
export const TerminalRow = Type.Object(
  {
    terminal: TerminalId,
    bureau: BureauCode,
    site: SiteId,
    state: TerminalState,
    /** When the controller received the last word of it; null if never. */
    lastSeen: nullable(Instant),
    /** When the state began, by the controller's clock. */
    since: nullable(Instant),
    version: Type.String(),
    conditions: Type.Array(Condition),
    /** Items that it still owed when it last said. */
    owed: count,
    /** When the offline copy was made; null where there is none, or nobody knows. */
    editionDate: nullable(Instant),
    /** Which uplink carries; null where there is none, or nobody knows. */
    uplink: nullable(Type.String()),
    /** The configuration that runs, and whether another is wanted. */
    configuration: Type.Object(
      { running: count, wanted: count, state: Type.String() },
      { additionalProperties: false },
    ),
    /** A planned maintenance covers it now. */
    maintenance: Type.Boolean(),
  },
  { additionalProperties: false },
);
export type TerminalRow = Static<typeof TerminalRow>;

/** Everything that is known of one terminal. */
export const TerminalDetail = Type.Object(
  {
    row: TerminalRow,
    site: SiteRow,
    session: count,
    boot: Type.String(),
    enrolledAt: Instant,
    /** As it was reported last; sections that were never reported are left out. */
    health: Type.Partial(HealthReport),
    healthAt: nullable(Instant),
    reported: nullable(Reported),
    /** The keep-alive that it promised, in seconds: 600 and more is the metered profile, where commands are best effort. */
    keepAliveSeconds: nullable(count),
  },
  { additionalProperties: false },
);
export type TerminalDetail = Static<typeof TerminalDetail>;

/** A hit or possible hit with what became of it. The number is masked but for its last three characters. */
export const HitRow = Type.Object(
  {
    /** The controller's own number, rising. */
    id: Id,
    terminal: TerminalId,
    bureau: BureauCode,
    site: SiteId,
    /** By the terminal's clock, and whether it was verified; beside it when the controller stored it. */
    at: Instant,
    clock: OutboxEntry.properties.clock,
    receivedAt: Instant,
    hit: HitItem,
    acknowledged: nullable(
      Type.Object(
        { at: Instant, outcome: HitOutcome, officer: Type.String() },
        { additionalProperties: false },
      ),
    ),
    confirmation: nullable(Type.Union([Type.Literal('agrees'), Type.Literal('disagrees')])),
  },
  { additionalProperties: false },
);
export type HitRow = Static<typeof HitRow>;

/** One thing that happened: of a terminal, of the centre, of an operator. Newest first where listed. */
export const TimelineEvent = Type.Object(
  {
    id: Id,
    at: Instant,
    terminal: nullable(TerminalId),
    site: nullable(SiteId),
    kind: Type.Union([
      Type.Literal('state'),
      Type.Literal('condition'),
      Type.Literal('hit'),
      Type.Literal('edition'),
      Type.Literal('configuration'),
      Type.Literal('command'),
      Type.Literal('alert'),
      Type.Literal('record'),
    ]),
    /** In words, without personal data. */
    text: Type.String({ maxLength: 500 }),
    severity: Type.Union([Type.Literal('info'), Type.Literal('warning'), Type.Literal('error')]),
    /** The terminal's own time where it differs from when it arrived. */
    deviceAt: nullable(Instant),
  },
  { additionalProperties: false },
);
export type TimelineEvent = Static<typeof TimelineEvent>;

/** What is kept over time, with its unit. */
export const metrics = {
  online: { title: 'Online', unit: 'share' },
  'uplink-delay': { title: 'Round trip of the uplink', unit: 'ms' },
  'uplink-loss': { title: 'Loss of the uplink', unit: 'share' },
  memory: { title: 'Memory of the agent', unit: 'B' },
  'memory-available': { title: 'Memory available', unit: 'B' },
  load: { title: 'Load', unit: 'cores' },
  temperature: { title: 'Temperature', unit: '°C' },
  'disk-free': { title: 'Disk free', unit: 'B' },
  'clock-offset': { title: 'Clock offset', unit: 'ms' },
  outbox: { title: 'Items owed', unit: 'items' },
  reads: { title: 'Documents read', unit: 'reads' },
  hits: { title: 'Hits', unit: 'hits' },
  unresolved: { title: 'Unresolved', unit: 'reads' },
  unreadable: { title: 'Unreadable', unit: 'reads' },
  sent: { title: 'Data sent', unit: 'B' },
  received: { title: 'Data received', unit: 'B' },
} as const satisfies Record<string, { title: string; unit: string }>;
export type MetricName = keyof typeof metrics;
export const metricNames = Object.keys(metrics) as MetricName[];

/** Points of one metric: `[start of the step in Unix seconds, least, mean, most]`; a step without data is left out. */
export const Series = Type.Object(
  {
    metric: Type.Unsafe<MetricName>(Type.Enum([...metricNames])),
    stepSeconds: count,
    points: Type.Array(Type.Tuple([Type.Integer(), Type.Number(), Type.Number(), Type.Number()])),
  },
  { additionalProperties: false },
);
export type Series = Static<typeof Series>;

/** The centre's own state, and what is wrong with it: its conditions are those of `centreConditions`. */
export const CentreState = Type.Object(
  {
    version: Type.String(),
    instance: Type.String(),
    leads: Type.Boolean(),
    brokerConnected: Type.Boolean(),
    store: Type.Union([Type.Literal('sqlite'), Type.Literal('postgres')]),
    terminals: Type.Object(
      { online: count, suspect: count, offline: count, never: count },
      { additionalProperties: false },
    ),
    conditions: Type.Array(Condition),
    /** Messages refused since the start, by reason. */
    refused: Type.Record(Type.String(), count),
  },
  { additionalProperties: false },
);
export type CentreState = Static<typeof CentreState>;

/** Conditions of the centre itself; each is an alert without a terminal. */
export const centreConditions = {
  'broker-unreachable': {
    severity: 'error',
    title: 'The controller has no session with the broker',
    remedy: 'See that Mosquitto runs and that its certificate and that of the controller hold.',
  },
  'store-failing': {
    severity: 'error',
    title: 'The database of the controller fails',
    remedy: 'Check disk and database; terminals keep what they owe until it works again.',
  },
  'collection-stale': {
    severity: 'error',
    title: 'The collection of the centre is older than the limit',
    remedy: 'Load the collection; until then central answers give no `no-record`.',
  },
  'collection-absent': {
    severity: 'error',
    title: 'The centre has no collection',
    remedy: 'Load the collection.',
  },
  'editions-stale': {
    severity: 'error',
    title: 'No new edition was published for longer than the limit',
    remedy: 'See that `checkpost edition publish` runs as planned.',
  },
  'mass-outage': {
    severity: 'error',
    title: 'Many sites went offline at once',
    remedy: 'Look at what they share: the hubs, the broker, a provider; each of them alone is not told of.',
  },
  'notifications-failing': {
    severity: 'error',
    title: 'A channel of notifications fails',
    remedy: 'Check the mail server or the webhook; what was not delivered is tried again.',
  },
  'no-leader': {
    severity: 'warning',
    title: 'No controller leads',
    remedy: 'Check the database; without a leader nobody is told of silent terminals.',
  },
} as const satisfies Record<string, { severity: 'warning' | 'error'; title: string; remedy: string }>;
export type CentreConditionCode = keyof typeof centreConditions;

/** Upload of a diagnostic bundle that has arrived. */
export const BundleRow = Type.Object(
  { id: Uuid, terminal: TerminalId, at: Instant, bytes: count, complete: Type.Boolean() },
  { additionalProperties: false },
);
export type BundleRow = Static<typeof BundleRow>;
