import { describe, expect, test } from 'vitest';
import { UplinkSettings } from '#contracts/settings/uplink.ts';
import { toError } from '#runtime/errors.ts';
import { parseSettings } from '#runtime/settings.ts';
import { checkNetwork, checkUplink } from './check.ts';

const key = (letter: string): string => `${letter.repeat(42)}A=`;
const uplink = (n: number, more: object = {}) => ({
  name: `line-${n}`,
  device: `eth${n}`,
  metric: n,
  probeAddress: `10.78.${n}.2`,
  ...more,
});
const hub = (n: number, more: object = {}) => ({
  name: `hub-${n}`,
  publicKey: key(String(n)),
  endpoint: `192.0.2.${n}:51820`,
  address: `10.77.0.${n}`,
  probeAddress: `10.79.0.${n}`,
  ...more,
});

function settings(more: object = {}): UplinkSettings {
  const given = {
    terminal: 'UTO-0001-1',
    state: '/var/lib/checkpost-uplink',
    privateKey: '/var/lib/checkpost-uplink/tunnel.key',
    addresses: ['10.77.0.20/32'],
    reach: ['10.80.0.0/16'],
    uplinks: [uplink(1), uplink(2)],
    hubs: [hub(1), hub(2)],
    ...more,
  };
  const parsed = parseSettings(UplinkSettings, given, '/etc/checkpost/uplink.json');
  if (!parsed.ok) throw toError(parsed.fault);
  return parsed.value;
}
function complaints(more: object): string[] {
  const checked = checkUplink(settings(more), 'uplink.json');
  if (checked.ok) return [];
  expect(checked.fault.code).toBe('SETTINGS_INVALID');
  const [file, ...lines] = checked.fault.detail.split('\n');
  expect(file).toBe('uplink.json');
  return lines;
}

