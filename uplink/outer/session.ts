import { fail, ok, type Result } from '#contracts/result.ts';
import type { UplinkSettings } from '#contracts/settings/uplink.ts';
import { type MonotonicTime, ms } from '#contracts/units.ts';
import type { Children } from '#runtime/child.ts';
import { type Clock, pause } from '#runtime/clock.ts';
import type { Log } from '#runtime/log.ts';
import { type Choice, choose } from '../choice/choose.ts';
import type { Preference } from '../choice/facts.ts';
import type { Firewall } from '../firewall/index.ts';
import type { Counters, Order, Report } from '../halves/orders.ts';
import { readInterfaceCounters } from '../halves/interface-counters.ts';
import type { KeyStore } from '../keys/key-store.ts';
import type { Libc } from '../native/libc.ts';
import { openIcmpSocket } from '../probes/echo-socket.ts';
import { endpointText, HubResolver, type KeptAddress } from '../resolve/index.ts';
import { createHubClient } from '../rotation/hub-client.ts';
import type { TimeFloor } from '../time/index.ts';
import type { Carried } from './carried.ts';
import { Diagnoser } from './diagnoser.ts';
import type { Events } from './events.ts';
import type { StandingFaults } from './faults.ts';
import { HubContact } from './hub-contact.ts';
import { KeyChanges } from './key-changes.ts';
import type { LineFound } from './line-facts.ts';
import type { Meters } from './meters.ts';
import { tunnelName } from './names.ts';
import { Network } from './network.ts';
import { orderOf } from './order.ts';
import { OrderBook } from './order-book.ts';
import { Prober } from './prober.ts';
import { Sight } from './sight.ts';

export interface SessionParts {
  /** With the network part that is in force. */
  readonly settings: UplinkSettings;
  readonly keys: KeyStore;
  readonly libc: Libc;
  readonly firewall: Firewall;
  readonly ownUid: number;
  readonly children: Children;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly events: Events;
  readonly faults: StandingFaults;
  readonly floor: TimeFloor;
  readonly meters: Meters;
  /** What carried when the helper was killed in this boot; undefined at its first start. */
  readonly carried: Carried | undefined;
  readonly onCarrying: (carrying: Carried) => void;
  readonly keptAddresses: readonly KeptAddress[];
  readonly keep: (kept: readonly KeptAddress[]) => void;
  readonly give: (order: Order) => void;
  readonly nextSeq: () => number;
  /** A hub answers: this configuration works. */
  readonly onReached: () => void;
  /** Something that a watcher should know of may have changed. */
  readonly onChange: () => void;
}

const tickEvery = ms(100);
const lookEvery = ms(1000);

/**
 * All that goes on for one network configuration: measures the uplinks, chooses, switches, finds the hubs, changes
 * keys, and says what is wrong. Another configuration is another session; interfaces stay from one to the next.
 */
export class Session {
  readonly parts: SessionParts;
  readonly prober: Prober;
  readonly sight: Sight;
  readonly resolver: HubResolver;
  readonly diagnoser: Diagnoser;
  readonly contact: HubContact;
  readonly keyChanges: KeyChanges;
  readonly orders: OrderBook;
  readonly network: Network;
  readonly #stopping = new AbortController();
  #choice: Choice | undefined;
  #byHand: Preference | undefined;
  #forRotation: Preference | undefined;
  #counters: ReadonlyMap<string, Counters> = new Map();
  #reached = false;

