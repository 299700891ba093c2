import type { UplinkLine, UplinkNetwork } from '#contracts/settings/uplink.ts';
import type { MonotonicTime } from '#contracts/units.ts';
import type { Children } from '#runtime/child.ts';
import type { Clock } from '#runtime/clock.ts';
import {
  checkPortal,
  diagnose,
  type Diagnosis,
  type LineFacts,
  type Neighbour,
  type NeighbourState,
  neighbourState,
  type OpenWindow,
  parseNeighbours,
  type PortalFact,
  PortalSchedule,
} from '../diagnosis/index.ts';
import type { Counters } from '../halves/orders.ts';
import type { HubResolver } from '../resolve/index.ts';
import { ip, step } from '../tools/tools.ts';
import type { LineFound } from './line-facts.ts';
import type { LineView } from './prober.ts';

export interface Diagnosed extends Diagnosis {
  readonly name: string;
  readonly since: MonotonicTime;
}

export interface DiagnoserParts {
  readonly network: Pick<UplinkNetwork, 'uplinks' | 'portalCheck' | 'dns'>;
  readonly resolver: HubResolver;
  readonly children: Children;
  readonly clock: Clock;
  readonly random: () => number;
  /** Opens the firewall for the portal check. */
  readonly openWindow: OpenWindow;
}

interface Line {
  readonly settings: UplinkLine;
  readonly portal: PortalSchedule;
  silentSince: MonotonicTime | undefined;
  /** Packets of the device when the hubs fell silent. */
  counted: Counters | undefined;
  portalFact: PortalFact;
  checking: boolean;
  diagnosed: Diagnosed | undefined;
  testedDnsAt: MonotonicTime | undefined;
}

/** Neighbours are asked of the kernel no more often than this: it costs a process. In ms. */
const neighboursEvery = 10_000;
const testDnsAfter = 5000;
const testDnsEvery = 60_000;

/** Finds out what is wrong with a line that brings no hub, and names it. */
export class Diagnoser {
  readonly #parts: DiagnoserParts;
  readonly #lines: readonly Line[];
  #neighbours: readonly Neighbour[] = [];
  #lookedAt: MonotonicTime | undefined;
  #readAt: MonotonicTime | undefined;
  #looking = false;

