import { describe, expect, test } from 'vitest';
import type { ClosedListEntry } from '#uplink/index.ts';
import { judge, leaks, type Open } from './judge.ts';
import type { Ip, Packet, Transport } from './packet.ts';

const uplinks = { at: 'uplinks', devices: ['eth0'] } as const;
const anywhere = { at: 'any-physical' } as const;
const hubs = [
  { address: '198.51.100.7', port: 51_820 },
  { address: '2001:0db8:0::7', port: 51_820 },
];
const list: readonly ClosedListEntry[] = (
  [
    ['wireguard', 'out', uplinks, { match: 'wireguard', hubs, marks: { first: 1, last: 9 } }],
    ['wireguard-answer', 'in', uplinks, { match: 'wireguard-answer', hubs }],
    ['arp', 'out', anywhere, { match: 'arp' }],
    ['neighbours', 'out', anywhere, { match: 'neighbours', types: [133, 135, 136] }],
    ['dhcp', 'out', anywhere, { match: 'udp', family: 4, from: 68, to: 67, destinations: [] }],
    ['dhcp6', 'out', anywhere, { match: 'udp', family: 6, from: 546, to: 547, destinations: ['ff02::1:2'] }],
    ['path-mtu', 'in', anywhere, { match: 'path-mtu' }],
    [
      'dns',
      'out',
      uplinks,
      { match: 'client', user: 642, targets: [{ address: '192.0.2.53', protocol: 'udp', port: 53 }] },
    ],
    [
      'page',
      'in',
      { at: 'site-lan', devices: ['lan0'] },
      { match: 'page', port: 8443, from: ['10.0.0.0/8'] },
    ],
    [
      'page-answer',
      'out',
      { at: 'site-lan', devices: ['lan0'] },
      { match: 'page-answer', port: 8443, to: ['10.0.0.0/8'] },
    ],
    ['enrolment', 'out', uplinks, { match: 'timed', mode: 'enrolment', permits: [], user: undefined }],
    ['probe', 'out', { at: 'probes' }, { match: 'echo', hubs: ['10.92.0.1'] }],
  ] as const
).map(([id, direction, where, what]) => ({ id, direction, where, what, why: '', enforcement: 'nftables' }));

interface Given extends Partial<Omit<Ip, 'transport'>> {
  readonly device?: string;
  readonly direction?: 'out' | 'in';
}
function packet(transport: Transport, { device = 'eth0', direction = 'out', ...ip }: Given = {}): Packet {
  const network = {
    kind: 'ip' as const,
    version: 4 as const,
    source: '192.0.2.10',
    destination: '198.51.100.7',
    hopLimit: 64,
    protocol: 17,
    fragment: undefined,
    transport,
    ...ip,
  };
  return { device, direction, at: 1, length: 100, network };
}
function udp(to: number, { from = 40_000, payload = [4, 0, 0, 0], size = 32 } = {}): Transport {
  return { kind: 'udp', from, to, size, payload: Buffer.from(payload) };
}
const tcp = (from: number, to: number): Transport => ({ kind: 'tcp', from, to, flags: 2 });
const entryOf = (one: Packet, open?: Open) => judge([one], list, open)[0]?.entry;

