import Type, { type Static } from 'typebox';
import { wireguardKeyPattern } from '#contracts/settings/uplink.ts';

/**
 * What the two halves of the uplink say to each other: JSON lines over a Unix socket that only their own user may
 * open. The outer half says how the namespace of the agent is to be; the inner half makes it so and says what came of
 * it. No secret passes: keys are named by the file that they lie in, and both halves run as the user who may read it.
 */

const name = Type.String({ pattern: '^[a-z][a-z0-9-]{0,14}$' });
const file = Type.String({ minLength: 1, maxLength: 4096 });
const prefix = Type.String({ pattern: '^[0-9a-fA-F.:]{2,45}/[0-9]{1,3}$' });
const count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

export const TunnelOrder = Type.Object(
  {
    interface: name,
    mtu: Type.Integer({ minimum: 1200, maximum: 1440, description: 'Bytes' }),
    keyFile: file,
    publicKey: Type.String({ pattern: wireguardKeyPattern, description: 'Public key of the hub' }),
    presharedKeyFile: Type.Union([Type.Null(), file]),
    /** Address and port; null where it is not known yet. */
    endpoint: Type.Union([Type.Null(), Type.String({ maxLength: 64 })]),
    allowedIps: Type.Array(prefix, { minItems: 1, maxItems: 40 }),
    keepaliveSeconds: Type.Integer({ minimum: 0, maximum: 3600, description: 'Seconds; 0 for none' }),
    /** Address of the hub in the tunnel. */
    hubAddress: Type.String({ maxLength: 45 }),
  },
  { additionalProperties: false },
);
export type TunnelOrder = Static<typeof TunnelOrder>;

/** How the namespace is to be; each order holds the whole. */
export const Order = Type.Object(
  {
    seq: count,
    tunnels: Type.Array(TunnelOrder, { maxItems: 4 }),
    addresses: Type.Array(prefix, { maxItems: 32 }),
    routes: Type.Array(
      Type.Object({ destination: prefix, interface: name }, { additionalProperties: false }),
      { maxItems: 64 },
    ),
    /**
     * Goes up when each hub is to hear of this terminal at once: after a switch of uplinks, so that it answers to the
     * new address, and after a change of key, so that the handshake begins.
     */
    nudge: count,
  },
  { additionalProperties: false },
);
export type Order = Static<typeof Order>;

export const Counters = Type.Object(
  { interface: name, rxPackets: count, txPackets: count, rxBytes: count, txBytes: count },
  { additionalProperties: false },
);
export type Counters = Static<typeof Counters>;

export const Report = Type.Union([
  Type.Object(
    {
      kind: Type.Literal('applied'),
      seq: count,
      /** What had to be changed, in words. */
      changed: Type.Array(Type.String({ maxLength: 200 }), { maxItems: 64 }),
    },
    { additionalProperties: false },
  ),
  Type.Object(
    {
      kind: Type.Literal('failed'),
      seq: count,
      code: Type.String({ maxLength: 48 }),
      detail: Type.String({ maxLength: 500 }),
    },
    { additionalProperties: false },
  ),
  /** What passed each tunnel so far; said when it changed. */
  Type.Object(
    { kind: Type.Literal('counters'), tunnels: Type.Array(Counters, { maxItems: 4 }) },
    { additionalProperties: false },
  ),
]);
export type Report = Static<typeof Report>;
