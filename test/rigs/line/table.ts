import { type Cost, handshake, nothing, plus, times } from './cost.ts';
import type { SimulatedTime } from './day.ts';
import { type Pieces, publishCost } from './pieces.ts';

export interface CostRow {
  readonly what: string;
  readonly count: number;
  readonly cost: Cost;
}

export interface CostTable {
  readonly rows: readonly CostRow[];
  /** PUBLISH packets as MQTT has them, both directions. */
  readonly published: number;
  /** The session with the broker: MQTT, TLS, TCP and IP. */
  readonly session: Cost;
  /** That and the lookup service and the question for newer editions, and the handshakes of the tunnel. */
  readonly all: Cost;
}

export interface OtherTraffic {
  readonly hours: number;
  /** How often the lookup service is tried, and how often a newer edition is asked for, in milliseconds. */
  readonly probeEvery: number;
  readonly pollEvery: number;
  readonly lookups: number;
}

/** The server of the lookup service ends a connection on which nothing was asked for so long, in milliseconds. */
const keptFor = 300_000;
/** WireGuard makes a new session where the last one is older and there is something to say (its paper, section 6.1). */
const rekeyAfter = 120_000;

/** How often each piece happens, times what it costs. */
export function tableOf(day: SimulatedTime, pieces: Pieces, other: OtherTraffic): CostTable {
  const { hours, probeEvery, pollEvery, lookups } = other;
  const end = hours * 3_600_000;
  const channels = [...new Set(day.messages.map(({ channel }) => channel))];
  const messages = channels.map((channel): CostRow => {
    const of = day.messages.filter((one) => one.channel === channel);
    // The birth is part of what was measured as the beginning of a session.
    const beside = channel === 'status' ? of.slice(1) : of;
    return {
      what: `messages: ${channel}`,
      count: beside.length,
      cost: beside.map(({ bytes }) => publishCost(pieces.publish, bytes)).reduce(plus, nothing),
    };
  });
  const row = (what: string, count: number, each: Cost): CostRow => ({
    what,
    count,
    cost: times(each, count),
  });
  const session = [
    row('beginning of a session', 1, pieces.session),
    ...messages.filter(({ count }) => count > 0),
    row('MQTT keep-alive', day.pings.length, pieces.ping),
  ];
  const probes = Math.floor(end / probeEvery);
  const isKept = probeEvery < keptFor;
  const polls = Math.floor(end / pollEvery);
  const spoken = [
    ...day.messages.map(({ at }) => at),
    ...day.pings,
    ...every(probeEvery, end),
    ...every(pollEvery, end),
  ];
  const rest = [
    row('connection to the lookup service', isKept ? 1 : probes + 1, pieces.connection),
    row('the lookup service tried', isKept ? probes : 0, pieces.probe),
    row('lookups', lookups, pieces.lookup),
    row('a newer edition asked for', polls, pieces.poll),
    row('handshakes of the tunnel', handshakes(spoken), handshake),
  ];
  const sum = (rows: readonly CostRow[]): Cost => rows.map(({ cost }) => cost).reduce(plus, nothing);
  return {
    rows: [...session, ...rest],
    published: day.messages.reduce((bytes, one) => bytes + one.bytes, 0),
    session: sum(session),
    all: sum([...session, ...rest]),
  };
}

function every(period: number, end: number): number[] {
  return Array.from({ length: Math.floor(end / period) }, (_, at) => (at + 1) * period);
}

function handshakes(spoken: readonly number[]): number {
  let count = 0;
  let last = Number.NEGATIVE_INFINITY;
  for (const at of spoken.toSorted((a, b) => a - b)) {
    if (at - last < rekeyAfter) continue;
    count++;
    last = at;
  }
  return count;
}

/** The table for a person: bytes with TCP and IP, and the same inside of the tunnel. */
export function printed(title: string, { rows, published, session, all }: CostTable): string {
  const line = (
    what: string,
    count: string,
    { bytes, tunnelled }: Pick<Cost, 'bytes' | 'tunnelled'>,
  ): string =>
    `  ${what.padEnd(36)}${count.padStart(8)}${kilo(bytes).padStart(12)}${kilo(tunnelled).padStart(12)}`;
  return [
    title,
    `  ${''.padEnd(36)}${'times'.padStart(8)}${'TCP/IP KB'.padStart(12)}${'tunnel KB'.padStart(12)}`,
    ...rows.map(({ what, count, cost }) => line(what, String(count), cost)),
    line('the session with the broker', '', session),
    line('everything', '', all),
    `  PUBLISH packets: ${kilo(published)} KB`,
  ].join('\n');
}

const kilo = (bytes: number): string => (bytes / 1000).toFixed(1);
