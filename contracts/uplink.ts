import Type, { type Static } from 'typebox';
import { Instant } from './names.ts';
import { HubName, UplinkName } from './settings/uplink.ts';
import { nullable } from './nullable.ts';

/** What the uplink helper says of itself, and the fixed list of verbs at its control socket: JSON lines. */

const text = (maxLength = 300) => Type.String({ maxLength });
const secondsAgo = Type.Integer({ minimum: 0, description: 'Seconds ago, by the monotonic clock' });
/** Each way in which an uplink can be. None of them is just "down". */
export const lineStates = {
  up: { title: 'works', bad: false },
  untested: { title: 'not tested yet', bad: false },
  'no-device': { title: 'device is not there', bad: true },
  'no-carrier': { title: 'no cable or no radio network', bad: true },
  'no-address': { title: 'no address (DHCP or modem gave none)', bad: true },
  'no-route': { title: 'address, but no router given (DHCP without a route)', bad: true },
  'gateway-silent': { title: 'the router does not answer', bad: true },
  'dns-dead': { title: 'DNS does not answer, so the hubs are not found', bad: true },
  'captive-portal': { title: 'a portal wants a login', bad: true },
  'no-data': {
    title: 'connected, but no data comes back (SIM without data, or the line is dead behind the router)',
    bad: true,
  },
  'hubs-silent': { title: 'the line works, but no hub answers over it', bad: true },
  'large-lost': { title: 'small packets pass, large ones are lost at every size', bad: true },
} as const;
export type LineState = keyof typeof lineStates;
const LineStateName = Type.Unsafe<LineState>(Type.Enum(Object.keys(lineStates) as [LineState]));

/** How the whole is. */
export const uplinkStates = {
  starting: { title: 'starting' },
  up: { title: 'the tunnel is up' },
  'hubs-down': { title: 'the lines work, but no hub answers over any of them' },
  'lines-down': { title: 'no uplink works' },
} as const;
export type UplinkStateName = keyof typeof uplinkStates;

export const PathStatus = Type.Object(
  {
    hub: HubName,
    state: Type.Union([Type.Literal('up'), Type.Literal('down'), Type.Literal('untested')]),
    loss: nullable(
      Type.Number({ minimum: 0, maximum: 1, description: 'Share of the last probes that were lost' }),
    ),
    delayMillis: nullable(Type.Number({ minimum: 0, description: 'Round trip, smoothed, ms' })),
  },
  { additionalProperties: false },
);
export type PathStatus = Static<typeof PathStatus>;

export const LineStatus = Type.Object(
  {
    name: UplinkName,
    device: text(15),
    kind: Type.Union([Type.Literal('ethernet'), Type.Literal('lte'), Type.Literal('satellite')]),
    metered: Type.Boolean(),
    state: LineStateName,
    /** What was seen that says so, in plain words. */
    evidence: text(),
    since: secondsAgo,
    carries: Type.Boolean(),
    mtu: nullable(
      Type.Integer({ minimum: 1200, maximum: 1440, description: 'Largest packet that passes, bytes' }),
    ),
    monthBytes: nullable(
      Type.Integer({ minimum: 0, description: 'Data of this month, bytes; where it is metered' }),
    ),
    overBudget: Type.Boolean(),
    detectSeconds: Type.Integer({ minimum: 0, description: 'So long a failure may go unnoticed now' }),
    paths: Type.Array(PathStatus, { maxItems: 4 }),
  },
  { additionalProperties: false },
);
export type LineStatus = Static<typeof LineStatus>;

