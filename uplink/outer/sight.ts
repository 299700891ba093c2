import type { UplinkSettings } from '#contracts/settings/uplink.ts';
import type { Choice } from '../choice/choose.ts';
import type { ChoiceFacts, Preference } from '../choice/facts.ts';
import type { PathMeter } from '../probes/path-meter.ts';
import type { Carried } from './carried.ts';
import type { LineFound } from './line-facts.ts';
import type { Meters } from './meters.ts';
import type { Prober } from './prober.ts';

export interface SightParts {
  readonly settings: Pick<UplinkSettings, 'uplinks' | 'hubs'>;
  readonly prober: Pick<Prober, 'view'>;
  readonly meters: Pick<Meters, 'isOver'>;
  readonly carried: Carried | undefined;
  readonly choice: () => Choice | undefined;
}

/** Passes everywhere, while nothing was measured: IPv6 needs it of every link (RFC 8200 section 5). */
const cautiousMtu = 1280;

/** What the measurements say about hubs and uplinks as a whole. */
export class Sight {
  readonly #parts: SightParts;

  constructor(parts: SightParts) {
    this.#parts = parts;
  }

  /** Whether a hub answers over some uplink. */
  isUp(hub: string): boolean {
    return this.#meters(hub).some(({ state }) => state === 'up');
  }

  heardOf(hub: string): 'up' | 'silent' | 'unknown' {
    if (this.isUp(hub)) return 'up';
    return this.#meters(hub).some(({ state }) => state === 'down') ? 'silent' : 'unknown';
  }

  /** Round trip to a hub over the uplink that carries, ms; undefined while it does not answer there. */
  delayTo(hub: string): number | undefined {
    const uplink = this.#parts.choice()?.uplink;
    const meter = uplink === undefined ? undefined : this.#meter(uplink, hub);
    return meter?.state === 'up' ? (meter.delayMillis ?? 0) : undefined;
  }

  /** The address in the probe tunnels by which a hub can be spoken to: that of the uplink that carries, if it works. */
  probeAddressTo(hub: string): string | undefined {
    const working = this.#parts.settings.uplinks.filter(({ name }) => this.#meter(name, hub)?.state === 'up');
    const carrying = this.#parts.choice()?.uplink;
    return (working.find(({ name }) => name === carrying) ?? working[0])?.probeAddress;
  }

  /** Largest packet of the uplink that carries, bytes; a cautious guess while it has not been measured. */
  mtu(): number {
    const { prober, carried, choice } = this.#parts;
    const uplink = choice()?.uplink;
    const mtu = uplink === undefined ? undefined : prober.view(uplink)?.mtu;
    if (mtu !== undefined && mtu.state !== 'untested') return mtu.size;
    return carried !== undefined && carried.uplink === uplink ? carried.mtu : cautiousMtu;
  }

  /** Names of the uplinks, the one that carries first, then by preference. */
  preferred(): string[] {
    const carrying = this.#parts.choice()?.uplink;
    return this.#parts.settings.uplinks
      .toSorted((a, b) => Number(b.name === carrying) - Number(a.name === carrying) || a.metric - b.metric)
      .map(({ name }) => name);
  }

  /** What the choice is made of. */
  choiceFacts(found: ReadonlyMap<string, LineFound>, preference: Preference | undefined): ChoiceFacts {
    const { settings, prober, meters } = this.#parts;
    return {
      uplinks: settings.uplinks.map((line) => {
        const view = prober.view(line.name);
        return {
          name: line.name,
          metric: line.metric,
          usable: found.get(line.name)?.usable ?? false,
          overBudget: meters.isOver(line),
          largeLost: view?.mtu.state === 'large-lost',
          paths: Object.fromEntries(view?.paths.map(({ hub, meter }) => [hub, meter]) ?? []),
        };
      }),
      hubs: settings.hubs.map(({ name }) => name),
      preference,
    };
  }

  #meters(hub: string): PathMeter[] {
    return this.#parts.settings.uplinks.flatMap(({ name }) => this.#meter(name, hub) ?? []);
  }

  #meter(uplink: string, hub: string): PathMeter | undefined {
    return this.#parts.prober.view(uplink)?.paths.find((path) => path.hub === hub)?.meter;
  }
}
