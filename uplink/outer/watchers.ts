import type { UplinkStatus } from '#contracts/uplink.ts';
import { ms } from '#contracts/units.ts';
import type { Clock } from '#runtime/clock.ts';

/** Watchers are told no more often, so that a switch back and forth is one piece of news. */
const tellEvery = ms(250);

/** Tells whoever watches when the status has changed in something that somebody would act upon. */
export class Watchers {
  readonly #clock: Clock;
  readonly #status: () => UplinkStatus;
  readonly #onNews: (status: UplinkStatus) => void;
  readonly #listeners = new Set<() => void>();
  #told = '';
  #cancel: (() => void) | undefined;

  constructor(parts: {
    readonly clock: Clock;
    readonly status: () => UplinkStatus;
    readonly onNews: (status: UplinkStatus) => void;
  }) {
    this.#clock = parts.clock;
    this.#status = parts.status;
    this.#onNews = parts.onNews;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Something may have changed. */
  changed(): void {
    this.#cancel ??= this.#clock.after(tellEvery, () => {
      this.#cancel = undefined;
      this.#tell();
    });
  }

  close(): void {
    this.#cancel?.();
    this.#listeners.clear();
  }

  #tell(): void {
    const status = this.#status();
    const news = essence(status);
    if (news === this.#told) return;
    this.#told = news;
    this.#onNews(status);
    for (const listener of this.#listeners) listener();
  }
}

/** What of a status is news: not the delays, nor for how long all has been so. */
function essence(status: UplinkStatus): string {
  const { state, carrying, uplinks, hubs, firewall, routing, inner, configuration, faults } = status;
  return JSON.stringify([
    state,
    carrying?.uplink,
    carrying?.hub,
    uplinks.map((line) => [line.state, line.overBudget, line.mtu, line.paths.map((path) => path.state)]),
    hubs.map((hub) => [hub.state, hub.endpoint, hub.key.state, hub.key.rotatedAt]),
    firewall,
    routing,
    inner,
    configuration,
    faults.map(({ code, detail }) => [code, detail]),
  ]);
}