export const HubStatus = Type.Object(
  {
    name: HubName,
    state: Type.Union([Type.Literal('up'), Type.Literal('silent'), Type.Literal('untested')]),
    since: secondsAgo,
    endpoint: nullable(text(64)),
    carries: Type.Boolean(),
    key: Type.Object(
      {
        state: Type.Union([Type.Literal('current'), Type.Literal('rotating'), Type.Literal('failed')]),
        rotatedAt: nullable(Instant),
        detail: text(),
      },
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
);
export type HubStatus = Static<typeof HubStatus>;

export const UplinkFault = Type.Object(
  { code: text(48), detail: text(500), since: secondsAgo },
  { additionalProperties: false },
);
export type UplinkFault = Static<typeof UplinkFault>;

export const UplinkStatus = Type.Object(
  {
    v: Type.Literal(1),
    terminal: text(63),
    state: Type.Unsafe<UplinkStateName>(Type.Enum(Object.keys(uplinkStates) as [UplinkStateName])),
    evidence: text(),
    since: secondsAgo,
    carrying: nullable(
      Type.Object(
        { uplink: UplinkName, hub: HubName, since: secondsAgo, why: text() },
        { additionalProperties: false },
      ),
    ),
    uplinks: Type.Array(LineStatus, { maxItems: 8 }),
    hubs: Type.Array(HubStatus, { maxItems: 4 }),
    firewall: Type.Object(
      {
        state: Type.Union(
          [Type.Literal('held'), Type.Literal('open'), Type.Literal('failed'), Type.Literal('off')],
          {
            description:
              'held: the closed list is in force; open: a timed mode is; failed: it could not be loaded',
          },
        ),
        mode: nullable(Type.Union([Type.Literal('enrolment'), Type.Literal('portal-check')])),
        restored: Type.Integer({
          minimum: 0,
          description: 'How often it had to be put back since the start',
        }),
      },
      { additionalProperties: false },
    ),
    routing: Type.Object(
      { restored: Type.Integer({ minimum: 0, description: 'How often rules or routes had to be put back' }) },
      { additionalProperties: false },
    ),
    inner: Type.Union([Type.Literal('applied'), Type.Literal('waiting'), Type.Literal('absent')], {
      description: 'The half in the namespace of the agent',
    }),
    configuration: Type.Object(
      {
        version: Type.Integer({ minimum: 0, description: '0: the file of the terminal' }),
        state: Type.Union([Type.Literal('current'), Type.Literal('probation'), Type.Literal('undone')]),
        detail: text(),
      },
      { additionalProperties: false },
    ),
    clock: Type.Object(
      { floor: nullable(Instant), hubOffsetMillis: nullable(Type.Integer()) },
      { additionalProperties: false },
    ),
    faults: Type.Array(UplinkFault, { maxItems: 32 }),
    /** What was tried lately, newest first. */
    events: Type.Array(Type.Object({ at: secondsAgo, text: text() }, { additionalProperties: false }), {
      maxItems: 40,
    }),
  },
  { additionalProperties: false },
);
export type UplinkStatus = Static<typeof UplinkStatus>;

const id = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });

/** The verbs of the control socket. */
export const UplinkRequest = Type.Union([
  Type.Object({ id, verb: Type.Literal('status') }, { additionalProperties: false }),
  /** The status now and after every change, until the connection ends. */
  Type.Object({ id, verb: Type.Literal('watch') }, { additionalProperties: false }),
  /** A signed configuration (`configurationType`); it is in force at once, on probation. */
  Type.Object(
    {
      id,
      verb: Type.Literal('apply'),
      envelope: Type.Record(Type.String({ maxLength: 32 }), Type.Unknown()),
    },
    { additionalProperties: false },
  ),
  /** New keys with this hub, or with each. */
  Type.Object(
    { id, verb: Type.Literal('rotate'), hub: Type.Optional(HubName) },
    { additionalProperties: false },
  ),
  /** Probes every path at once, metered ones too. */
  Type.Object({ id, verb: Type.Literal('probe') }, { additionalProperties: false }),
  /** A planned switch: this uplink, this hub or both carry from now on, until they fail; `auto` takes it back. */
  Type.Object(
    {
      id,
      verb: Type.Literal('prefer'),
      uplink: Type.Optional(UplinkName),
      hub: Type.Optional(HubName),
      auto: Type.Optional(Type.Literal(true)),
    },
    { additionalProperties: false },
  ),
  /** Opens the mode `enrolment` for so long; for root only. 0 closes it. */
  Type.Object(
    { id, verb: Type.Literal('enrolment'), seconds: Type.Integer({ minimum: 0, maximum: 3600 }) },
    { additionalProperties: false },
  ),
]);
export type UplinkRequest = Static<typeof UplinkRequest>;
export type UplinkVerb = UplinkRequest['verb'];

export const UplinkAnswer = Type.Union([
  Type.Object(
    { id, ok: Type.Literal(true), status: Type.Optional(UplinkStatus) },
    { additionalProperties: false },
  ),
  Type.Object(
    { id: Type.Integer({ minimum: 0 }), ok: Type.Literal(false), code: text(48), detail: text(500) },
    { additionalProperties: false },
  ),
]);
export type UplinkAnswer = Static<typeof UplinkAnswer>;

/** Longest line at the control socket, in bytes. */
export const uplinkLineLimit = 65_536;

/** Payload of a signed network configuration; key role `configuration` (its hubs are of the offline keys). */
export const configurationType = 'application/vnd.checkpost.uplink.v1+json';