describe('The settings of the uplink', () => {
  test('Good ones pass, also with names, both families and a budget', () => {
    expect(complaints({})).toEqual([]);
    expect(
      complaints({
        addresses: ['10.77.0.20/32', 'fd00:77::20/128'],
        reach: ['10.80.0.0/16', 'fd00:80::/48'],
        dns: ['192.0.2.53', '2001:db8::53'],
        time: ['192.0.2.123'],
        enrolment: ['[2001:db8::7]:443', '192.0.2.7:443'],
        uplinks: [uplink(1, { gateway: 'fe80::1' }), uplink(2, { metered: true, monthlyMegabytes: 100 })],
        hubs: [
          hub(1, { endpoint: 'hub-1.centre.example:51820' }),
          hub(2, { endpoint: '[2001:db8::2]:51820', pinned: ['192.0.2.2'] }),
        ],
      }),
    ).toEqual([]);
  });

  test.each<[string, object, string]>([
    ['an address that is none', { addresses: ['10.77.0.256/32'] }, 'addresses.0: found 10.77.0.256/32'],
    ['a prefix too long', { reach: ['10.80.0.0/33'] }, 'reach.0: found 10.80.0.0/33'],
    ['a prefix of IPv6 too long', { reach: ['fd00::/129'] }, 'reach.0: found fd00::/129'],
    ['a DNS server that is none', { dns: ['1.2.3'] }, 'dns.0: found 1.2.3'],
    ['a time server that is none', { time: ['::g'.replace('g', 'fffff')] }, 'time.0: found ::fffff'],
    ['a port that is none', { hubs: [hub(1, { endpoint: '192.0.2.1:0' })] }, 'hubs.0.endpoint: found'],
    ['a port too high', { hubs: [hub(1, { endpoint: '192.0.2.1:70000' })] }, 'hubs.0.endpoint: found'],
    [
      'an endpoint that is no address',
      { hubs: [hub(1, { endpoint: '192.0.2.256:51820' })] },
      'hubs.0.endpoint',
    ],
    ['half an address', { hubs: [hub(1, { endpoint: '192.0.2:51820' })] }, 'hubs.0.endpoint'],
    ['brackets around no address', { hubs: [hub(1, { endpoint: '[::1::2]:51820' })] }, 'hubs.0.endpoint'],
    ['a pinned address that is none', { hubs: [hub(1, { pinned: ['192.0.2.300'] })] }, 'hubs.0.pinned.0'],
    ['a hub whose address is none', { hubs: [hub(1, { address: '10.77.0.300' })] }, 'hubs.0.address'],
    [
      'a probe address that is none',
      { uplinks: [uplink(1, { probeAddress: '10.78.0.300' })] },
      'uplinks.0.probeAddress',
    ],
    ['a router that is none', { uplinks: [uplink(1, { gateway: '192.0.2.999' })] }, 'uplinks.0.gateway'],
    ['a server of the enrolment that is none', { enrolment: ['192.0.2.256:443'] }, 'enrolment.0'],
    [
      'a name that nobody can resolve',
      { hubs: [hub(1, { endpoint: 'hub.example:51820' })] },
      'hubs.0.endpoint: found the name hub.example',
    ],
    ['two uplinks of one name', { uplinks: [uplink(1), uplink(2, { name: 'line-1' })] }, 'uplinks.1.name'],
    [
      'two uplinks of one device',
      { uplinks: [uplink(1), uplink(2, { device: 'eth1' })] },
      'uplinks.1.device',
    ],
    ['two uplinks of one metric', { uplinks: [uplink(1), uplink(2, { metric: 1 })] }, 'uplinks.1.metric'],
    ['two hubs of one name', { hubs: [hub(1), hub(2, { name: 'hub-1' })] }, 'hubs.1.name'],
    ['two hubs of one key', { hubs: [hub(1), hub(2, { publicKey: key('1') })] }, 'hubs.1.publicKey'],
    ['two hubs at one place', { hubs: [hub(1), hub(2, { endpoint: '192.0.2.1:51820' })] }, 'hubs.1.endpoint'],
    [
      'two hubs of one address',
      { hubs: [hub(1), hub(2, { address: '10.77.0.1' })] },
      'hubs.1.address: found 10.77.0.1, which hubs.0.address has',
    ],
    [
      'two hubs of one probe address',
      { hubs: [hub(1), hub(2, { probeAddress: '10.79.0.1' })] },
      'hubs.1.probeAddress',
    ],
    [
      'two uplinks of one probe address',
      { uplinks: [uplink(1), uplink(2, { probeAddress: '10.78.1.2' })] },
      'uplinks.1.probeAddress',
    ],
    [
      'a hub with the address of the terminal',
      { addresses: ['10.77.0.1/24'] },
      'hubs.0.address: found 10.77.0.1, which addresses.0 has',
    ],
    [
      'a probe address that the tunnel reaches',
      { reach: ['10.79.0.0/24'] },
      'hubs.0.probeAddress: found 10.79.0.1; allowed: an address outside of reach',
    ],
    [
      'a budget without a meter',
      { uplinks: [uplink(1, { monthlyMegabytes: 100 })] },
      'uplinks.0.monthlyMegabytes',
    ],
    [
      'a budget that the probes use up',
      { uplinks: [uplink(1, { metered: true, monthlyMegabytes: 5 })] },
      'uplinks.0.monthlyMegabytes: found 5 MB',
    ],
  ])('%s is named', (_, more, expected) => {
    const found = complaints(more);
    expect(
      found.some((line) => line.startsWith(expected)),
      found.join('\n'),
    ).toBe(true);
  });

  test('All complaints come at once', () => {
    const more = {
      dns: ['x:'.replace('x', 'f')],
      reach: ['10.80.0.0/40'],
      hubs: [hub(1), hub(2, { name: 'hub-1' })],
    };
    expect(complaints(more)).toHaveLength(3);
  });

  test('The network part alone is checked in the same way, as a configuration that is refused', () => {
    const { addresses, reach, uplinks, hubs, dns, time, portalCheck } = settings();
    const network = { addresses, reach, uplinks, hubs, dns, time, portalCheck };
    expect(checkNetwork(network).ok).toBe(true);
    const refused = checkNetwork({ ...network, dns: ['nonsense'] });
    expect(refused).toMatchObject({ fault: { code: 'CONFIGURATION_REFUSED' } });
  });
});
