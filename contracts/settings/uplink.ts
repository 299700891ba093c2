import Type, { type Static } from 'typebox';
import { TerminalId } from '../names.ts';
import { choice, flag, group, integer, path, text } from './setting.ts';

/** A WireGuard key in text: 32 bytes in base64, whose last letter carries two bits that must be zero. */
export const wireguardKeyPattern = '^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$';
const prefixPattern = '^[0-9a-fA-F.:]{2,45}/[0-9]{1,3}$';
const addressPattern = '^[0-9a-fA-F.:]{2,45}$';
const address4Pattern = '^[0-9]{1,3}(\\.[0-9]{1,3}){3}$';
const devicePattern = '^[A-Za-z0-9_.-]{1,15}$';
/** A name by DNS, an IPv4 address, or an IPv6 address in brackets; a colon; a port. */
const endpointPattern = '^([A-Za-z0-9-]{1,63}(\\.[A-Za-z0-9-]{1,63})*|\\[[0-9a-fA-F:.]{2,45}\\]):[0-9]{1,5}$';

/** Names of uplinks and hubs, in pages, logs and on the wire. */
export const UplinkName = text(
  { pattern: '^[a-z0-9][a-z0-9-]{0,15}$' },
  { description: 'Name of the uplink in pages and logs, for example dsl' },
);
export const HubName = text(
  { pattern: '^[a-z0-9][a-z0-9-]{0,31}$' },
  { description: 'Name of the hub in pages and logs' },
);

const prefixes = (description: string) =>
  Type.Array(text({ pattern: prefixPattern, maxLength: 49 }, { description: 'Address with prefix length' }), {
    minItems: 1,
    maxItems: 32,
    description,
  });
const addresses = (description: string) =>
  Type.Array(text({ pattern: addressPattern, maxLength: 45 }, { description: 'Address' }), {
    maxItems: 8,
    description,
    default: [],
  });

/**
 * What the bureau decides about the ways out of a terminal and the hubs at their other ends. It comes with the
 * terminal's own file at first, and later signed, through the helper's verb `apply`.
 */
