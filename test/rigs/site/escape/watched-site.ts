import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { UplinkSettings } from '#contracts/settings/uplink.ts';
import { toError } from '#runtime/errors.ts';
import { parseSettings } from '#runtime/settings.ts';
import { closedList, type ClosedListEntry, factsOf } from '#uplink/index.ts';
import { type Capture, judge, leaks, type Open } from '../../capture/index.ts';
import { addNamespace, connect, namespaceOf, removeNamespace, run } from '../namespaces.ts';
import { Site } from '../site.ts';
import { type Aims, kinds } from './attempts.ts';
import { captureAt, type FarEnd } from './far-ends.ts';
import type { Told } from './program.ts';
import { Tireless } from './tireless.ts';

/** The number of the user `nobody` on Debian. */
export const nobody = 65_534;
/** Nobody's address, outside. */
export const stranger = '203.0.113.9';
export const portalPage = { address: '203.0.113.80', port: 80, protocol: 'tcp' as const };
export const enrolmentServer = { address: '203.0.113.44', port: 4433, protocol: 'tcp' as const };
/** The mark of the tunnel, as the settings have it by default. */
export const mark = 25_456;

const lines = ['dsl', 'lte'] as const;
const own6 = { dsl: '2001:db8:1::2', lte: '2001:db8:2::2' };
const gateways6 = { dsl: '2001:db8:1::1', lte: '2001:db8:2::1' };
const devices = ['dsl0', 'lte0', 'lan0'];

const aims: Aims = {
  targets: [
    // The hubs, the routers of the uplinks and of the site, and strangers.
    { address: '192.0.2.10', port: 51_820 },
    { address: '198.51.100.10', port: 51_820 },
    { address: '10.1.0.1', port: 4000 },
    { address: '10.2.0.1', port: 4000 },
    { address: '10.9.0.1', port: 4000 },
    { address: stranger, port: 443 },
    portalPage,
    enrolmentServer,
    { address: '224.0.0.251', port: 5353 },
    { address: gateways6.dsl, port: 4000 },
    { address: gateways6.lte, port: 4000 },
    { address: '2001:db8:9::9', port: 443 },
  ],
  devices,
  sources: ['10.1.0.2', '10.2.0.2', own6.dsl, own6.lte],
  marks: [mark, mark + 1],
  kinds,
};

/** What left the terminal in a time, and what was tried meanwhile. */
export interface Window {
  /** One line for each packet that nothing on the list allows. */
  readonly leaks: readonly string[];
  /** How many packets left by each entry of the list. */
  readonly out: Readonly<Record<string, number>>;
  /** By the name of who tried. */
  readonly tried: ReadonlyMap<string, Told>;
}

/**
 * A site whose terminal has a third line, to the network of the site, and IPv6. Each line is captured without a break
 * from before it comes up, while programs in the agent's namespace and beside the helper try to get out.
 */
export class WatchedSite {
  readonly site = new Site({
    bootRules: resolve(import.meta.dirname, '../../../../firmware-config/nftables/checkpost.nft'),
    settings: {
      trusted: 'trusted.json',
      enrolment: [`${enrolmentServer.address}:${enrolmentServer.port}`],
      dns: ['10.1.0.1'],
      officer: { port: 8443, devices: ['lan0'] },
    },
  });
  /** Of the settings in force. */
  entries: readonly ClosedListEntry[] = [];
  readonly #lan = namespaceOf('L');
  readonly #ends: readonly FarEnd[];
  #capture: Capture | undefined;
  #inAgent: readonly Tireless[] = [];
  #beside: Tireless | undefined;

  constructor() {
    const { terminal } = this.site.ns;
    this.#ends = [
      ...lines.map((name) => ({
        netns: this.site.provider(name),
        device: `p${this.site.device(name)}`,
        terminal: { netns: terminal, device: this.site.device(name) },
      })),
      { netns: this.#lan, device: 'plan0', terminal: { netns: terminal, device: 'lan0' } },
    ];
  }

  /** Everything is there but the helper: the captures run, and the programs try. */
  async start(): Promise<void> {
    const { site } = this;
    const { terminal, agent } = site.ns;
    await site.build();
    addNamespace(this.#lan);
    connect(
      { netns: terminal, device: 'lan0', address: '10.9.0.2/24' },
      { netns: this.#lan, device: 'plan0', address: '10.9.0.1/24' },
    );
    for (const name of lines) {
      const provider = site.provider(name);
      const device = `p${site.device(name)}`;
      run('ip', '-n', provider, 'address', 'add', `${gateways6[name]}/64`, 'dev', device, 'nodad');
      run('ip', '-n', provider, 'address', 'add', `${portalPage.address}/32`, 'dev', 'lo');
    }
    this.entries = this.entriesWith({});
    this.#capture = await captureAt(this.#ends, site.folder);
    const as = (user: number | undefined, routesBy?: string) => ({ ...aims, user, routesBy });
    this.#inAgent = await Promise.all([
      Tireless.start('root in the namespace of the agent', agent, as(undefined, `${site.prefix}0`)),
      Tireless.start('a user in the namespace of the agent', agent, as(nobody)),
    ]);
    this.#beside = await Tireless.start('a user beside the helper', terminal, as(nobody));
  }