describe('The judge of a capture', () => {
  test.each([
    [1, 148, 'wireguard'],
    [2, 92, 'wireguard'],
    [3, 64, 'wireguard'],
    [4, 32, 'wireguard'],
    [4, 1452, 'wireguard'],
    [4, 31, undefined],
    [1, 147, undefined],
    [5, 148, undefined],
    [0, 148, undefined],
  ])('takes a message to a hub of type %i and %i bytes for %s', (type, size, entry) => {
    expect(entryOf(packet(udp(51_820, { payload: [type, 0, 0, 0], size })))).toBe(entry);
  });

  test('sees a leak in what goes to a hub and is no WireGuard, to another port of it, or by another device', () => {
    expect(entryOf(packet(udp(51_820, { payload: [4, 0, 1, 0] })))).toBeUndefined();
    expect(entryOf(packet(udp(51_820, { payload: [] })))).toBeUndefined();
    expect(entryOf(packet(udp(51_821)))).toBeUndefined();
    expect(entryOf(packet(udp(51_820), { device: 'lan0' }))).toBeUndefined();
    expect(entryOf(packet(tcp(40_000, 51_820)))).toBeUndefined();
  });

  test('knows a hub by its address however it is spelled', () => {
    const to = { version: 6, source: '2001:db8::a', destination: '2001:db8::7' } as const;
    expect(entryOf(packet(udp(51_820), to))).toBe('wireguard');
  });

  test('lets a later fragment pass with its first one, and not without', () => {
    const part = (id: number, first: boolean) =>
      packet(first ? udp(51_820) : { kind: 'other' }, { fragment: { id, first } });
    const judged = judge([part(1, true), part(1, false), part(2, false)], list);
    expect(judged.map(({ entry }) => entry)).toEqual(['wireguard', 'wireguard', undefined]);
  });

  test('lets the page answer only whom it has seen ask, and within the site', () => {
    const lan = { device: 'lan0' } as const;
    const asks = packet(tcp(50_000, 8443), {
      ...lan,
      direction: 'in',
      source: '10.1.1.9',
      destination: '10.1.1.1',
    });
    const answers = packet(tcp(8443, 50_000), { ...lan, source: '10.1.1.1', destination: '10.1.1.9' });
    const another = packet(tcp(8443, 50_001), { ...lan, source: '10.1.1.1', destination: '10.1.1.9' });
    expect(judge([asks, answers, another], list).map(({ entry }) => entry)).toEqual([
      'page',
      'page-answer',
      undefined,
    ]);
    expect(judge([answers, asks], list).map(({ entry }) => entry)).toEqual([undefined, 'page']);
    const outside = packet(tcp(50_000, 8443), { ...lan, direction: 'in', source: '198.51.100.9' });
    expect(entryOf(outside)).toBeUndefined();
  });

  test('lets a timed mode pass only while it is open, and to its targets', () => {
    const target = { address: '192.0.2.99', protocol: 'tcp', port: 443 } as const;
    const one = packet(tcp(40_000, 443), { destination: '192.0.2.99' });
    expect(entryOf(one)).toBeUndefined();
    expect(entryOf(one, { enrolment: [target] })).toBe('enrolment');
    expect(entryOf(one, { enrolment: [{ ...target, port: 80 }] })).toBeUndefined();
    expect(entryOf(one, { 'portal-check': [target] })).toBeUndefined();
  });

  test('knows neighbours from reports of multicast groups and from echoes', () => {
    const icmp6 = (type: number, hopLimit = 255) =>
      entryOf(packet({ kind: 'icmp', type, code: 0 }, { version: 6, hopLimit, protocol: 58 }));
    expect([133, 135, 136].map((type) => icmp6(type))).toEqual(Array(3).fill('neighbours'));
    expect([128, 129, 131, 134, 143].map((type) => icmp6(type))).toEqual(Array(5).fill(undefined));
    expect(icmp6(135, 64)).toBeUndefined();
  });

  test('sees a leak in what belongs into a probe tunnel and is on the wire', () => {
    const echo = packet({ kind: 'icmp', type: 8, code: 0 }, { destination: '10.92.0.1', protocol: 1 });
    expect(entryOf(echo)).toBeUndefined();
  });

  test('knows addresses by DHCP, a path error and a named server', () => {
    expect(entryOf(packet(udp(67, { from: 68 }), { device: 'lan0' }))).toBe('dhcp');
    expect(entryOf(packet(udp(67, { from: 4000 })))).toBeUndefined();
    expect(entryOf(packet(udp(547, { from: 546 }), { version: 6, destination: 'ff02::1:2' }))).toBe('dhcp6');
    expect(
      entryOf(packet(udp(547, { from: 546 }), { version: 6, destination: '2001:db8::1' })),
    ).toBeUndefined();
    expect(entryOf(packet({ kind: 'icmp', type: 3, code: 4 }, { direction: 'in' }))).toBe('path-mtu');
    expect(entryOf(packet({ kind: 'icmp', type: 3, code: 4 }))).toBeUndefined();
    expect(entryOf(packet(udp(53), { destination: '192.0.2.53' }))).toBe('dns');
    expect(entryOf(packet(udp(53), { destination: '192.0.2.54' }))).toBeUndefined();
  });

  test('names as leaks only what left: what comes in unasked is no leak, an unknown kind of packet is', () => {
    const alien = {
      device: 'eth0',
      at: 1,
      length: 60,
      network: { kind: 'other', etherType: 0x88cc },
    } as const;
    const judged = judge(
      [
        { ...alien, direction: 'in' },
        { ...alien, direction: 'out' },
        { ...alien, direction: 'out', network: { kind: 'arp' } },
      ],
      list,
    );
    expect(leaks(judged)).toEqual(['out eth0: Ethernet type 0x88cc, 60 bytes']);
  });
});