export const uplinkNetwork = {
  addresses: prefixes('Addresses of this terminal in the tunnel, each with its prefix length'),
  reach: prefixes('Networks of the centre that are reached through the tunnel, by whichever hub carries it'),
  uplinks: Type.Array(
    group(
      {
        name: UplinkName,
        device: text({ pattern: devicePattern }, { description: 'Network interface of this uplink' }),
        kind: choice(['ethernet', 'lte', 'satellite'], {
          description: 'What it is: decides how a fault is named',
          default: 'ethernet',
        }),
        metric: integer(
          { minimum: 1, maximum: 1000 },
          { description: 'Order of preference: of those that work, the lowest carries the traffic' },
        ),
        metered: flag({
          description: 'Whether its data is paid by volume: it is then probed sparingly while it stands by',
          default: false,
        }),
        monthlyMegabytes: integer(
          { minimum: 0, maximum: 10_000_000 },
          {
            description:
              'Data budget of a calendar month (UTC); once it is used up, this uplink carries only when no other works; 0 for no limit',
            unit: 'MB',
            default: 0,
          },
        ),
        gateway: Type.Optional(
          text(
            { pattern: addressPattern, maxLength: 45 },
            {
              description:
                'Router of this uplink, where it is not learned from the default route that DHCP or the modem sets',
            },
          ),
        ),
        probeAddress: text(
          { pattern: address4Pattern },
          { description: 'Address (IPv4) of this terminal in the probe tunnel of this uplink' },
        ),
        fullProbeMillis: integer(
          { minimum: 1000, maximum: 3_600_000 },
          {
            description:
              'How often a probe of full size is sent while the uplink is not metered and carries much traffic, for 20 minutes on end; after that each 30 s, and with little traffic each 5 min. Each costs about 3 kB',
            unit: 'ms',
            default: 4000,
          },
        ),
        quietSeconds: integer(
          { minimum: 15, maximum: 3600 },
          {
            description:
              'So long nothing may pass this uplink, while it is metered and carries, before it is probed: a failure that nobody’s traffic meets goes unnoticed for so long. 15 costs about 37 MB a month where nothing else passes; 900 next to nothing where the MQTT keep-alive is shorter',
            unit: 's',
            default: 15,
          },
        ),
      },
      { description: 'One physical way out of the site' },
    ),
    { minItems: 1, maxItems: 8, description: 'Uplinks of this site' },
  ),
  hubs: Type.Array(
    group(
      {
        name: HubName,
        publicKey: text({ pattern: wireguardKeyPattern }, { description: 'Public key of the hub' }),
        endpoint: text(
          { pattern: endpointPattern, maxLength: 260 },
          {
            description:
              'Address or DNS name of the hub, and its port; an IPv6 address stands in brackets. A name is resolved again whenever the hub is silent',
          },
        ),
        pinned: addresses('Addresses of the hub that are tried where its name cannot be resolved'),
        address: text(
          { pattern: address4Pattern },
          { description: 'Address (IPv4) of the hub in the tunnel' },
        ),
        probeAddress: text(
          { pattern: address4Pattern },
          { description: 'Address (IPv4) of the hub in the probe tunnels: it answers echoes there' },
        ),
        servicePort: integer(
          { minimum: 1, maximum: 65_535 },
          { description: 'TCP port at that address at which the hub is told of new keys', default: 51_821 },
        ),
        keepaliveSeconds: integer(
          { minimum: 0, maximum: 3600 },
          {
            description:
              'How often the hub hears of this terminal, so that translated addresses stay open; 0 for not at all, which a line that is paid by volume wants',
            unit: 's',
            default: 25,
          },
        ),
      },
      { description: 'One WireGuard peer at the centre' },
    ),
    { minItems: 1, maxItems: 4, description: 'Hubs of the centre, the preferred one first' },
  ),
  dns: addresses('DNS servers that may be asked for the names of the hubs; none where all are pinned'),
  time: addresses('Time servers (NTS or NTP) that the time service may ask'),
  portalCheck: Type.Union(
    [
      Type.Null(),
      group(
        {
          url: text(
            { pattern: '^http://[A-Za-z0-9.:-]+/[A-Za-z0-9._~/-]*$', maxLength: 200 },
            { description: 'Page (plain HTTP, so that a portal can answer in its place)' },
          ),
          expect: text({ maxLength: 64 }, { description: 'The text that the page consists of' }),
        },
        { description: 'A page with known content: another answer is a captive portal' },
      ),
    ],
    { description: 'How a captive portal is told from a dead line; null to leave it out', default: null },
  ),
};

/** The network part alone, as it comes signed from the bureau. */
export const UplinkNetwork = Type.Object(uplinkNetwork, { additionalProperties: false });
export type UplinkNetwork = Static<typeof UplinkNetwork>;
export type UplinkLine = UplinkNetwork['uplinks'][number];
export type Hub = UplinkNetwork['hubs'][number];

