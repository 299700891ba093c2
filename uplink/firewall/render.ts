import { isIP } from 'node:net';
import { marksOf } from './closed-list.ts';
import { alternatives, setsOf } from './conditions.ts';
import type { ClosedListEntry, Where } from './entry.ts';
import { type ClosedListFacts, mostHubs, type Target, type TimedMode, timedModes } from './facts.ts';

/** What a timed mode lets out, and for how long still. */
export interface OpenTarget {
  readonly mode: TimedMode;
  readonly target: Target;
  /** Milliseconds, at least 1. */
  readonly remaining: number;
}

export const table = 'inet checkpost';

/**
 * The closed list as one transaction of nft(8): the table is made, deleted and made anew in one step, so that there is
 * no moment without rules. Every rule has a comment with the id of its entry. There is no rule that lets established
 * connections pass as such: a leak could hide in it; each entry takes only its own.
 */
export function renderRules(
  facts: Pick<ClosedListFacts, 'interface' | 'mark'>,
  entries: readonly ClosedListEntry[],
  open: readonly OpenTarget[] = [],
): string {
  const { first, last } = marksOf(facts);
  const ours = `meta mark ${first}-${last}`;
  const probes = `"${facts.interface}-p*"`;
  const tunnels = Array.from({ length: mostHubs }, (_, i) => `"${facts.interface}${i}"`).join(', ');
  const rules = (direction: 'out' | 'in', belongs: (entry: ClosedListEntry) => boolean): string =>
    entries
      .filter((entry) => entry.direction === direction && belongs(entry))
      .flatMap((entry) => [`# ${entry.id}: ${entry.why}`, ...rulesOf(entry)])
      .map((rule) => `\t\t${rule}`)
      .join('\n');
  const inProbes = ({ where }: ClosedListEntry): boolean => where.at === 'probes';
  const isMarked = ({ what }: ClosedListEntry): boolean => what.match === 'wireguard';
  const text = `table ${table}
delete table ${table}

table ${table} {
${sets(entries, open)}
	chain input {
		type filter hook input priority filter; policy drop;
		iifname "lo" accept comment "loopback"
		iifname ${probes} goto probes_in comment "probes"
		iifname { ${tunnels} } counter drop comment "a tunnel that is not in its namespace yet"
${rules('in', (entry) => !inProbes(entry))}
		# Broadcasts of the site are dropped without a word.
		meta pkttype host limit rate 5/minute log prefix "checkpost in: " comment "log"
		counter drop comment "not on the list"
	}

	chain probes_in {
${rules('in', inProbes)}
		counter drop comment "not on the list"
	}

	chain forward {
		type filter hook forward priority filter; policy drop;
		counter drop comment "not on the list"
	}

	chain output {
		type filter hook output priority filter; policy drop;
		oifname "lo" accept comment "loopback"
		oifname ${probes} goto probes_out comment "probes"
		oifname { ${tunnels} } counter drop comment "a tunnel that is not in its namespace yet"
${rules('out', isMarked)}
		# Our marks lead to the hubs only, and to the hubs only they lead.
		${ours} counter drop comment "marked, but not to a hub"
		ip daddr . udp dport @hubs4 counter drop comment "to a hub, but not marked"
		ip6 daddr . udp dport @hubs6 counter drop comment "to a hub, but not marked"
${rules('out', (entry) => !inProbes(entry) && !isMarked(entry))}
		# The kernel reports its multicast groups by itself: they say what listens here, and are dropped without a word.
		ip protocol igmp counter drop comment "igmp"
		icmpv6 type { mld-listener-query, mld-listener-report, mld-listener-done, mld2-listener-report } counter drop comment "mld"
		limit rate 5/minute log prefix "checkpost out: " comment "log"
		counter drop comment "not on the list"
	}

	chain probes_out {
${rules('out', inProbes)}
		counter drop comment "not on the list"
	}
}
`;
  // Where an entry is not on the list, its place is no empty line.
  return text.replaceAll(/\n(?=\n\t\t)/g, '');
}

/** How many rules that text has. */
export function countRules(text: string): number {
  return [...text.matchAll(/ comment "[^"]*"$/gm)].length;
}

function sets(entries: readonly ClosedListEntry[], open: readonly OpenTarget[]): string {
  const wireguard = entries.flatMap(({ what }) => (what.match === 'wireguard' ? what.hubs : []));
  const modes = timedModes.filter((mode) =>
    entries.some(({ what }) => what.match === 'timed' && what.mode === mode),
  );
  const hubs = ([4, 6] as const).map((family) => {
    const elements = wireguard
      .filter(({ address }) => isIP(address) === family)
      .map(({ address, port }) => `${address} . ${port}`);
    return set(`hubs${family}`, `ipv${family}_addr . inet_service`, '', elements);
  });
  const timed = modes.flatMap((mode) =>
    ([4, 6] as const).map((family, i) =>
      set(
        setsOf(mode)[i] ?? '',
        `ipv${family}_addr . inet_proto . inet_service`,
        '\n\t\tflags timeout',
        open.filter((one) => one.mode === mode && isIP(one.target.address) === family).map(timedElement),
      ),
    ),
  );
  return [...hubs, ...timed].join('\n');
}

function set(name: string, type: string, flags: string, elements: readonly string[]): string {
  const unique = [...new Set(elements)];
  const list = unique.length === 0 ? '' : `\n\t\telements = { ${unique.join(', ')} }`;
  return `\tset ${name} {\n\t\ttype ${type}${flags}${list}\n\t}\n`;
}

/** An element of the set of a timed mode. */
export function timedElement({ target, remaining }: OpenTarget): string {
  const milliseconds = Math.max(1, Math.floor(remaining));
  return `${target.address} . ${target.protocol} . ${target.port} timeout ${milliseconds}ms`;
}

function rulesOf({ id, direction, where, what, enforcement }: ClosedListEntry): string[] {
  if (enforcement === 'none') return [];
  return alternatives(what).map((condition) =>
    [interfaces(where, direction), condition, `accept comment "${id}"`]
      .filter((part) => part !== '')
      .join(' '),
  );
}

function interfaces(where: Where, direction: 'out' | 'in'): string {
  if (where.at === 'any-physical' || where.at === 'probes') return '';
  const devices = [...new Set(where.devices)].map((device) => `"${device}"`).join(', ');
  return `${direction === 'out' ? 'oifname' : 'iifname'} { ${devices} }`;
}