  constructor(parts: DiagnoserParts) {
    this.#parts = parts;
    this.#lines = parts.network.uplinks.map((settings) => ({
      settings,
      portal: new PortalSchedule(parts.random),
      silentSince: undefined,
      counted: undefined,
      portalFact: { result: 'not-done' },
      checking: false,
      diagnosed: undefined,
      testedDnsAt: undefined,
    }));
  }

  /** To be called about once a second with what is known of every line; what has changed since. */
  look(
    known: ReadonlyMap<
      string,
      { readonly found: LineFound; readonly view: LineView; readonly counters: Counters | undefined }
    >,
  ): Diagnosed[] {
    const now = this.#parts.clock.monotonic();
    const changed: Diagnosed[] = [];
    for (const line of this.#lines) {
      const one = known.get(line.settings.name);
      if (one === undefined) continue;
      this.#note(line, one.view, one.counters, now);
      const { metered } = line.settings;
      // Asked of a line that works too: with that its pauses begin anew.
      const portalDue = line.portal.isDue(
        { ready: one.found.usable, silentSince: line.silentSince, metered },
        now,
      );
      if (line.silentSince !== undefined && one.found.usable)
        this.#investigate(line, one.found, now, portalDue);
      const diagnosis = diagnose(this.#facts(line, one.found, one.view, one.counters));
      const before = line.diagnosed;
      const same = before?.state === diagnosis.state;
      line.diagnosed = { ...diagnosis, name: line.settings.name, since: same ? before.since : now };
      if (!same) changed.push(line.diagnosed);
    }
    return changed;
  }

  of(name: string): Diagnosed | undefined {
    return this.#lines.find(({ settings }) => settings.name === name)?.diagnosed;
  }

  get all(): readonly Diagnosed[] {
    return this.#lines.flatMap(({ diagnosed }) => diagnosed ?? []);
  }

  #note(line: Line, { paths }: LineView, counters: Counters | undefined, now: MonotonicTime): void {
    const answers = paths.some(({ meter }) => meter.state === 'up' && meter.lostInRow === 0);
    const tested = paths.some(({ meter }) => meter.lostInRow > 0);
    if (answers || !tested) {
      line.silentSince = undefined;
      line.counted = undefined;
      line.portalFact = { result: 'not-done' };
      line.testedDnsAt = undefined;
    } else if (line.silentSince === undefined) {
      line.silentSince = now;
      line.counted = counters;
    }
  }

  #investigate(line: Line, found: LineFound, now: MonotonicTime, portalDue: boolean): void {
    const { resolver, network, clock } = this.#parts;
    const asking = { name: line.settings.name, addresses: found.addresses };
    if (this.#lookedAt === undefined || now - this.#lookedAt >= neighboursEvery)
      void this.#readNeighbours(now);
    const silentFor = now - (line.silentSince ?? now);
    const tested = line.testedDnsAt;
    if (silentFor >= testDnsAfter && (tested === undefined || now - tested >= testDnsEvery)) {
      line.testedDnsAt = now;
      void resolver.test(asking);
    }
    // One at a time: the end of one shuts the firewall for all.
    if (network.portalCheck === null || !portalDue || this.#lines.some(({ checking }) => checking)) return;
    line.checking = true;
    line.portal.begun(now);
    void checkPortal({
      page: network.portalCheck,
      localAddresses: found.addresses,
      lookup: (name) => resolver.lookup(asking, name),
      openWindow: this.#parts.openWindow,
      clock,
    }).then((fact) => {
      line.checking = false;
      if (line.silentSince !== undefined) line.portalFact = fact;
    });
  }

  async #readNeighbours(now: MonotonicTime): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    this.#lookedAt = now;
    const shown = await step(this.#parts.children, 'ROUTING_FAILED', 'reading the neighbours', ip, [
      '-json',
      'neigh',
    ]);
    const parsed = shown.ok ? parseNeighbours(shown.value) : shown;
    if (parsed.ok) {
      this.#neighbours = parsed.value;
      this.#readAt = now;
    }
    this.#looking = false;
  }

  /** What was read before the line fell silent says nothing of the router now. */
  #neighbourOf({ settings, silentSince }: Line, gateway: string): NeighbourState {
    const readAt = this.#readAt;
    if (silentSince === undefined || readAt === undefined || readAt < silentSince) return 'unknown';
    return neighbourState(this.#neighbours, settings.device, gateway);
  }

  #facts(line: Line, found: LineFound, view: LineView, counters: Counters | undefined): LineFacts {
    const { resolver, network } = this.#parts;
    const { settings, silentSince, counted } = line;
    const { device, ways, addresses } = found;
    const way = ways[4] ?? ways[6];
    const dns = resolver.dnsOver(settings.name);
    const recent =
      dns !== undefined && silentSince !== undefined && dns.at >= silentSince ? dns.answer : undefined;
    return {
      device: settings.device,
      kind: settings.kind,
      present: device !== undefined,
      switchedOn: device?.up ?? false,
      carrier: device?.carrier ?? null,
      addresses: device?.addresses.map(({ address }) => address) ?? [],
      gateway:
        way === undefined
          ? null
          : way.gateway === undefined
            ? { way: 'point-to-point' }
            : {
                way: 'router',
                address: way.gateway,
                neighbour: this.#neighbourOf(line, way.gateway),
              },
      counters:
        counted === undefined || counters === undefined
          ? null
          : {
              sent: Math.max(0, counters.txPackets - counted.txPackets),
              received: Math.max(0, counters.rxPackets - counted.rxPackets),
            },
      names: !resolver.needsNames ? 'not-needed' : resolver.isLacking ? 'failed' : 'resolved',
      dns: dnsFact(recent, network.dns, way?.gateway),
      portal: line.portalFact,
      paths: view.paths.map(({ hub, meter }) => ({ hub, state: meter.state })),
      largest:
        view.mtu.state === 'large-lost'
          ? 'none'
          : view.mtu.state === 'good' && addresses.length > 0
            ? view.mtu.size
            : null,
    };
  }
}

function dnsFact(
  answer: NonNullable<ReturnType<HubResolver['dnsOver']>>['answer'] | undefined,
  servers: readonly string[],
  gateway: string | undefined,
): LineFacts['dns'] {
  if (answer === undefined) return { result: 'not-asked' };
  if (answer.result === 'answered')
    return {
      result: 'answered',
      byRouter: gateway !== undefined && servers.every((server) => server === gateway),
    };
  return answer;
}
