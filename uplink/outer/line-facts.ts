import type { UplinkLine } from '#contracts/settings/uplink.ts';
import { usableAddresses } from '../diagnosis/index.ts';
import { gatewayOf, type Way } from '../network/index.ts';
import type { DeviceState, NetworkState } from '../tools/network-state.ts';
import type { Family } from '../tools/prefix.ts';

/** What the kernel says of one uplink. */
export interface LineFound {
  readonly device: DeviceState | undefined;
  /** By family; a family without a way out is missing. */
  readonly ways: Readonly<Partial<Record<Family, Way>>>;
  /** Addresses by which packets go out and come back. */
  readonly addresses: readonly string[];
  /** Whether packets can leave by it at all. */
  readonly usable: boolean;
}

export function findLine(line: Pick<UplinkLine, 'device' | 'gateway'>, state: NetworkState): LineFound {
  const device = state.devices.find(({ name }) => name === line.device);
  const addresses = usableAddresses(device?.addresses.map(({ address }) => address) ?? []);
  const ways: Partial<Record<Family, Way>> = {};
  for (const family of [4, 6] as const) {
    const way = wayOf(line, state, device, family);
    if (way !== undefined) ways[family] = way;
  }
  const usable =
    device !== undefined &&
    device.up &&
    device.carrier &&
    addresses.length > 0 &&
    Object.keys(ways).length > 0;
  return { device, ways, addresses, usable };
}

function wayOf(
  { gateway }: Pick<UplinkLine, 'gateway'>,
  state: NetworkState,
  device: DeviceState | undefined,
  family: Family,
): Way | undefined {
  if (device === undefined) return undefined;
  if (gateway !== undefined) return gateway.includes(':') === (family === 6) ? { gateway } : undefined;
  return gatewayOf(state, device.name, family);
}
