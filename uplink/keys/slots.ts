import type { KeySlot } from '#contracts/hub.ts';

/**
 * A place for a key on this terminal. WireGuard has one private key for each interface: the tunnel has an interface for
 * each hub, so its key is of one hub; the probe interface of an uplink is shared by all hubs, and so is its key.
 */
export type Slot = `tunnel@${string}` | `probe-${string}`;

export const tunnelSlot = (hub: string): Slot => `tunnel@${hub}`;
export const probeSlot = (uplink: string): Slot => `probe-${uplink}`;

/** What a hub calls the slot: it knows no other hub. */
export function wireSlot(slot: Slot): KeySlot {
  return slot.startsWith('tunnel@') ? 'tunnel' : slot;
}

/** The hub of a slot of the tunnel, or undefined for a probe, which all hubs share. */
export function hubOf(slot: Slot): string | undefined {
  return slot.startsWith('tunnel@') ? slot.slice('tunnel@'.length) : undefined;
}

/** Those of the hubs that must take a new key of the slot. */
export function hubsOf(slot: Slot, hubs: readonly string[]): readonly string[] {
  const one = hubOf(slot);
  return one === undefined ? hubs : hubs.filter((hub) => hub === one);
}

/** Every slot of a terminal: the tunnels first, in the order of the settings. */
export function slotsOf(settings: {
  readonly hubs: readonly { readonly name: string }[];
  readonly uplinks: readonly { readonly name: string }[];
}): readonly Slot[] {
  return [
    ...settings.hubs.map(({ name }) => tunnelSlot(name)),
    ...settings.uplinks.map(({ name }) => probeSlot(name)),
  ];
}
