import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { eventually } from '../eventually.ts';

/** What became of a stream of echoes. */
export interface TrafficReport {
  readonly sent: number;
  readonly lost: number;
  /** The longest time without an answer, in milliseconds, less one interval. */
  readonly longestGapMs: number;
}

/** Echoes every 20 ms from a namespace to an address: the traffic that a switch may or may not lose. */
export class Traffic {
  readonly #child: ChildProcess;
  readonly #every: number;
  readonly #answered = new Map<number, number>();
  #last = 0;
  readonly #ended: Promise<void>;

  constructor(netns: string, address: string, { everyMs = 20, size = 56 } = {}) {
    this.#every = everyMs;
    const args = ['netns', 'exec', netns, 'ping', '-n', '-D', '-O', '-i', String(everyMs / 1000)];
    this.#child = spawn(
      'setpriv',
      ['--pdeathsig', 'KILL', '--', 'ip', ...args, '-W', '2', '-M', 'do', '-s', String(size), address],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    );
    if (this.#child.stdout !== null) {
      createInterface({ input: this.#child.stdout }).on('line', (line) => {
        const match = /^\[([\d.]+)\] (?:\d+ bytes.*|no answer yet for )icmp_seq=(\d+)/.exec(line);
        if (match === null) return;
        const sequence = Number(match[2]);
        this.#last = Math.max(this.#last, sequence);
        if (line.includes('bytes from')) this.#answered.set(sequence, Number(match[1]) * 1000);
      });
    }
    this.#ended = new Promise((resolve) => this.#child.once('exit', () => resolve()));
  }

  /** How many were answered so far. */
  get answered(): number {
    return this.#answered.size;
  }

  /** Waits until so many more were answered. */
  async flows(more = 10, timeoutMs = 30_000): Promise<void> {
    const from = this.answered;
    await eventually(() => this.answered >= from + more, { what: 'traffic flowing', timeoutMs, everyMs: 5 });
  }

  /** Milliseconds since 1970 at which the last answer came. */
  lastAnswerAt(): number {
    return Math.max(0, ...this.#answered.values());
  }

  /** Milliseconds from `since` (wall clock) until the first answer after it; undefined where there was none. */
  firstAnswerAfter(since: number): number | undefined {
    const later = [...this.#answered.values()].filter((at) => at > since);
    return later.length === 0 ? undefined : Math.min(...later) - since;
  }

  async stop(): Promise<TrafficReport> {
    this.#child.kill('SIGINT');
    await this.#ended;
    // The last few may still have been on their way.
    const counted = this.#last - Math.ceil(200 / this.#every);
    let lost = 0;
    for (let sequence = 1; sequence <= counted; sequence++) if (!this.#answered.has(sequence)) lost++;
    const times = [...this.#answered.entries()].sort(([a], [b]) => a - b).map(([, at]) => at);
    let longest = 0;
    for (let i = 1; i < times.length; i++) longest = Math.max(longest, (times[i] ?? 0) - (times[i - 1] ?? 0));
    return { sent: counted, lost, longestGapMs: Math.max(0, longest - this.#every) };
  }
}
