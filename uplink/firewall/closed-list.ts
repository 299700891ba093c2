import type { ClosedListEntry, Marks, Permit, Where } from './entry.ts';
import { type ClosedListFacts, mostUplinks, type TimedMode } from './facts.ts';

/** Networks that a site's own devices have: RFC 1918, RFC 3927, RFC 4193 and link-local addresses of IPv6. */
const siteNetworks = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  'fc00::/7',
  'fe80::/10',
];

/** Our marks: the tunnel's, and after it one for each uplink that there can be. */
export function marksOf({ mark }: Pick<ClosedListFacts, 'mark'>): Marks {
  return { first: mark, last: mark + mostUplinks };
}

/**
 * The closed list: all that may pass the physical interfaces of a terminal, and the probe tunnels. As data, so that
 * the firewall is made of it (render.ts) and the leak tests judge every captured packet by it (test/rigs/capture).
 *
 * What is not on it, on purpose: echoes (the terminal does not answer a ping, and asks only inside the probe tunnels);
 * ICMP errors outwards (they would tell a scanner what is there, and nothing that may come in needs them); reports of
 * multicast groups by IGMP and MLD, which the kernel sends by itself. Without MLD reports a switch with MLD snooping
 * may keep neighbour solicitations from the terminal; on such a site the line is used by IPv4.
 *
 * What no rule of this table sees: ARP, and packet sockets (packet(7)), by which a DHCP client sends before it has an
 * address. The latter need CAP_NET_RAW, which no unit of ours has; the leak tests capture both.
 */
export function closedList(facts: ClosedListFacts): readonly ClosedListEntry[] {
  return [
    ...tunnel(facts),
    ...neighbourhood(),
    ...namedServers(facts),
    ...page(facts),
    ...timed(facts),
    ...probes(facts),
  ];
}

type Draft = Omit<ClosedListEntry, 'enforcement'>;
const enforced = (drafts: readonly Draft[]): ClosedListEntry[] =>
  drafts.map((draft) => ({ ...draft, enforcement: 'nftables' }));

function tunnel(facts: ClosedListFacts): ClosedListEntry[] {
  const { hubs, uplinks } = facts;
  if (hubs.length === 0 || uplinks.length === 0) return [];
  const where: Where = { at: 'uplinks', devices: uplinks };
  return enforced([
    {
      id: 'wireguard',
      direction: 'out',
      why: 'The tunnel and the probe tunnels, to the hubs; known by the mark that only WireGuard of ours sets.',
      where,
      what: { match: 'wireguard', hubs, marks: marksOf(facts) },
    },
    {
      id: 'wireguard-answer',
      direction: 'in',
      why: 'What the hubs send. By address alone and not by connection: WireGuard proves each packet itself, and a hub must be heard after any silence.',
      where,
      what: { match: 'wireguard-answer', hubs },
    },
  ]);
}

function neighbourhood(): ClosedListEntry[] {
  const where: Where = { at: 'any-physical' };
  const arp = (direction: 'out' | 'in'): ClosedListEntry => ({
    id: direction === 'out' ? 'arp' : 'arp-in',
    direction,
    why: 'Finds the neighbours of IPv4. Sent by the kernel only; no table of the family inet sees it.',
    where,
    what: { match: 'arp' },
    enforcement: 'none',
  });
  const dhcp = (
    id: string,
    direction: 'out' | 'in',
    family: 4 | 6,
    ports: readonly [number, number],
    destinations: readonly string[] = [],
  ): Draft => ({
    id,
    direction,
    why:
      family === 4
        ? 'The address of an uplink by DHCP (RFC 2131).'
        : 'The address of an uplink by DHCP for IPv6 (RFC 8415).',
    where,
    what: { match: 'udp', family, from: ports[0], to: ports[1], destinations },
  });
  return [
    arp('out'),
    arp('in'),
    ...enforced([
      {
        id: 'neighbours',
        direction: 'out',
        why: 'Finds routers and neighbours of IPv6: router solicitation, neighbour solicitation and advertisement (RFC 4861).',
        where,
        what: { match: 'neighbours', types: [133, 135, 136] },
      },
      {
        id: 'neighbours-in',
        direction: 'in',
        why: 'What routers and neighbours of IPv6 say of themselves (RFC 4861); redirects are not taken.',
        where,
        what: { match: 'neighbours', types: [134, 135, 136] },
      },
      dhcp('dhcp', 'out', 4, [68, 67]),
      dhcp('dhcp-answer', 'in', 4, [67, 68]),
      dhcp('dhcp6', 'out', 6, [546, 547], ['ff02::1:2', 'fe80::/10']),
      dhcp('dhcp6-answer', 'in', 6, [547, 546], ['fe80::/10']),
      {
        id: 'path-mtu',
        direction: 'in',
        why: 'Routers on the way say that a packet was too large; without it large packets are lost in silence.',
        where,
        what: { match: 'path-mtu' },
      },
    ]),
  ];
}

