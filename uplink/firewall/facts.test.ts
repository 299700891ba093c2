import { describe, expect, test } from 'vitest';
import { UplinkSettings } from '#contracts/settings/uplink.ts';
import { parseSettings } from '#runtime/settings.ts';
import { type ClosedListFacts, factsOf, wrongFact } from './facts.ts';

function settings(more: object = {}): UplinkSettings {
  const given = {
    terminal: 'kgz-osh-1',
    state: '/var/lib/checkpost-uplink',
    privateKey: '/var/lib/checkpost-uplink/tunnel.key',
    addresses: ['10.77.0.2/32'],
    reach: ['10.77.0.0/24'],
    uplinks: [
      { name: 'dsl', device: 'eth0', metric: 10, probeAddress: '10.92.0.2' },
      { name: 'lte', device: 'wwan0', metric: 20, probeAddress: '10.92.0.3' },
    ],
    hubs: [
      {
        name: 'a',
        publicKey: 'xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=',
        endpoint: 'a.example:51820',
        address: '10.77.0.1',
        probeAddress: '10.92.0.1',
      },
    ],
    ...more,
  };
  const parsed = parseSettings(UplinkSettings, given, '/etc/checkpost/uplink.json');
  if (!parsed.ok) throw new Error(parsed.fault.detail);
  return parsed.value;
}

const hubs = [{ address: '198.51.100.7', port: 51_820 }];

describe('The facts of the closed list', () => {
  test('come from the settings, the hubs as they are resolved, and the user that the helper runs as', () => {
    const facts = factsOf(
      settings({
        dns: ['198.51.100.53'],
        officer: { devices: ['lan0'] },
        enrolment: ['198.51.100.9:443', '[2001:db8::9]:8443'],
        portalCheck: { url: 'http://portal.example/ok', expect: 'ok' },
      }),
      hubs,
      642,
    );
    expect(facts).toEqual({
      interface: 'checkpost',
      mark: 25_456,
      uplinks: ['eth0', 'wwan0'],
      hubs,
      probeHubs: [{ address: '10.92.0.1', port: 51_821 }],
      dns: ['198.51.100.53'],
      time: [],
      uplinkUser: 642,
      timeUser: 643,
      officer: { port: 8443, devices: ['lan0'] },
      enrolment: [
        { address: '198.51.100.9', port: 443 },
        { address: '2001:db8::9', port: 8443 },
      ],
      portalPort: 80,
    });
    expect(wrongFact(facts)).toBeUndefined();
  });

  test('take the port of the portal’s page from its address', () => {
    const portalCheck = { url: 'http://portal.example:8080/ok', expect: 'ok' };
    expect(factsOf(settings({ portalCheck }), hubs, 642).portalPort).toBe(8080);
    expect(factsOf(settings(), hubs, 642).portalPort).toBeUndefined();
  });

  test.each<[string, Partial<ClosedListFacts>]>([
    ['hub.example', { hubs: [{ address: 'hub.example', port: 51_820 }] }],
    ['999.1.1.1', { dns: ['999.1.1.1'] }],
    ['fe80::1%eth0', { time: ['fe80::1%eth0'] }],
    ['eth0" accept', { uplinks: ['eth0" accept'] }],
    ['Check', { interface: 'Check' }],
    ['70000', { enrolment: [{ address: '198.51.100.9', port: 70_000 }] }],
    ['-1', { uplinkUser: -1 }],
  ])('are refused where nft could read something else: %s', (text, wrong) => {
    expect(wrongFact({ ...factsOf(settings(), hubs, 642), ...wrong })).toContain(text);
  });
});
