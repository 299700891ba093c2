import type { UplinkSettings } from '#contracts/settings/uplink.ts';
import type { Order } from '../halves/orders.ts';
import type { KeyStore } from '../keys/key-store.ts';
import { tunnelSlot } from '../keys/slots.ts';
import { tunnelName } from './names.ts';

export interface OrderInput {
  readonly settings: Pick<UplinkSettings, 'interface' | 'addresses' | 'reach' | 'hubs'>;
  readonly keys: Pick<KeyStore, 'keyFile' | 'presharedKeyFile'>;
  /** Address and port of each hub; one that is not known yet is left out. */
  readonly endpoints: ReadonlyMap<string, string>;
  /** The hub that carries; while nobody knows, the first. */
  readonly carrying: string | undefined;
  /** Largest packet of the uplink that carries, bytes. */
  readonly mtu: number;
}

/**
 * How the namespace of the agent is to be; pure. Every tunnel takes everything of the centre from its hub, so that
 * answers under way are taken by whichever hub they come; only the routes say which one carries.
 */
export function orderOf({
  settings,
  keys,
  endpoints,
  carrying,
  mtu,
}: OrderInput): Omit<Order, 'seq' | 'nudge'> {
  const { addresses, reach, hubs } = settings;
  const at = Math.max(
    0,
    hubs.findIndex(({ name }) => name === carrying),
  );
  return {
    tunnels: hubs.map(({ name, publicKey, address, keepaliveSeconds }, i) => {
      const slot = tunnelSlot(name);
      return {
        interface: tunnelName(settings, i),
        mtu,
        keyFile: keys.keyFile(slot),
        publicKey,
        presharedKeyFile: keys.presharedKeyFile(slot, name),
        endpoint: endpoints.get(name) ?? null,
        allowedIps: [...reach, `${address}/32`],
        keepaliveSeconds,
        hubAddress: address,
      };
    }),
    addresses: [...addresses],
    routes: [
      ...hubs.map(({ address }, i) => ({ destination: `${address}/32`, interface: tunnelName(settings, i) })),
      ...reach.map((destination) => ({ destination, interface: tunnelName(settings, at) })),
    ],
  };
}