function namedServers(facts: ClosedListFacts): ClosedListEntry[] {
  const where: Where = { at: 'uplinks', devices: facts.uplinks };
  const pair = (
    id: string,
    why: string,
    servers: readonly string[],
    permits: readonly Permit[],
    user: number,
  ): ClosedListEntry[] => {
    const targets = servers.flatMap((address) => permits.map((permit) => ({ ...permit, address })));
    if (targets.length === 0 || facts.uplinks.length === 0) return [];
    return enforced([
      { id, direction: 'out', why, where, what: { match: 'client', targets, user } },
      {
        id: `${id}-answer`,
        direction: 'in',
        why: 'Answers to it.',
        where,
        what: { match: 'client-answer', targets },
      },
    ]);
  };
  return [
    ...pair('dns', 'The helper asks for the names of the hubs.', facts.dns, dnsPorts, facts.uplinkUser),
    ...pair(
      'time',
      'The time service asks for the time (NTP, RFC 5905) and for the keys that authenticate it (NTS, RFC 8915).',
      facts.time,
      [
        { protocol: 'udp', port: 123 },
        { protocol: 'tcp', port: 4460 },
      ],
      facts.timeUser,
    ),
  ];
}

const dnsPorts: readonly Permit[] = [
  { protocol: 'udp', port: 53 },
  { protocol: 'tcp', port: 53 },
];

function page({ officer: { port, devices } }: ClosedListFacts): ClosedListEntry[] {
  if (devices !== 'any' && devices.length === 0) return [];
  const where: Where = devices === 'any' ? { at: 'any-physical' } : { at: 'site-lan', devices };
  return enforced([
    {
      id: 'page',
      direction: 'in',
      why: 'Officers open the page from the network of the site; a stranger on an uplink has a public address.',
      where,
      what: { match: 'page', port, from: siteNetworks },
    },
    {
      id: 'page-answer',
      direction: 'out',
      why: 'The page itself, in connections that came from the site.',
      where,
      what: { match: 'page-answer', port, to: siteNetworks },
    },
  ]);
}

function timed(facts: ClosedListFacts): ClosedListEntry[] {
  const { enrolment, portalPort, uplinkUser } = facts;
  const where: Where = { at: 'uplinks', devices: facts.uplinks };
  if (facts.uplinks.length === 0) return [];
  const pair = (
    mode: TimedMode,
    why: string,
    permits: readonly Permit[],
    user: number | undefined,
  ): ClosedListEntry[] =>
    enforced([
      { id: mode, direction: 'out', why, where, what: { match: 'timed', mode, permits, user } },
      {
        id: `${mode}-answer`,
        direction: 'in',
        why: 'Answers to it.',
        where,
        what: { match: 'timed-answer', mode },
      },
    ]);
  const servers = enrolment.map((endpoint) => ({ ...endpoint, protocol: 'tcp' as const }));
  const portal: Permit[] = [...dnsPorts, { protocol: 'tcp', port: portalPort ?? 80 }];
  return [
    ...(servers.length === 0
      ? []
      : pair('enrolment', 'While the terminal is enrolled: the bureau’s servers.', servers, undefined)),
    ...(portalPort === undefined
      ? []
      : pair(
          'portal-check',
          'While the helper looks whether a portal stands in the way: the name of one page, and the page.',
          portal,
          uplinkUser,
        )),
  ];
}

function probes({ probeHubs, uplinkUser }: ClosedListFacts): ClosedListEntry[] {
  if (probeHubs.length === 0) return [];
  const where: Where = { at: 'probes' };
  const hubs = probeHubs.map(({ address }) => address);
  const targets = probeHubs.map((endpoint) => ({ ...endpoint, protocol: 'tcp' as const }));
  return enforced([
    {
      id: 'probe',
      direction: 'out',
      why: 'Inside a probe tunnel: echoes measure the line.',
      where,
      what: { match: 'echo', hubs },
    },
    {
      id: 'probe-answer',
      direction: 'in',
      why: 'Answers to it.',
      where,
      what: { match: 'echo-answer', hubs },
    },
    {
      id: 'hub-service',
      direction: 'out',
      why: 'Inside a probe tunnel: the helper tells the hub of new keys.',
      where,
      what: { match: 'client', targets, user: uplinkUser },
    },
    {
      id: 'hub-service-answer',
      direction: 'in',
      why: 'Answers to it.',
      where,
      what: { match: 'client-answer', targets },
    },
  ]);
}
