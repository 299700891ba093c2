/** So many at once; whoever comes later waits for a place, in the order of coming. */
export class Slots {
  #free: number;
  #closed = false;
  readonly #waiting: ((place: (() => void) | undefined) => void)[] = [];

  constructor(places: number) {
    this.#free = places;
  }

  /** Resolves when there is a place, with what gives it back; undefined when it was closed. */
  take(): Promise<(() => void) | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    if (this.#free === 0) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#free--;
    return Promise.resolve(this.#place());
  }

  /** Whoever waits gets none. */
  close(): void {
    this.#closed = true;
    for (const resolve of this.#waiting.splice(0)) resolve(undefined);
  }

  #place(): () => void {
    let given = true;
    return () => {
      if (!given) return;
      given = false;
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next(this.#place());
    };
  }
}