/** The configuration of `checkpost uplink`: the tunnel, the ways out and the hubs at their other end. */
export const UplinkSettings = Type.Object(
  {
    terminal: Type.Unsafe<TerminalId>({ ...TerminalId, description: 'This terminal, as enrolled' }),
    interface: text(
      { pattern: '^[a-z][a-z0-9]{0,9}$' },
      {
        description:
          'How the names of the WireGuard interfaces begin: checkpost0 for the first hub, checkpost-p0 for the probes of the first uplink',
        default: 'checkpost',
      },
    ),
    mode: choice(['auto', 'kernel', 'userspace'], {
      description:
        'Who does WireGuard: the kernel, the program wireguard-go, or the kernel where it can and else the program',
      default: 'auto',
    }),
    namespace: text(
      { pattern: '^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$' },
      {
        description: 'Network namespace of the agent, into which the tunnel is put',
        default: 'checkpost',
      },
    ),
    state: path({
      description:
        'Folder of what must outlast a power cut: keys, the configuration in force, the last verified time, data budgets',
    }),
    run: path({
      description: 'Folder of the sockets: control.sock for the agent and the command line',
      default: '/run/checkpost-uplink',
    }),
    privateKey: path({
      description:
        'File of the private key that this terminal was enrolled with; made with mode 0600 where there is none',
    }),
    presharedKeys: Type.Optional(
      path({
        description:
          'Folder with the preshared keys of the enrolment: a file for each hub, named HUB.psk; rotated ones lie in the state folder',
      }),
    ),
    trusted: Type.Optional(
      path({
        description:
          'File of the public keys that are believed (trusted.json of the enrolment); without it no configuration is taken',
      }),
    ),
    agentUser: text(
      { pattern: '^[a-z_][a-z0-9_-]{0,31}$' },
      { description: 'User of the agent, who may use the control socket', default: 'checkpost' },
    ),
    timeUser: integer(
      { minimum: 0, maximum: 65_533 },
      { description: 'Number of the user of the time service, for the firewall', default: 643 },
    ),
    mark: integer(
      { minimum: 256, maximum: 2_147_483_000 },
      {
        description:
          'Firewall mark and routing table of the tunnel; the probes of the uplinks have the numbers after it. The firewall lets only these out',
        default: 25_456,
      },
    ),
    firewall: flag({
      description:
        'Whether the closed list is enforced with nftables; false only where another firewall of the machine does',
      default: true,
    }),
    officer: group(
      {
        port: integer(
          { minimum: 1, maximum: 65_535 },
          { description: 'Port of the officer’s page on the network of the site', default: 8443 },
        ),
        devices: Type.Array(text({ pattern: devicePattern }, { description: 'Network interface' }), {
          maxItems: 8,
          description: 'Interfaces at which the officer’s page may be asked for; none for no page there',
          default: [],
        }),
      },
      { description: 'The officer’s page', default: {} },
    ),
    enrolment: Type.Array(
      text(
        { pattern: '^([0-9]{1,3}(\\.[0-9]{1,3}){3}|\\[[0-9a-fA-F:.]{2,45}\\]):[0-9]{1,5}$' },
        { description: 'Address and TCP port' },
      ),
      {
        maxItems: 8,
        description: 'Servers that may be reached outside the tunnel while the mode `enrolment` is open',
        default: [],
      },
    ),
    ...uplinkNetwork,
    probe: group(
      {
        everyMillis: integer(
          { minimum: 100, maximum: 60_000 },
          {
            description:
              'How often the path that carries is probed over an uplink that is not metered, while no traffic is answered on it; other paths six times as seldom, and any in doubt each 250 ms. At 2000 an uplink costs about 13 MB a day',
            unit: 'ms',
            default: 2000,
          },
        ),
        timeoutMillis: integer(
          { minimum: 100, maximum: 10_000 },
          {
            description:
              'Least time after which a probe counts as lost; a line that is slow by nature gets four times its usual delay',
            unit: 'ms',
            default: 700,
          },
        ),
        lossesDown: integer(
          { minimum: 2, maximum: 20 },
          { description: 'So many probes lost in a row, and the path counts as down', default: 3 },
        ),
        failbackSeconds: integer(
          { minimum: 1, maximum: 3600 },
          {
            description:
              'So long a better uplink or hub must have worked without a break before the traffic goes back to it',
            unit: 's',
            default: 30,
          },
        ),
        meteredBytesPerMonth: integer(
          { minimum: 100_000, maximum: 1_000_000_000 },
          {
            description: 'Most that a metered uplink may cost in 30 days while it stands by',
            unit: 'B',
            default: 5_000_000,
          },
        ),
      },
      { description: 'How the uplinks are measured', default: {} },
    ),
    keys: group(
      {
        rotateDays: integer(
          { minimum: 0, maximum: 3650 },
          { description: 'Age at which a key is replaced; 0 for only on command', unit: 'd', default: 30 },
        ),
      },
      { description: 'Keys of the tunnel', default: {} },
    ),
    probationSeconds: integer(
      { minimum: 10, maximum: 3600 },
      {
        description: 'So long a new configuration may take to reach a hub, or the one before comes back',
        unit: 's',
        default: 120,
      },
    ),
    log: group(
      {
        level: choice(['fatal', 'error', 'warn', 'info', 'debug', 'trace'], {
          description: 'Least severity that is logged',
          default: 'info',
        }),
      },
      { description: 'Log', default: {} },
    ),
  },
  { additionalProperties: false, description: 'Configuration of the uplink' },
);
export type UplinkSettings = Static<typeof UplinkSettings>;
