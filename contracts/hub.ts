import Type, { type Static } from 'typebox';
import { Instant } from './names.ts';
import { PresharedKey } from './settings/hub.ts';
import { wireguardKeyPattern } from './settings/uplink.ts';

/**
 * What a terminal and a hub say to each other about keys: JSON lines over TCP, inside a probe tunnel. Who speaks is
 * known by the address in the tunnel: WireGuard lets nobody else send from it (cryptokey routing).
 */

const PublicKey = Type.String({ pattern: wireguardKeyPattern, description: 'Public key' });

/** Which key: that of the tunnel, or that of the probe tunnel of an uplink. */
export const KeySlot = Type.String({
  pattern: '^(tunnel|probe-[a-z0-9][a-z0-9-]{0,15})$',
  description: 'tunnel, or probe- and the name of the uplink',
});
export type KeySlot = Static<typeof KeySlot>;

const id = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });

export const HubRequest = Type.Union([
  /** Which keys the hub takes from this terminal. */
  Type.Object({ id, verb: Type.Literal('keys') }, { additionalProperties: false }),
  /**
   * A new key, beside the one in force. The hub keeps it on disk before it answers, takes both, and makes it the one in
   * force at its first handshake. Offering the same again is harmless; another takes its place.
   */
  Type.Object(
    { id, verb: Type.Literal('offer'), slot: KeySlot, publicKey: PublicKey, presharedKey: PresharedKey },
    { additionalProperties: false },
  ),
  /** The largest packet that reaches this terminal: the hub sends none larger to it. */
  Type.Object(
    {
      id,
      verb: Type.Literal('path'),
      mtu: Type.Integer({ minimum: 1200, maximum: 1440, description: 'Bytes' }),
    },
    { additionalProperties: false },
  ),
]);
export type HubRequest = Static<typeof HubRequest>;

export const SlotKeys = Type.Object(
  { slot: KeySlot, current: PublicKey, candidate: Type.Union([Type.Null(), PublicKey]) },
  { additionalProperties: false },
);
export type SlotKeys = Static<typeof SlotKeys>;

/** Every answer carries the hub's time, which the tunnel authenticates. */
export const HubAnswer = Type.Union([
  Type.Object(
    {
      id,
      ok: Type.Literal(true),
      time: Instant,
      keys: Type.Array(SlotKeys, { maxItems: 9 }),
    },
    { additionalProperties: false },
  ),
  Type.Object(
    {
      id,
      ok: Type.Literal(false),
      time: Instant,
      code: Type.String({ maxLength: 64 }),
      detail: Type.String({ maxLength: 500 }),
    },
    { additionalProperties: false },
  ),
]);
export type HubAnswer = Static<typeof HubAnswer>;

/** Longest line of this protocol, in bytes. */
export const hubLineLimit = 4096;
