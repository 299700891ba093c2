import { isIP } from 'node:net';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { Hub, UplinkSettings } from '#contracts/settings/uplink.ts';
import { ms } from '#contracts/units.ts';
import type { Children } from '#runtime/child.ts';
import type { Clock } from '#runtime/clock.ts';
import { factsOf, type Firewall } from '../firewall/index.ts';
import type { KeyStore } from '../keys/key-store.ts';
import { planRouting, reconcileRouting, type RoutedUplink } from '../network/index.ts';
import type { Endpoint } from '../resolve/index.ts';
import { type NetworkState, readNetwork } from '../tools/network-state.ts';
import { ip, step } from '../tools/tools.ts';
import { forgetSource, type KnownPeer } from '../tunnel/forget-source.ts';
import { ensureLinkIn, type Link } from '../tunnel/link.ts';
import { Again } from './again.ts';
import type { Events } from './events.ts';
import type { StandingFaults } from './faults.ts';
import { findLine, type LineFound } from './line-facts.ts';
import { probeName, tunnelName } from './names.ts';
import { ensureProbe } from './probe-interface.ts';

/** What has to be looked after. */
export type Need = 'firewall' | 'interfaces' | 'routing' | 'sources' | 'order';

export interface NetworkParts {
  readonly settings: UplinkSettings;
  readonly keys: KeyStore;
  readonly firewall: Firewall;
  readonly ownUid: number;
  readonly children: Children;
  readonly clock: Clock;
  readonly random: () => number;
  readonly events: Events;
  readonly faults: StandingFaults;
  readonly signal: AbortSignal;
  /** Address and port of each hub, as `wg` takes it. */
  readonly endpoints: () => ReadonlyMap<string, string>;
  readonly hubEndpoints: () => readonly Endpoint[];
  /** Names of the uplinks, the one that carries first. */
  readonly preferred: () => readonly string[];
  readonly onRead: (found: ReadonlyMap<string, LineFound>) => void;
  /** Rules and routes are as they must be for what was found: what is sent over an uplink really leaves by it. */
  readonly onRouted: (found: ReadonlyMap<string, LineFound>) => void;
  readonly onProbeMade: (uplink: string) => void;
  readonly openProbe: (uplink: string) => Promise<Result<void>>;
  readonly giveOrder: () => void;
}

/** News of the kernel come many at a time. */
const settle = ms(100);
/** Everything is looked through now and then even where no news came. */
const lookEvery = ms(60_000);

/**
 * Keeps the root namespace as it is to be: the closed list, the tunnels and probe tunnels, rules and routes. Whatever
 * somebody else changes is put back as soon as the kernel's news tell of it.
 */
export class Network {
  readonly #parts: NetworkParts;
  readonly #again: Again;
  readonly #needs = new Set<Need>();
  readonly #tunnels = new Map<string, Link>();
  readonly #probes = new Map<string, string>();
  #found: ReadonlyMap<string, LineFound> = new Map();
  #state: NetworkState | undefined;
  #planned = false;
  #lastPlan = '';
  #restored = 0;
  #cancelLook: () => void = () => {};

  constructor(parts: NetworkParts) {
    this.#parts = parts;
    this.#again = new Again(() => this.#carryOut(), parts);
    this.#lookLater();
  }

  /** What the kernel says of each uplink; empty until it was read. */
  get found(): ReadonlyMap<string, LineFound> {
    return this.#found;
  }

  /** How often rules and routes had to be put back. */
  get restored(): number {
    return this.#restored;
  }

  /** Looks after these as soon as can be. */
  want(...needs: Need[]): void {
    for (const need of needs) this.#needs.add(need);
    void this.#again.now();
  }

  /** The kernel tells of a change. */
  news(change: 'network' | 'firewall'): void {
    this.#needs.add(change === 'firewall' ? 'firewall' : 'routing');
    this.#again.soon(settle);
  }

  /** The inner half does not find a tunnel: the interface is made anew. */
  async missing(): Promise<void> {
    const links = [...this.#tunnels.values()];
    this.#tunnels.clear();
    // A program whose interface is in no namespace of ours would be taken over again for good.
    for (const link of links) await link.remove();
    this.want('interfaces', 'order');
  }

  /** The probe tunnel of this uplink has another key now. */
  async syncProbe(at: number): Promise<Result<void>> {
    const done = await ensureProbe(at, { ...this.#parts, endpoints: this.#parts.endpoints() });
    return done.ok ? ok(undefined) : done;
  }

  async close(): Promise<void> {
    this.#cancelLook();
    await this.#again.close();
  }

  #lookLater(): void {
    this.#cancelLook = this.#parts.clock.after(lookEvery, () => {
      this.want('firewall', 'interfaces', 'routing');
      this.#lookLater();
    });
  }

