import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** Makes metrics in one registry, all with the same first word. */
export class Make {
  readonly #registers: Registry[];

  constructor(registry: Registry) {
    this.#registers = [registry];
  }

  counter<L extends string = never>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> {
    return new Counter({ name: `checkpost_${name}`, help, labelNames, registers: this.#registers });
  }

  gauge<L extends string = never>(name: string, help: string, labelNames: readonly L[] = []): Gauge<L> {
    return new Gauge({ name: `checkpost_${name}`, help, labelNames, registers: this.#registers });
  }

  histogram(name: string, help: string, buckets: number[]): Histogram {
    return new Histogram({ name: `checkpost_${name}`, help, buckets, registers: this.#registers });
  }

  /** Counted elsewhere, from 0 at the start as well. */
  counted(name: string, help: string): (n: number) => void {
    const counter = this.counter(name, help);
    return (n) => {
      counter.reset();
      counter.inc(n);
    };
  }
}