  /** The lines of the terminal come up, as at boot; the router of each is found by DHCP, or so. */
  lineUp(): void {
    const { site } = this;
    const ip = (...args: string[]): string => run('ip', '-n', site.ns.terminal, ...args);
    for (const device of devices) ip('link', 'set', device, 'down');
    for (const device of devices) ip('link', 'set', device, 'up');
    lines.forEach((name, at) => {
      const on = ['dev', site.device(name), 'metric', String(100 + at)];
      ip('address', 'add', `${own6[name]}/64`, 'dev', site.device(name), 'nodad');
      ip('route', 'add', 'default', 'via', `10.${at + 1}.0.1`, ...on);
      ip('-6', 'route', 'add', 'default', 'via', gateways6[name], ...on);
    });
  }

  /** Those in the namespace of the agent, root first. */
  get inAgent(): readonly Tireless[] {
    return this.#inAgent;
  }

  /** An ordinary user in the namespace of the physical interfaces. */
  get beside(): Tireless {
    if (this.#beside === undefined) throw new Error('it has not been started');
    return this.#beside;
  }

  get everybody(): readonly Tireless[] {
    return [...this.inAgent, ...(this.#beside === undefined ? [] : [this.#beside])];
  }

  /** Waits until each of them has tried everything once more. */
  async tryEverything(who = this.everybody): Promise<void> {
    await Promise.all(who.map((one) => one.wholeRound()));
  }

  /** The closed list by the settings of the terminal, over which the network of a later configuration is laid. */
  entriesWith(network: object): readonly ClosedListEntry[] {
    const own = JSON.parse(readFileSync(this.site.settingsFile, 'utf8')) as object;
    const settings = parseSettings(UplinkSettings, { ...own, ...network }, this.site.settingsFile);
    if (!settings.ok) throw toError(settings.fault);
    const hubs = settings.value.hubs.map(({ endpoint }) => {
      const [address = '', port] = endpoint.split(':');
      return { address, port: Number(port) };
    });
    return closedList(factsOf(settings.value, hubs, process.getuid?.() ?? 0));
  }

  /** What left while something went on. The next window begins before this one ends. */
  async during(
    action: () => Promise<unknown>,
    { open = {}, entries = this.entries }: { open?: Open; entries?: readonly ClosedListEntry[] } = {},
  ): Promise<Window> {
    const before = await this.#told();
    await action();
    const after = await this.#told();
    const mine = this.#capture;
    this.#capture = await captureAt(this.#ends, this.site.folder);
    const judged = judge((await mine?.stop()) ?? [], entries, open);
    const out: Record<string, number> = {};
    for (const { packet, entry = 'leak' } of judged)
      if (packet.direction === 'out') out[entry] = (out[entry] ?? 0) + 1;
    const tried = new Map(
      [...after].map(([name, told]) => [name, difference(before.get(name), told)] as const),
    );
    return { leaks: leaks(judged), out, tried };
  }

  async close(): Promise<void> {
    await Promise.all(this.everybody.map((one) => one.stop()));
    await this.#capture?.stop().catch(() => {});
    await this.site.close();
    removeNamespace(this.#lan);
  }

  async #told(): Promise<ReadonlyMap<string, Told>> {
    return new Map(
      await Promise.all(this.everybody.map(async (one) => [one.name, await one.told()] as const)),
    );
  }
}

/**
 * What is wrong with a window, in words: packets that are not on the list, or by an entry of it that nobody had a
 * reason to use, and ways out that were not tried.
 */
export function wrongIn({ leaks: found, out, tried }: Window, by: readonly string[] = []): string[] {
  const expected = ['arp', 'neighbours', ...by];
  const unexpected = Object.keys(out).filter((entry) => entry !== 'leak' && !expected.includes(entry));
  const untried = [...tried].flatMap(([name, told]) =>
    kinds
      .flatMap((kind) => [`${kind}4`, `${kind}6`])
      .filter((kind) => !((told.tried[kind] ?? 0) > 0))
      .map((kind) => `${name} has not tried ${kind}`),
  );
  return [...found, ...unexpected.map((entry) => `${out[entry]} packets by ${entry}`), ...untried];
}

function difference(before: Told | undefined, after: Told): Told {
  const less = (
    was: Readonly<Record<string, number>> = {},
    is: Readonly<Record<string, number>>,
  ): Record<string, number> =>
    Object.fromEntries(Object.entries(is).map(([name, count]) => [name, count - (was[name] ?? 0)]));
  return {
    made: after.made - (before?.made ?? 0),
    round: after.round,
    tried: less(before?.tried, after.tried),
    taken: less(before?.taken, after.taken),
  };
}