  constructor(parts: SessionParts) {
    const { settings, clock, random, children, faults, libc, meters, keys, log } = parts;
    this.parts = parts;
    this.prober = new Prober({
      settings,
      openSocket: (device, listener) => openIcmpSocket({ device, libc, clock, ...listener }),
      clock,
      faults,
      budgets: meters.budgets,
      onLost: () => this.network.want('interfaces'),
    });
    this.sight = new Sight({ ...parts, prober: this.prober, choice: () => this.#choice });
    this.resolver = new HubResolver({
      hubs: settings.hubs,
      servers: settings.dns,
      kept: parts.keptAddresses,
      clock,
      random,
      changed: (endpoints) => {
        for (const [hub, endpoint] of endpoints)
          parts.events.add(`${hub} is looked for at ${endpointText(endpoint)}`);
        this.network.want('firewall', 'interfaces', 'order');
      },
      keep: parts.keep,
    });
    this.diagnoser = new Diagnoser({
      network: settings,
      resolver: this.resolver,
      children,
      clock,
      random,
      openWindow: async (duration, address, port) => {
        const target = { protocol: 'tcp' as const, address, port };
        const opened = await parts.firewall.openMode('portal-check', duration, [target]);
        if (!opened.ok) return opened;
        return ok({
          close: async () => {
            await parts.firewall.closeMode('portal-check');
          },
        });
      },
    });
    const client = createHubClient({
      hubs: settings.hubs,
      from: (hub) => this.sight.probeAddressTo(hub),
      clock,
      onTime: (_hub, at, took) => this.contact.heardTime(at, took),
    });
    this.contact = new HubContact({
      client,
      clock,
      onTime: (at) =>
        void parts.floor.move(at).then((moved) => {
          faults.note('the floor of the clock', moved);
        }),
      onOutcome: (hub, outcome) => faults.note(`the service of ${hub}`, outcome),
    });
    this.orders = new OrderBook({
      clock,
      content: () => this.#content(),
      give: (order) => parts.give(order),
      nextSeq: parts.nextSeq,
    });
    this.keyChanges = new KeyChanges({
      settings,
      keys,
      client,
      clock,
      random,
      log,
      signal: this.#stopping.signal,
      carrying: () => this.#choice?.hub,
      delayTo: (hub) => this.sight.delayTo(hub),
      divert: (hub) => this.#divert(hub),
      applyTunnels: () => {
        this.orders.nudge();
        return this.orders.giveAndAwait();
      },
      applyProbe: async (at) => {
        const done = await this.network.syncProbe(at);
        if (done.ok) this.prober.want();
        return done;
      },
      onChanged: (slot) => {
        parts.events.add(`${slot}: a new key is in force`);
        parts.onChange();
      },
    });
    if (parts.carried !== undefined) {
      this.#choice = takenOver(parts.carried, clock.monotonic());
      this.prober.setCarrying(parts.carried);
    }
    this.network = new Network({
      ...parts,
      endpoints: () => this.#endpoints(),
      hubEndpoints: () => [...this.resolver.endpoints.values()],
      preferred: () => this.sight.preferred(),
      onRead: (found) => this.#onRead(found),
      onRouted: (found) => {
        for (const [name, line] of found) this.prober.setUsable(name, line.usable);
      },
      onProbeMade: (name) => this.prober.reopen(name),
      openProbe: (name) => this.prober.open(name),
      giveOrder: () => this.#giveOrder(),
      signal: this.#stopping.signal,
    });
  }

  start(): void {
    this.network.want('firewall', 'interfaces', 'routing', 'order');
    this.keyChanges.resume();
    void this.#loop(tickEvery, () => this.#tick());
    void this.#loop(lookEvery, () => this.#look());
  }

  get choice(): Choice | undefined {
    return this.#choice;
  }

  get byHand(): Preference | undefined {
    return this.#byHand;
  }

  prefer(preference: { readonly uplink?: string; readonly hub?: string } | undefined): Result<void> {
    const { uplinks, hubs } = this.parts.settings;
    for (const [name, known] of [
      [preference?.uplink, uplinks],
      [preference?.hub, hubs],
    ] as const) {
      if (name !== undefined && !known.some((one) => one.name === name))
        return fail('UPLINK_REQUEST_INVALID', `${name} is not in the settings.`);
    }
    this.#byHand = preference === undefined ? undefined : { ...preference, at: this.parts.clock.monotonic() };
    return ok(undefined);
  }

  /** What the inner half says. */
  heard(report: Report): void {
    if (report.kind === 'counters') return this.#count(report.tunnels);
    const outcome = this.orders.heard(report);
    this.parts.faults.note('the inner half', outcome);
    if (!outcome.ok && outcome.fault.detail.includes('There is no interface')) void this.network.missing();
    this.parts.onChange();
  }

  innerPresent(there: boolean): void {
    this.orders.present(there);
    if (there) this.network.want('order');
    this.parts.onChange();
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    this.resolver.close();
    await this.network.close();
    await this.keyChanges.close();
    this.prober.close();
  }

  async #loop(every: typeof tickEvery, action: () => void): Promise<void> {
    const { clock } = this.parts;
    while (!this.#stopping.signal.aborted) {
      action();
      await pause(clock, every, this.#stopping.signal);
    }
  }

  #tick(): void {
    this.prober.tick();
    this.#chooseNow();
  }

  #chooseNow(): void {
    // Before the kernel was asked nobody knows which uplinks there are.
    if (this.network.found.size === 0) return;
    const { settings, clock } = this.parts;
    const next = choose(
      this.#choice,
      this.sight.choiceFacts(this.network.found, this.#forRotation ?? this.#byHand),
      clock.monotonic(),
      {
        failbackMillis: settings.probe.failbackSeconds * 1000,
      },
    );
    const before = this.#choice;
    this.#choice = next;
    if (next?.uplink === before?.uplink && next?.hub === before?.hub) return;
    this.prober.setCarrying(next);
    if (next === undefined) return;
    this.parts.events.add(`${next.uplink} with ${next.hub}: ${next.why}`);
    this.orders.nudge();
    if (next.uplink === before?.uplink) this.network.want('order');
    else {
      this.contact.forgetSize();
      this.network.want('routing', 'order');
    }
    this.parts.onChange();
  }

  #look(): void {
    const { settings, meters } = this.parts;
    const all = readInterfaceCounters();
    const known = new Map(
      settings.uplinks.flatMap((line) => {
        const view = this.prober.view(line.name);
        const found = this.network.found.get(line.name);
        if (view === undefined || found === undefined) return [];
        return [[line.name, { found, view, counters: all.get(line.device) }] as const];
      }),
    );
    for (const line of settings.uplinks) {
      const counters = all.get(line.device);
      const moved = counters === undefined ? undefined : counters.rxBytes + counters.txBytes;
      if (line.metered) this.prober.counted(line.name, moved);
      if (line.metered || line.monthlyMegabytes > 0) meters.count(line, moved, this.contact.offset);
    }
    for (const { name, state, evidence } of this.diagnoser.look(known))
      if (state !== 'untested') this.parts.events.add(`${name}: ${evidence}`);
    const up = settings.hubs.filter(({ name }) => this.sight.isUp(name));
    const size = this.#choice === undefined ? undefined : this.sight.mtu();
    for (const { name } of up) this.contact.look(name, size);
    if (up.length > 0) {
      if (!this.#reached) this.keyChanges.retry();
      this.#reached = true;
      this.parts.onReached();
    } else this.#reached = false;
    const lines = settings.uplinks
      .filter(({ name }) => this.network.found.get(name)?.usable === true)
      .sort((a, b) => a.metric - b.metric)
      .map(({ name }) => ({ name, addresses: this.network.found.get(name)?.addresses ?? [] }));
    this.resolver.look(
      lines,
      new Map(settings.hubs.map(({ name }) => [name, this.sight.heardOf(name)] as const)),
    );
    if (this.orders.isStale) this.network.want('order');
    if (this.#reached) this.keyChanges.look();
    this.parts.onChange();
  }

  /** Gives the inner half what is wanted, and remembers what carries for whoever is started after a crash. */
  #giveOrder(): void {
    this.orders.give();
    const { choice } = this;
    if (choice !== undefined)
      this.parts.onCarrying({ uplink: choice.uplink, hub: choice.hub, mtu: this.sight.mtu() });
  }

  #content(): ReturnType<typeof orderOf> {
    const { settings, keys } = this.parts;
    return orderOf({
      settings,
      keys,
      endpoints: this.#endpoints(),
      carrying: this.#choice?.hub,
      mtu: this.sight.mtu(),
    });
  }