  async #carryOut(): Promise<boolean> {
    const needs = new Set(this.#needs);
    this.#needs.clear();
    // Rules before interfaces: a first packet that finds none would leave by another uplink, and wireguard-go would send
    // all that follow the same way.
    const steps: [Need, () => Promise<boolean>][] = [
      ['firewall', () => this.#holdFirewall()],
      ['routing', () => this.#setRouting()],
      ['sources', () => this.#forgetSources()],
      ['interfaces', () => this.#ensureInterfaces()],
      ['order', () => this.#order()],
    ];
    let whole = true;
    for (const [need, action] of steps) {
      if (!needs.has(need) || this.#parts.signal.aborted) continue;
      if (await action()) continue;
      whole = false;
      this.#needs.add(need);
    }
    return whole;
  }

  /** An address is gone: no tunnel may go on sending from it. The kernel's own WireGuard sees that by itself. */
  async #forgetSources(): Promise<boolean> {
    const { settings, children, faults } = this.#parts;
    const endpoints = this.#parts.endpoints();
    const peersOf = (hubs: readonly Hub[]): KnownPeer[] =>
      hubs.flatMap(({ name, publicKey }) => {
        const endpoint = endpoints.get(name);
        return endpoint === undefined ? [] : [{ publicKey, endpoint }];
      });
    const tunnels = settings.hubs
      .map((hub, at) => [tunnelName(settings, at), peersOf([hub])] as const)
      .filter(([name]) => this.#tunnels.get(name)?.by === 'userspace');
    const probes = settings.uplinks
      .map((_, at) => [probeName(settings, at), peersOf(settings.hubs)] as const)
      .filter(([name]) => this.#probes.has(name));
    let whole = true;
    for (const [name, peers] of [...tunnels, ...probes]) {
      const done = await forgetSource(name, peers, children);
      faults.note(`the way out of ${name}`, done);
      whole &&= done.ok;
    }
    return whole;
  }

  async #holdFirewall(): Promise<boolean> {
    const { settings, firewall, faults, events, ownUid } = this.#parts;
    if (!settings.firewall) return true;
    const before = firewall.state().restored;
    const held = await firewall.hold(factsOf(settings, this.#everyEndpoint(), ownUid));
    faults.note('the firewall', held);
    if (firewall.state().restored > before)
      events.add('the closed list of the firewall was gone; it was put back');
    return held.ok;
  }

  /** Where a hub is now, and where it may be looked for next. */
  #everyEndpoint(): readonly Endpoint[] {
    const { settings } = this.#parts;
    const pinned = settings.hubs.flatMap(({ endpoint, pinned: addresses }) => {
      const port = Number(endpoint.slice(endpoint.lastIndexOf(':') + 1));
      return addresses.map((address) => ({ address, port }));
    });
    const all = [...this.#parts.hubEndpoints(), ...pinned].filter(({ address }) => isIP(address) !== 0);
    return [...new Map(all.map((one) => [`${one.address} ${one.port}`, one])).values()];
  }

  async #ensureInterfaces(): Promise<boolean> {
    const { settings, children, faults } = this.#parts;
    let whole = true;
    const note = (thing: string, outcome: Result<unknown>): void => {
      faults.note(thing, outcome);
      whole &&= outcome.ok;
    };
    for (const name of this.#stale()) {
      const gone = await step(children, 'TUNNEL_FAILED', `removing ${name}`, ip, [
        'link',
        'delete',
        'dev',
        name,
      ]);
      note(`the old ${name}`, gone);
    }
    for (const [at, { name }] of settings.hubs.entries())
      note(`the tunnel to ${name}`, await this.#ensureTunnel(at));
    for (const [at, { name }] of settings.uplinks.entries())
      note(`the probe tunnel of ${name}`, await this.#ensureProbe(at));
    return whole;
  }

  /** Probe tunnels of uplinks that a configuration before this one had. */
  #stale(): string[] {
    const { settings } = this.#parts;
    const wanted = new Set(settings.uplinks.map((_, at) => probeName(settings, at)));
    const form = new RegExp(`^${settings.interface}-p\\d$`);
    return (this.#state?.devices ?? [])
      .map(({ name }) => name)
      .filter((name) => form.test(name) && !wanted.has(name));
  }

  async #ensureTunnel(at: number): Promise<Result<void>> {
    const { settings, children, clock, signal, events } = this.#parts;
    const name = tunnelName(settings, at);
    if (this.#tunnels.has(name)) return ok(undefined);
    const { mode, mark, namespace } = settings;
    const link = await ensureLinkIn(namespace, { name, mode, mark, children, clock, signal });
    if (!link.ok) return link;
    this.#tunnels.set(name, link.value);
    if (!link.value.adopted) this.want('order');
    void link.value.ended.then((end) => {
      if (end.ok || this.#tunnels.get(name) !== link.value || signal.aborted) return;
      events.add(`${name} is gone; it is made anew`);
      this.#tunnels.delete(name);
      this.want('interfaces', 'order');
    });
    return ok(undefined);
  }

  async #ensureProbe(at: number): Promise<Result<void>> {
    const { settings, keys, onProbeMade, openProbe } = this.#parts;
    const line = settings.uplinks[at];
    if (line === undefined) return fail('INTERNAL', `there is no uplink ${at}`);
    const name = probeName(settings, at);
    const endpoints = this.#parts.endpoints();
    const wanted = JSON.stringify([[...endpoints], keys.keyFile(`probe-${line.name}`)]);
    const device = this.#state?.devices.find((one) => one.name === name);
    const stands = this.#probes.get(name) === wanted && device?.up === true;
    if (!stands) {
      const done = await ensureProbe(at, { ...this.#parts, endpoints });
      if (!done.ok) return done;
      if (done.value.made) onProbeMade(line.name);
      this.#probes.set(name, wanted);
      // Its route can be set only now, and it is probed only when that stands.
      this.want('routing');
      return ok(undefined);
    }
    return openProbe(line.name);
  }

  /** Opens the sockets of the probe tunnels that have their routes. */
  async #openProbes(there: ReadonlySet<string>): Promise<boolean> {
    const { settings, faults, openProbe } = this.#parts;
    let whole = true;
    for (const [at, { name }] of settings.uplinks.entries()) {
      if (!there.has(probeName(settings, at))) continue;
      const opened = await openProbe(name);
      // That it works is for its probes to say.
      if (!opened.ok) faults.note(`probes of ${name}`, opened);
      whole &&= opened.ok;
    }
    return whole;
  }

  async #setRouting(): Promise<boolean> {
    const { settings, children, faults, events } = this.#parts;
    const read = await readNetwork(children);
    if (!read.ok) {
      faults.note('rules and routes', read);
      return false;
    }
    this.#take(read.value);
    const whole = planRouting({
      mark: settings.mark,
      uplinks: this.#routed(),
      order: this.#parts.preferred(),
      hubProbeAddresses: settings.hubs.map(({ probeAddress }) => probeAddress),
    });
    // The rest follows once their interfaces are there.
    const there = new Set(read.value.devices.map(({ name }) => name));
    const plan = {
      ...whole,
      routes: whole.routes.filter(({ device }) => device === undefined || there.has(device)),
    };
    const key = JSON.stringify(plan);
    const isSame = this.#lastPlan === key;
    this.#lastPlan = key;
    const done = await reconcileRouting(plan, children, read.value);
    faults.note('rules and routes', done);
    if (!done.ok) return false;
    const opened = await this.#openProbes(there);
    this.#parts.onRouted(this.#found);
    if (isSame && this.#planned && done.value.changed.length > 0) {
      this.#restored++;
      events.add(`rules or routes were gone; they were put back (${done.value.changed.length})`);
    }
    this.#planned = true;
    return opened;
  }

  #take(state: NetworkState): void {
    const { settings, onRead, events } = this.#parts;
    this.#state = state;
    const before = this.#found;
    this.#found = new Map(settings.uplinks.map((line) => [line.name, findLine(line, state)] as const));
    for (const [name, { usable }] of this.#found)
      if (before.has(name) && before.get(name)?.usable !== usable)
        events.add(`${name} ${usable ? 'can be used again' : 'cannot be used any more'}`);
    onRead(this.#found);
    const lost = [...before].some(([name, { addresses }]) =>
      addresses.some((address) => this.#found.get(name)?.addresses.includes(address) !== true),
    );
    if (lost) this.want('sources');
    const gone = settings.uplinks.some((_, at) => {
      const device = state.devices.find((one) => one.name === probeName(settings, at));
      return this.#probes.has(probeName(settings, at)) && device?.up !== true;
    });
    if (gone) this.want('interfaces');
  }

  #routed(): RoutedUplink[] {
    const { settings } = this.#parts;
    return settings.uplinks.map(({ name, device, probeAddress }, index) => {
      const found = this.#found.get(name);
      return {
        name,
        index,
        device,
        usable: found?.usable ?? false,
        ways: found?.ways ?? {},
        addresses: found?.device?.addresses ?? [],
        probe: { interface: probeName(settings, index), address: probeAddress },
      };
    });
  }

  #order(): Promise<boolean> {
    this.#parts.giveOrder();
    return Promise.resolve(true);
  }
}
