import type { CentreState } from '#contracts/api/fleet.ts';
import type { Result } from '#contracts/result.ts';
import { ms } from '#contracts/units.ts';
import type { Clock } from '#runtime/clock.ts';
import type { AlertBook } from '../alerts/index.ts';
import type { Controller } from '../controller/index.ts';
import type { Orders } from '../orders/index.ts';
import type { Announcement, Db } from '../store/index.ts';
import type { Change, ChangeListener, WaveOf } from './source.ts';

export interface RoomChangeParts {
  readonly db: Db;
  readonly clock: Clock;
  readonly controller: Pick<Controller, 'fleet'>;
  readonly alerts: Pick<AlertBook, 'byId' | 'maintenance'>;
  readonly orders: { readonly commands: Pick<Orders['commands'], 'get'> };
  readonly wave: (id: string) => Promise<Result<WaveOf>>;
  readonly centre: () => CentreState;
}

/** What changes within this time is read and told at once. */
const gather = ms(100);
/** How often it is looked whether the centre itself is another. */
const centreEvery = ms(2000);
/** More than this at once is no change but a flood: whoever listens asks for everything anew. */
const mostAtOnce = 500;

/** What any process of the centre has changed, read again as it is committed, and told to whoever listens here. */
export class RoomChanges {
  readonly #parts: RoomChangeParts;
  readonly #listeners = new Set<ChangeListener>();
  readonly #stops: readonly (() => void)[];
  readonly #waiting = new Map<string, Announcement>();
  #cancelGather: (() => void) | undefined;
  #cancelCentre: () => void;
  #centre = '';

  constructor(parts: RoomChangeParts) {
    this.#parts = parts;
    this.#stops = [
      parts.controller.fleet.subscribe({
        terminals: (rows) => rows.forEach((data) => this.#tell({ event: 'terminal', data })),
        sites: (rows) => rows.forEach((data) => this.#tell({ event: 'site', data })),
        hits: (rows) => rows.forEach((data) => this.#tell({ event: 'hit', data })),
        events: (rows) =>
          rows.forEach(({ event: data, bureau }) => this.#tell({ event: 'event', data, bureau })),
        // A row that went away has no event of its own.
        gone: () => this.#gap(),
      }),
      parts.db.listen((announcement) => this.#announced(announcement)),
    ];
    this.#cancelCentre = parts.clock.after(centreEvery, this.#lookAtCentre);
  }

  subscribe(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    for (const stop of this.#stops) stop();
    this.#cancelGather?.();
    this.#cancelCentre();
  }

  #announced(announcement: Announcement): void {
    const { kind, key } = announcement;
    if (kind === 'all') return this.#gap();
    if (!['alert', 'maintenance', 'command', 'wave'].includes(kind) || this.#listeners.size === 0) return;
    this.#waiting.set(`${kind} ${key}`, announcement);
    this.#cancelGather ??= this.#parts.clock.after(gather, () => {
      this.#cancelGather = undefined;
      void this.#readWaiting();
    });
  }

  async #readWaiting(): Promise<void> {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    if (waiting.length > mostAtOnce) return this.#gap();
    for (const one of waiting) {
      const change = await this.#read(one);
      // Gone again meanwhile, or the store fails: then nobody is told, and whoever asks hears why.
      if (change !== undefined) this.#tell(change);
    }
  }

  async #read({ kind, key }: Announcement): Promise<Change | undefined> {
    const { alerts, orders, wave } = this.#parts;
    switch (kind) {
      case 'alert': {
        const found = await alerts.byId(Number(key));
        return found.ok ? { event: 'alert', data: found.value } : undefined;
      }
      case 'maintenance': {
        const found = await alerts.maintenance.byId(Number(key));
        return found.ok ? { event: 'maintenance', data: found.value } : undefined;
      }
      case 'command': {
        const found = await orders.commands.get(key);
        return found.ok ? { event: 'command', data: found.value } : undefined;
      }
      case 'wave': {
        const found = await wave(key);
        if (!found.ok) return undefined;
        return { event: 'wave', data: found.value.wave, bureau: found.value.bureau };
      }
      default:
        return undefined;
    }
  }

  readonly #lookAtCentre = (): void => {
    const data = this.#parts.centre();
    const text = JSON.stringify(data);
    if (text !== this.#centre) this.#tell({ event: 'centre', data });
    this.#centre = text;
    this.#cancelCentre = this.#parts.clock.after(centreEvery, this.#lookAtCentre);
  };

  #tell(change: Change): void {
    for (const listener of this.#listeners) listener.change(change);
  }

  #gap(): void {
    for (const listener of this.#listeners) listener.gap();
  }
}
