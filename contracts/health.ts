import Type, { type Static } from 'typebox';
import { ClockState, Instant, ReaderId, Uuid } from './names.ts';
import { HubName, UplinkName } from './settings/uplink.ts';
import { lineStates, type LineState, uplinkStates, type UplinkStateName } from './uplink.ts';
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
  'uplink-helper-absent': {
    severity: 'warning',
    title: 'The helper of the uplink does not answer',
    remedy:
      'See whether it runs: systemctl status checkpost-uplink checkpost-tunnel. A tunnel that was up stays up.',
  },
  'line-no-device': {
    severity: 'warning',
    title: 'Device of an uplink is not there',
    remedy: 'Plug the modem or the network card in; check the name of the device in the settings.',
  },
  'line-no-carrier': {
    severity: 'warning',
    title: 'Uplink has no cable or no radio network',
    remedy: 'Check the cable and the router, or the antenna and the SIM card.',
  },
  'line-no-address': {
    severity: 'warning',
    title: 'Uplink got no address',
    remedy: 'Check DHCP of the router, or the access point name (APN) and PIN of the SIM card.',
  },
  'line-no-route': {
    severity: 'warning',
    title: 'Uplink got an address, but no router',
    remedy: 'Have DHCP of the site name a router, or give `gateway` in the settings.',
  },
  'line-gateway-silent': {
    severity: 'warning',
    title: 'Router of an uplink does not answer',
    remedy: 'Switch the router of the site off and on; check the cable to it.',
  },
  'line-dns-dead': {
    severity: 'warning',
    title: 'DNS does not answer over an uplink',
    remedy: 'Check the router of the site; pinned addresses of the hubs work without DNS.',
  },
  'line-captive-portal': {
    severity: 'warning',
    title: 'A portal wants a login before an uplink may be used',
    remedy: 'Have the owner of the network let this terminal through without one.',
  },
  'line-no-data': {
    severity: 'warning',
    title: 'Uplink is connected, but no data comes back',
    remedy: 'Check the credit and the data plan of the SIM card, or call the provider of the line.',
  },
  'line-hubs-silent': {
    severity: 'warning',
    title: 'Uplink works, but no hub answers over it',
    remedy: 'The network there may block WireGuard (UDP): ask its owner to let it out.',
  },
  'line-large-lost': {
    severity: 'warning',
    title: 'Uplink loses large packets at every size',
    remedy: 'Call the provider of the line; short messages still pass.',
  },
  'line-over-budget': {
    severity: 'warning',
    title: 'Data budget of an uplink is used up',
    remedy: 'It carries only when no other works; see what uses the data, or raise `monthlyMegabytes`.',
  },
  'hubs-down': {
    severity: 'error',
    title: 'No hub answers over any uplink',
    remedy: 'The lines of the site work: check the hubs at the centre.',
  },
  'hub-silent': {
    severity: 'warning',
    title: 'A hub does not answer',
    remedy: 'Another one carries the traffic; check this hub at the centre.',
  },
  'firewall-failed': {
    severity: 'error',
    title: 'The closed list is not in the firewall',
    remedy: 'See the log of the uplink; another program may hold the rules.',
  },
  'firewall-touched': {
    severity: 'warning',
    title: 'The firewall was changed by somebody else and put back',
    remedy: 'Find the program that changes the firewall of this machine, and switch it off.',
  },
  'uplink-key-failed': {
    severity: 'warning',
    title: 'A new key of the tunnel could not be brought into force',
    remedy: 'The key before works on, and it is tried again; see the log of the hub.',
  },
  'uplink-configuration-undone': {
    severity: 'warning',
    title: 'A new configuration of the uplinks was undone',
    remedy: 'No hub was reached with it; correct it and send one of a higher version.',
  },
  'uplink-fault': {
    severity: 'warning',
    title: 'The uplink has a fault',
    remedy: 'See docs/errors.md for its code, and `checkpost uplink status` on the terminal.',
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

const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([Type.Null(), schema]);

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
