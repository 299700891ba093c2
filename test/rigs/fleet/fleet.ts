import { writeFileSync } from 'node:fs';
import type { Registry } from '#contracts/registry.ts';
import type { AgentSettings } from '#contracts/settings/agent.ts';
import { ms } from '#contracts/units.ts';
import { type Clock, pause, systemClock } from '#runtime/clock.ts';
import { type Log, silentLog } from '#runtime/log.ts';
import { Slots } from '#runtime/slots.ts';
import { seeded } from '../random.ts';
import { type KeptCredential, keptCredentials } from './credentials.ts';
import { type LoadOrder, PlayedLoad } from './load.ts';
import { obey } from './obey.ts';
import type { FleetAnswer, FleetHands, FleetOrder } from './orders.ts';
import { type MadeUpFleet, makeUpFleet } from './places.ts';
import { PlayedTerminal } from './terminal.ts';

export interface PlayedFleetOrder {
  /** Folder of the authority that issues the certificates; without a passphrase. */
  readonly authority: string;
  /** Where the registry of the played terminals is written; their certificates are kept beside it. */
  readonly registry: string;
  /** Root certificate that the broker is trusted by, PEM. */
  readonly root: string;
  readonly url: string;
  readonly sites: number;
  readonly terminals: number;
  readonly seed: number;
  readonly settings?: Partial<AgentSettings['fleet']>;
  readonly longestDelaySeconds?: number;
  readonly load?: LoadOrder;
  /** Which part of them is played here, counted from 0; all where left out. */
  readonly part?: { readonly at: number; readonly of: number };
  readonly clock?: Clock;
  readonly log?: Log;
}

/** Many played terminals at made-up sites. */
export class PlayedFleet implements FleetHands {
  readonly places: MadeUpFleet;
  readonly terminals: ReadonlyMap<string, PlayedTerminal>;
  readonly load: PlayedLoad;
  readonly #ending = new AbortController();

  private constructor(places: MadeUpFleet, terminals: ReadonlyMap<string, PlayedTerminal>, load: PlayedLoad) {
    this.places = places;
    this.terminals = terminals;
    this.load = load;
  }

  /** Makes certificates and registry, or takes those that are there; nobody connects yet. */
  static async prepare(order: PlayedFleetOrder): Promise<PlayedFleet> {
    const { clock = systemClock, log = silentLog, longestDelaySeconds, seed, root, part } = order;
    const places = makeUpFleet({ sites: order.sites, terminals: order.terminals, random: seeded(seed) });
    const credentials = await keptCredentials({
      authority: order.authority,
      keep: `${order.registry}.keys`,
      names: places.terminals.map(({ terminal }) => terminal),
      clock,
    });
    if (part === undefined || part.at === 0)
      writeFileSync(order.registry, JSON.stringify(registryOf(places, credentials)));
    const settings = { ...defaults, url: order.url, ...order.settings };
    const mine = part === undefined ? credentials : credentials.filter((_, n) => n % part.of === part.at);
    const handshakes = new Slots(handshakesAtOnce);
    const terminals = mine.map(({ name, certificate, key }) => {
      const tls = { authority: root, certificate, key };
      const random = seeded(hash(name) ^ seed);
      const own = longestDelaySeconds === undefined ? {} : { longestDelaySeconds };
      return [
        name,
        new PlayedTerminal({ terminal: name, tls, settings, ...own, handshakes, clock, log, random }),
      ] as const;
    });
    const load = new PlayedLoad(
      terminals.map(([, terminal]) => terminal),
      order.load ?? { itemSeconds: 0, hurtsPerMinute: 0 },
      { clock, random: seeded(seed + 1) },
    );
    return new PlayedFleet(places, new Map(terminals), load);
  }

  /** Starts all of them, so many in a second; `close` ends it early. */
  async start(perSecond: number, clock: Clock = systemClock): Promise<void> {
    const began = clock.monotonic();
    let started = 0;
    for (const terminal of this.terminals.values()) {
      if (this.#ending.signal.aborted) return;
      terminal.start();
      const wait = began + (++started / perSecond) * 1000 - clock.monotonic();
      if (wait > 1) await pause(clock, ms(wait), this.#ending.signal);
    }
  }

  obey(order: FleetOrder): Promise<FleetAnswer> {
    return obey(this, order);
  }

  async close(): Promise<void> {
    this.#ending.abort();
    this.load.stop();
    await Promise.all([...this.terminals.values()].map((one) => one.stop()));
  }
}

/**
 * So many shake hands with the broker at once. Real terminals have a processor each; here thousands share one, and would
 * all give up before any is through.
 */
const handshakesAtOnce = 100;

const defaults: AgentSettings['fleet'] = {
  url: '',
  keepAliveSeconds: 30,
  retryMillis: 1000,
  resendMillis: 10_000,
  sampleMillis: 60_000,
  fullSeconds: 3600,
  spreadSeconds: 30,
};

function registryOf(places: MadeUpFleet, credentials: readonly KeptCredential[]): Registry {
  const issued = new Map(credentials.map((one) => [one.name, one]));
  return {
    v: 1,
    sites: [...places.sites],
    terminals: places.terminals.flatMap((one) => {
      const own = issued.get(one.terminal);
      return own === undefined ? [] : [{ ...one, certificate: own.digest, enrolledAt: own.at }];
    }),
  };
}

/** FNV-1a, so that each terminal has randomness of its own. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return value >>> 0;
}
