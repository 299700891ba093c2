import Type, { type Static } from 'typebox';
import { choice, group, integer, path, text } from './setting.ts';

/** A WireGuard key in text: 32 bytes in base64, whose last letter carries two bits that must be zero. */
export const wireguardKeyPattern = '^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$';
const prefixPattern = '^[0-9a-fA-F.:]{2,45}/[0-9]{1,3}$';

const prefixes = (description: string) =>
  Type.Array(text({ pattern: prefixPattern, maxLength: 49 }, { description: 'Address with prefix length' }), {
    minItems: 1,
    maxItems: 32,
    description,
  });

/** The configuration of `checkpost uplink`: the tunnel and the hubs at its other end. */
export const UplinkSettings = Type.Object(
  {
    interface: text(
      { pattern: '^[a-z][a-z0-9-]{0,14}$' },
      { description: 'Name of the WireGuard interface', default: 'checkpost0' },
    ),
    mode: choice(['auto', 'kernel', 'userspace'], {
      description:
        'Who does WireGuard: the kernel, the program wireguard-go, or the kernel where it can and else the program',
      default: 'auto',
    }),
    namespace: text(
      { pattern: '^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$' },
      {
        description: 'Network namespace that the outer half puts the interface into (only with --part)',
        default: 'checkpost',
      },
    ),
    privateKey: path({
      description: 'File of the private key of this terminal; made with mode 0600 where there is none',
    }),
    addresses: prefixes('Addresses of this terminal in the tunnel, each with its prefix length'),
    mtu: integer(
      { minimum: 1280, maximum: 1440 },
      {
        description: 'Largest packet in the tunnel; the default passes links that carry only 1360 bytes',
        unit: 'B',
        default: 1280,
      },
    ),
    mark: integer(
      { minimum: 0, maximum: 2_147_483_647 },
      {
        description:
          'Firewall mark of the packets of the tunnel: the firewall lets only these out; 0 for none',
        default: 25_456,
      },
    ),
    hubs: Type.Array(
      group(
        {
          name: text(
            { pattern: '^[a-z0-9][a-z0-9-]{0,31}$' },
            { description: 'Name of the hub in the log; its key is never written there' },
          ),
          publicKey: text({ pattern: wireguardKeyPattern }, { description: 'Public key of the hub' }),
          // Never a name: a name needs DNS outside the tunnel, and WireGuard does not resolve it a second time.
          endpoint: text(
            { pattern: '^([0-9]{1,3}(\\.[0-9]{1,3}){3}|\\[[0-9a-fA-F:.]{2,45}\\]):[0-9]{1,5}$' },
            { description: 'Address and port of the hub; an IPv6 address stands in brackets' },
          ),
          allowedIps: prefixes('Addresses that are reached through this hub; no other hub may have the same'),
          keepaliveSeconds: integer(
            { minimum: 5, maximum: 120 },
            {
              description: 'How often the hub hears of this terminal, so that translated addresses stay open',
              unit: 's',
              default: 25,
            },
          ),
        },
        { description: 'One WireGuard peer at the centre' },
      ),
      { minItems: 1, maxItems: 8, description: 'Hubs of the centre' },
    ),
    watchMillis: integer(
      { minimum: 200, maximum: 60_000 },
      { description: 'How often the tunnel is looked at', unit: 'ms', default: 5000 },
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
