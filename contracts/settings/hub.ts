import Type, { type Static } from 'typebox';
import { TerminalId } from '../names.ts';
import { choice, group, integer, path, text } from './setting.ts';
import { UplinkName, wireguardKeyPattern } from './uplink.ts';

const address4Pattern = '^[0-9]{1,3}(\\.[0-9]{1,3}){3}$';
const address4 = (description: string) => text({ pattern: address4Pattern }, { description });
const publicKey = text({ pattern: wireguardKeyPattern }, { description: 'Public key' });
/** A preshared key of WireGuard: 32 random bytes in base64. A secret: never logged, never in an argument. */
export const PresharedKey = Type.String({ pattern: wireguardKeyPattern, description: 'Preshared key' });

/** A terminal as a hub knows it at first; keys that were rotated since lie in the hub's state folder. */
export const HubTerminal = Type.Object(
  {
    terminal: TerminalId,
    address: address4('Address of the terminal in the tunnel; no other terminal may have it'),
    publicKey,
    presharedKey: Type.Optional(PresharedKey),
    probes: Type.Array(
      Type.Object(
        {
          uplink: UplinkName,
          address: address4('Address of the terminal in the probe tunnel of this uplink'),
          publicKey,
          presharedKey: Type.Optional(PresharedKey),
        },
        { additionalProperties: false },
      ),
      { maxItems: 8 },
    ),
  },
  { additionalProperties: false },
);
export type HubTerminal = Static<typeof HubTerminal>;
export const HubTerminals = Type.Array(HubTerminal, { maxItems: 10_000 });
export type HubTerminals = Static<typeof HubTerminals>;

/** The configuration of `checkpost hub`: one end of the tunnels of many terminals. */
export const HubSettings = Type.Object(
  {
    name: text({ pattern: '^[a-z0-9][a-z0-9-]{0,31}$' }, { description: 'Name of this hub' }),
    interface: text(
      { pattern: '^[a-z][a-z0-9-]{0,14}$' },
      { description: 'Name of the WireGuard interface', default: 'checkpost-hub' },
    ),
    mode: choice(['auto', 'kernel', 'userspace'], {
      description: 'Who does WireGuard: the kernel, the program wireguard-go, or the kernel where it can',
      default: 'auto',
    }),
    privateKey: path({
      description: 'File of the hub’s private key; made with mode 0600 where there is none',
    }),
    listenPort: integer(
      { minimum: 1, maximum: 65_535 },
      { description: 'UDP port of WireGuard', default: 51_820 },
    ),
    mtu: integer(
      { minimum: 1200, maximum: 1440 },
      { description: 'Largest packet in the tunnel', unit: 'B', default: 1420 },
    ),
    address: address4('Address of this hub in the tunnel'),
    probeAddress: address4(
      'Address of this hub in the probe tunnels: it answers echoes and takes new keys there',
    ),
    servicePort: integer(
      { minimum: 1, maximum: 65_535 },
      { description: 'TCP port at the probe address for terminals that change their key', default: 51_821 },
    ),
    terminals: path({ description: 'File of the terminals: JSON, a list; read again on SIGHUP' }),
    state: path({ description: 'Folder of the keys that terminals have changed to' }),
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
  { additionalProperties: false, description: 'Configuration of a hub' },
);
export type HubSettings = Static<typeof HubSettings>;
