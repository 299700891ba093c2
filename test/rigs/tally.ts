import type { Counts, Refused } from '#central/controller/index.ts';

/** Counts in memory: for tests, and wherever nobody scrapes. */
export class Tally implements Counts {
  items = { received: 0, doubled: 0, lost: 0, thinned: 0 };
  messages = 0;
  readonly refusals = new Map<string, number>();

  received(items: number): void {
    this.items.received += items;
  }

  doubled(items: number): void {
    this.items.doubled += items;
  }

  lost(items: number): void {
    this.items.lost += items;
  }

  thinned(items: number): void {
    this.items.thinned += items;
  }

  ingested(): void {
    this.messages++;
  }

  refused(channel: string, why: Refused, n = 1): void {
    const key = `${channel} ${why}`;
    this.refusals.set(key, (this.refusals.get(key) ?? 0) + n);
  }

  /** Messages refused for this reason, on any channel or the one named. */
  refusedFor(why: Refused, channel?: string): number {
    return [...this.refusals]
      .filter(([key]) => (channel === undefined ? key.endsWith(` ${why}`) : key === `${channel} ${why}`))
      .reduce((sum, [, n]) => sum + n, 0);
  }
}
