import { UplinkSettings } from '#contracts/settings/uplink.ts';
import { parseSettings } from '#runtime/settings.ts';

/** Settings of a made-up terminal with two uplinks and two hubs. */
export function testSettings(changes: Readonly<Record<string, unknown>> = {}): UplinkSettings {
  const key = (letter: string): string => `${letter.repeat(42)}A=`;
  const parsed = parseSettings(
    UplinkSettings,
    {
      terminal: 'UTO-0001-1',
      state: '/state',
      privateKey: '/state/tunnel.key',
      addresses: ['10.77.0.2/32'],
      reach: ['10.80.0.0/16'],
      uplinks: [
        { name: 'dsl', device: 'eth0', metric: 10, probeAddress: '10.78.0.2' },
        { name: 'lte', device: 'wwan0', kind: 'lte', metric: 20, metered: true, probeAddress: '10.78.0.3' },
      ],
      hubs: [hub('one', key('a'), '192.0.2.10:51820', 1), hub('two', key('b'), '198.51.100.10:51820', 2)],
      ...changes,
    },
    '/etc/checkpost/uplink.json',
  );
  if (!parsed.ok) throw new Error(parsed.fault.detail);
  return parsed.value;
}

function hub(name: string, publicKey: string, endpoint: string, last: number) {
  return { name, publicKey, endpoint, address: `10.77.255.${last}`, probeAddress: `10.78.255.${last}` };
}
