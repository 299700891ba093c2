/** A progress bar on a terminal: one line that is written over; nothing where nobody looks. */
export class ProgressBar {
  readonly #out: { write(text: string): unknown; readonly isTTY?: boolean };
  readonly #now: () => number;
  #shownAt = Number.NEGATIVE_INFINITY;
  #shown = false;

  constructor(out: { write(text: string): unknown; readonly isTTY?: boolean }, now: () => number) {
    this.#out = out;
    this.#now = now;
  }

  /** `total` is left out while nobody knows it. */
  show(what: string, done: number, total?: number): void {
    if (this.#out.isTTY !== true) return;
    const now = this.#now();
    if (now - this.#shownAt < 100 && done !== total) return;
    this.#shownAt = now;
    this.#shown = true;
    this.#out.write(`\r\u001B[K${barText(what, done, total)}`);
  }

  clear(): void {
    if (this.#shown) this.#out.write('\r\u001B[K');
    this.#shown = false;
  }
}

export function barText(what: string, done: number, total?: number): string {
  const count = done.toLocaleString('en');
  if (total === undefined || total === 0) return `${what}: ${count}`;
  const share = Math.min(1, done / total);
  const filled = Math.round(share * 20);
  const bar = '#'.repeat(filled) + '.'.repeat(20 - filled);
  return `${what} [${bar}] ${Math.floor(share * 100)} % of ${total.toLocaleString('en')}`;
}
