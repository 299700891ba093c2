import { type Millis, monotonic, wall } from '#contracts/units.ts';
import type { Clock } from './clock.ts';

/** A clock that a test moves by hand: timers fire in order while it is advanced, and never otherwise. */
export class TestClock implements Clock {
  #wall: number;
  #monotonic = 1000;
  #timers: { at: number; action: () => void }[] = [];

  constructor(start = '2026-01-15T08:00:00.000Z') {
    this.#wall = Date.parse(start);
  }

  wall() {
    return wall(this.#wall);
  }

  monotonic() {
    return monotonic(this.#monotonic);
  }

  after(delay: Millis, action: () => void): () => void {
    const timer = { at: this.#monotonic + delay, action };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** How many timers wait. */
  get waiting(): number {
    return this.#timers.length;
  }

  /** Moves both clocks on and fires what falls due on the way, letting promises settle after each. */
  async advance(by: number): Promise<void> {
    const end = this.#monotonic + by;
    await settle();
    for (;;) {
      const next = this.#timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#step(Math.max(0, next.at - this.#monotonic));
      next.action();
      await settle();
    }
    this.#step(end - this.#monotonic);
    await settle();
  }

  /** Sets the wall clock alone, as a time service or a flat battery does. */
  setWall(to: string): void {
    this.#wall = Date.parse(to);
  }

  #step(by: number): void {
    this.#monotonic += by;
    this.#wall += by;
  }
}

/** Lets every promise that is ready run on. */
async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}
