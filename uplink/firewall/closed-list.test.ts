import { describe, expect, test } from 'vitest';
import { closedList, marksOf } from './closed-list.ts';
import type { ClosedListFacts } from './facts.ts';
import { countRules, renderRules } from './render.ts';

const bare: ClosedListFacts = {
  interface: 'checkpost',
  mark: 25_456,
  uplinks: ['eth0', 'wwan0'],
  hubs: [],
  probeHubs: [],
  dns: [],
  time: [],
  uplinkUser: 642,
  timeUser: 643,
  officer: { port: 8443, devices: [] },
  enrolment: [],
  portalPort: undefined,
};
const full: ClosedListFacts = {
  ...bare,
  hubs: [
    { address: '198.51.100.7', port: 51_820 },
    { address: '2001:db8::7', port: 51_820 },
    { address: '198.51.100.7', port: 51_820 },
  ],
  probeHubs: [{ address: '10.92.0.1', port: 51_821 }],
  dns: ['198.51.100.53', '2001:db8::53'],
  time: ['198.51.100.123'],
  officer: { port: 8443, devices: ['lan0'] },
  enrolment: [{ address: '198.51.100.9', port: 443 }],
  portalPort: 8080,
};
const ids = (facts: ClosedListFacts): string[] => closedList(facts).map(({ id }) => id);
const rendered = (facts: ClosedListFacts): string => renderRules(facts, closedList(facts));
const rulesWith = (comment: string, facts = full): string[] =>
  rendered(facts)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.endsWith(`comment "${comment}"`));

describe('The closed list', () => {
  test('is this, for a terminal with everything configured, and nothing else', () => {
    expect(ids(full)).toEqual([
      'wireguard',
      'wireguard-answer',
      'arp',
      'arp-in',
      'neighbours',
      'neighbours-in',
      'dhcp',
      'dhcp-answer',
      'dhcp6',
      'dhcp6-answer',
      'path-mtu',
      'dns',
      'dns-answer',
      'time',
      'time-answer',
      'page',
      'page-answer',
      'enrolment',
      'enrolment-answer',
      'portal-check',
      'portal-check-answer',
      'probe',
      'probe-answer',
      'hub-service',
      'hub-service-answer',
    ]);
  });

  test('has only neighbours, addresses and path errors where nothing is configured', () => {
    expect(ids(bare).filter((id) => !/^(arp|neighbours|dhcp)/.test(id))).toEqual(['path-mtu']);
  });

  test('says of each entry why, and of ARP alone that no rule can hold it', () => {
    for (const entry of closedList(full)) {
      expect(entry.why).toMatch(/\.$/);
      expect(entry.enforcement).toBe(entry.what.match === 'arp' ? 'none' : 'nftables');
    }
  });

  test('has one mark for the tunnel and one for each uplink that there can be', () => {
    expect(marksOf(full)).toEqual({ first: 25_456, last: 25_464 });
  });
});

describe('Rendered for nft', () => {
  test('all three chains drop what no rule lets through, and the table is made anew in one transaction', () => {
    const text = rendered(bare);
    expect(text.startsWith('table inet checkpost\ndelete table inet checkpost\n')).toBe(true);
    for (const hook of ['input', 'forward', 'output'])
      expect(text).toContain(`type filter hook ${hook} priority filter; policy drop;`);
  });

  test('every entry that can be enforced has its rules, and every rule names its entry', () => {
    const text = rendered(full);
    for (const { id, enforcement } of closedList(full))
      expect(rulesWith(id).length > 0, id).toBe(enforcement === 'nftables');
    const rules = text
      .split('\n')
      .filter((line) => /\b(accept|drop|goto \w+|log prefix .*)( comment "[^"]+")?$/.test(line));
    expect(countRules(text)).toBe(rules.length);
  });

  test('no rule lets established connections pass as such', () => {
    for (const line of rendered(full)
      .split('\n')
      .filter((one) => one.includes('established')))
      expect(line).toMatch(/(saddr|daddr) .*(sport|dport) /);
  });

  test('what is marked goes to the hubs or nowhere, before any other rule could let it out', () => {
    const out = rendered(full).split('chain output')[1] ?? '';
    const order = [
      'comment "wireguard"',
      'marked, but not to a hub',
      'to a hub, but not marked',
      'comment "dns"',
    ];
    const places = order.map((text) => out.indexOf(text));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(Math.min(...places)).toBeGreaterThan(0);
    expect(rulesWith('wireguard')).toEqual([
      'oifname { "eth0", "wwan0" } meta mark 25456-25464 ip daddr . udp dport @hubs4 accept comment "wireguard"',
      'oifname { "eth0", "wwan0" } meta mark 25456-25464 ip6 daddr . udp dport @hubs6 accept comment "wireguard"',
    ]);
    expect(rendered(full)).toContain('elements = { 198.51.100.7 . 51820 }');
  });

  test('servers are for their own user; of a connection that its process has closed the rest may follow', () => {
    expect(rulesWith('dns')).toEqual([
      'oifname { "eth0", "wwan0" } ip daddr . meta l4proto . th dport { 198.51.100.53 . udp . 53, 198.51.100.53 . tcp . 53 } meta skuid 642 accept comment "dns"',
      'oifname { "eth0", "wwan0" } ip daddr . meta l4proto . th dport { 198.51.100.53 . udp . 53, 198.51.100.53 . tcp . 53 } meta l4proto tcp ct state established ct direction original accept comment "dns"',
      'oifname { "eth0", "wwan0" } ip6 daddr . meta l4proto . th dport { 2001:db8::53 . udp . 53, 2001:db8::53 . tcp . 53 } meta skuid 642 accept comment "dns"',
      'oifname { "eth0", "wwan0" } ip6 daddr . meta l4proto . th dport { 2001:db8::53 . udp . 53, 2001:db8::53 . tcp . 53 } meta l4proto tcp ct state established ct direction original accept comment "dns"',
    ]);
    expect(rulesWith('time')[0]).toContain(
      '{ 198.51.100.123 . udp . 123, 198.51.100.123 . tcp . 4460 } meta skuid 643',
    );
  });

  test('in a probe tunnel are echoes and the service of the hub, and nothing in a tunnel that is not moved yet', () => {
    const probes = rendered(full).split('chain probes_out')[1] ?? '';
    expect(probes).toContain('ip daddr { 10.92.0.1 } icmp type echo-request accept comment "probe"');
    expect(probes).toContain('10.92.0.1 . tcp . 51821');
    expect(rendered(full).match(/accept comment "(probe|hub-service)"/g)).toHaveLength(3);
    expect(rendered(full)).toContain(
      'oifname { "checkpost0", "checkpost1", "checkpost2", "checkpost3" } counter drop',
    );
  });

  test('what is open has the time that it has left, to the millisecond', () => {
    const target = { address: '198.51.100.9', protocol: 'tcp', port: 443 } as const;
    const text = renderRules(full, closedList(full), [{ mode: 'enrolment', target, remaining: 1234.5 }]);
    expect(text).toContain('elements = { 198.51.100.9 . tcp . 443 timeout 1234ms }');
  });

  test('the kernel’s reports of multicast groups are dropped by name', () => {
    for (const comment of ['igmp', 'mld']) expect(rulesWith(comment)[0]).toContain('counter drop');
  });
});
