import { Counts } from '#agent/health/index.ts';
import { type ConditionCode, conditions } from '#contracts/conditions.ts';
import type { Condition, HealthReport } from '#contracts/health.ts';
import { instant } from '#runtime/clock.ts';
import { wall } from '#contracts/units.ts';

/** What can be done to a played terminal, beside stopping it. */
export const hurts = {
  'unplug-reader': 'its reader is unplugged',
  'cut-uplink': 'the cable of its first uplink is pulled; the second carries',
  'set-back-clock': 'its clock is set back by a day',
  'fill-disk': 'its disk is filled',
} as const;
export type Hurt = keyof typeof hurts;

const conditionOfHurt: Readonly<Record<Hurt, { readonly code: ConditionCode; readonly subject?: string }>> = {
  'unplug-reader': { code: 'reader-absent', subject: 'counter-1' },
  'cut-uplink': { code: 'line-no-carrier', subject: 'dsl' },
  'set-back-clock': { code: 'clock-wrong' },
  'fill-disk': { code: 'disk-low' },
};

const day = 86_400_000;
const gib = 1_073_741_824;

/**
 * What a played terminal measures: figures that wander like those of a real one, by a seed, and what its hurts do to
 * them. Conditions stand as soon as the table of conditions says that they show.
 */
export class PlayedHealth {
  readonly counts = new Counts();
  readonly #random: () => number;
  readonly #longestDelay: number;
  #began: number;
  readonly #hurt = new Map<Hurt, number>();
  #delay = 40;
  #memory = 96e6;

  /** `longestDelaySeconds`: so long a condition waits at most before it shows. */
  constructor(random: () => number, now: number, longestDelaySeconds = Number.POSITIVE_INFINITY) {
    this.#random = random;
    this.#longestDelay = longestDelaySeconds * 1000;
    this.#began = now - Math.floor(random() * 30 * day);
  }

  /** It was switched off and starts anew. */
  boot(now: number): void {
    this.#began = now;
  }

  hurt(what: Hurt, now: number): void {
    if (!this.#hurt.has(what)) this.#hurt.set(what, now);
  }

  heal(what?: Hurt): void {
    if (what === undefined) this.#hurt.clear();
    else this.#hurt.delete(what);
  }

  get hurts(): readonly Hurt[] {
    return [...this.#hurt.keys()];
  }

  /** Milliseconds until the next condition shows; undefined where none waits. */
  nextDue(now: number): number | undefined {
    const waits = [...this.#hurt]
      .map(([what, since]) => since + this.#delayOf(what) - now)
      .filter((wait) => wait > 0);
    return waits.length === 0 ? undefined : Math.min(...waits);
  }

  report(now: number, owed: { readonly depth: number; readonly oldestAt: string | null }): HealthReport {
    this.#live();
    const has = (what: Hurt): boolean => this.#hurt.has(what);
    const up = (now - this.#began) / 1000;
    return {
      versions: { checkpost: '0.1.0', node: '24.21.0', os: 'Played terminal' },
      uptime: { systemSeconds: Math.floor(up), agentSeconds: Math.floor(up) },
      load: { one: Math.round(this.#random() * 30) / 100, cpus: 4 },
      memory: {
        totalBytes: 2 * gib,
        availableBytes: Math.round(1.2 * gib - this.#memory),
        agentBytes: this.#memory,
      },
      disk: { totalBytes: 16 * gib, freeBytes: has('fill-disk') ? 50_000_000 : 9 * gib },
      temperature: { celsius: 41 + Math.round(this.#random() * 4) },
      clock: {
        state: 'verified',
        offsetMillis: has('set-back-clock') ? -day : Math.round(this.#random() * 12 - 6),
      },
      readers: [{ id: 'counter-1', state: has('unplug-reader') ? 'absent' : 'ready' }],
      edition: {
        collection: 'sltd',
        version: 41,
        date: instant(wall(now - 3 * 3_600_000)),
        count: 23_000_000,
      },
      outbox: owed,
      audit: { entries: this.counts.now().frames },
      uplink: {
        state: 'up',
        uplink: has('cut-uplink') ? 'lte' : 'dsl',
        hub: 'one',
        uplinks: [
          line('dsl', has('cut-uplink') ? 'no-carrier' : 'up', Math.round(this.#delay), null),
          line('lte', 'up', Math.round(this.#delay * 2), 4_000_000),
        ],
      },
      traffic: { sentBytes: Math.round(up * 20), receivedBytes: Math.round(up * 80) },
      counts: this.counts.now(),
      storage: { wearPercent: 4, fileSystemErrors: 0 },
      power: { source: 'mains', batteryPercent: null, undervoltage: false },
      start: { unexpected: false, watchdog: false },
      configuration: { version: 0, state: 'current' },
      certificateExpires: instant(wall(now + 300 * day)),
      conditions: this.#conditions(now),
    };
  }

  #conditions(now: number): Condition[] {
    return [...this.#hurt]
      .filter(([what, since]) => now - since >= this.#delayOf(what))
      .map(([what, since]) => ({ ...conditionOfHurt[what], since: instant(wall(since)) }));
  }

  #delayOf(what: Hurt): number {
    return Math.min(this.#longestDelay, conditions[conditionOfHurt[what].code].delaySeconds * 1000);
  }

  /** A document is read in each sample, so that each sample is worth a report. */
  #live(): void {
    this.#delay = Math.min(120, Math.max(20, this.#delay + (this.#random() - 0.5) * 8));
    this.#memory = Math.round(Math.min(120e6, Math.max(90e6, this.#memory + (this.#random() - 0.5) * 2e6)));
    if (this.#hurt.has('unplug-reader')) return;
    this.counts.frame();
    this.counts.verdict(this.#random() < 0.03 ? 'unreadable' : 'no-record');
  }
}

function line(name: string, state: 'up' | 'no-carrier', delayMillis: number, monthBytes: number | null) {
  const works = state === 'up';
  return {
    name,
    state,
    loss: works ? 0 : null,
    delayMillis: works ? delayMillis : null,
    mtu: works ? 1420 : null,
    monthBytes,
    overBudget: false,
  } as const;
}