  /** Lets another hub carry over the same uplink while a key is changed. */
  #divert(hub: string | undefined): void {
    const { clock } = this.parts;
    this.#forRotation =
      hub === undefined ? undefined : { uplink: this.#choice?.uplink, hub, at: clock.monotonic() };
  }

  #endpoints(): ReadonlyMap<string, string> {
    return new Map([...this.resolver.endpoints].map(([hub, endpoint]) => [hub, endpointText(endpoint)]));
  }

  #count(tunnels: readonly Counters[]): void {
    this.#counters = new Map(tunnels.map((one) => [one.interface, one]));
    const at = this.parts.settings.hubs.findIndex(({ name }) => name === this.#choice?.hub);
    const one = this.#counters.get(tunnelName(this.parts.settings, at));
    if (one !== undefined) this.prober.witness(one.txBytes, one.rxBytes);
  }

  #onRead(found: ReadonlyMap<string, LineFound>): void {
    for (const [name, line] of found) if (!line.usable) this.prober.setUsable(name, false);
    // Before rules and routes are set: they follow the choice.
    this.#chooseNow();
  }
}

/** The pair that carried goes on, and is measured as if it were new. */
function takenOver(
  { uplink, hub }: { readonly uplink: string; readonly hub: string },
  now: MonotonicTime,
): Choice {
  return {
    uplink,
    hub,
    why: `${uplink} with ${hub} carried when the helper was started anew`,
    since: now,
    state: 'trial',
    failedPreferenceAt: undefined,
    byHand: false,
    left: [],
  };
}
