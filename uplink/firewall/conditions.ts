import { isIP } from 'node:net';
import type { Match } from './entry.ts';
import type { Target, TimedMode } from './facts.ts';

/** Names of the sets of a timed mode, for IPv4 and IPv6; the kernel drops their elements when their time is over. */
export function setsOf(mode: TimedMode): readonly [string, string] {
  const name = mode === 'enrolment' ? 'enrolment' : 'portal';
  return [`${name}4`, `${name}6`];
}

const started = 'ct state established ct direction original';
const answered = 'ct state established ct direction reply';

/** The conditions of nft under which a packet is that of the entry; any one of them is enough. */
export function alternatives(what: Match): string[] {
  switch (what.match) {
    case 'arp':
      return [];
    case 'wireguard':
      return [
        `meta mark ${what.marks.first}-${what.marks.last} ip daddr . udp dport @hubs4`,
        `meta mark ${what.marks.first}-${what.marks.last} ip6 daddr . udp dport @hubs6`,
      ];
    case 'wireguard-answer':
      return ['ip saddr . udp sport @hubs4', 'ip6 saddr . udp sport @hubs6'];
    case 'neighbours':
      return [`icmpv6 type { ${what.types.join(', ')} } ip6 hoplimit 255`];
    case 'path-mtu':
      return [
        'icmp type destination-unreachable icmp code frag-needed ct state related',
        'icmpv6 type packet-too-big ct state related',
      ];
    case 'udp': {
      const ports = `udp sport ${what.from} udp dport ${what.to}`;
      if (what.destinations.length === 0) return [`meta nfproto ipv${what.family} ${ports}`];
      return byFamily(what.destinations, (ip, list) => `${ip} daddr { ${list} } ${ports}`);
    }
    case 'client':
      return byFamily(
        what.targets.map(service),
        (ip, list) => `${ip} daddr . meta l4proto . th dport { ${list} }`,
      ).flatMap((to) => userOf(to, what.user));
    case 'client-answer':
      return byFamily(
        what.targets.map(service),
        (ip, list) => `${ip} saddr . meta l4proto . th sport { ${list} } ${answered}`,
      );
    case 'page':
      return byFamily(what.from, (ip, list) => `${ip} saddr { ${list} } tcp dport ${what.port}`).flatMap(
        (to) => [`${to} ct state new limit rate 50/second`, `${to} ${started}`],
      );
    case 'page-answer':
      return byFamily(what.to, (ip, list) => `${ip} daddr { ${list} } tcp sport ${what.port} ${answered}`);
    case 'timed':
      return setsOf(what.mode)
        .map((name, i) => `${families[i]} daddr . meta l4proto . th dport @${name}`)
        .flatMap((to) => (what.user === undefined ? [to] : userOf(to, what.user)));
    case 'timed-answer':
      return setsOf(what.mode).map(
        (name, i) => `${families[i]} saddr . meta l4proto . th sport @${name} ${answered}`,
      );
    case 'echo':
      return byFamily(what.hubs, (ip, list) => `${ip} daddr { ${list} } ${icmpOf(ip)} type echo-request`);
    default:
      return byFamily(what.hubs, (ip, list) => `${ip} saddr { ${list} } ${icmpOf(ip)} type echo-reply`);
  }
}

const families = ['ip', 'ip6'] as const;
const icmpOf = (ip: 'ip' | 'ip6'): string => (ip === 'ip' ? 'icmp' : 'icmpv6');
const service = ({ address, protocol, port }: Target): string => `${address} . ${protocol} . ${port}`;

/** A condition for IPv4 and one for IPv6, each with its share of the elements; none where it has no share. */
function byFamily(
  elements: readonly string[],
  condition: (ip: 'ip' | 'ip6', list: string) => string,
): string[] {
  return families.flatMap((ip) => {
    const mine = elements.filter((element) => isIP(element.split(/[ /]/)[0] ?? '') === (ip === 'ip' ? 4 : 6));
    return mine.length === 0 ? [] : [condition(ip, [...new Set(mine)].join(', '))];
  });
}

/** The last packets of a TCP connection have no user any more: its process has closed it. */
function userOf(to: string, user: number): string[] {
  return [`${to} meta skuid ${user}`, `${to} meta l4proto tcp ${started}`];
}
