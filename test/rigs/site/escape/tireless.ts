import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { eventually } from '../../eventually.ts';
import type { Orders, Told } from './program.ts';

/** A process that tries to talk to the outside without pause (program.ts). */
export class Tireless {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #lines: Interface;
  readonly #ended: Promise<void>;

  private constructor(name: string, child: ChildProcess, lines: Interface) {
    this.name = name;
    this.#child = child;
    this.#lines = lines;
    this.#ended = new Promise((resolve) => child.once('exit', () => resolve()));
  }

  static async start(name: string, netns: string, orders: Orders): Promise<Tireless> {
    const program = join(import.meta.dirname, 'program.ts');
    // It ends with its standard input, and so with whoever started it.
    const child = spawn('ip', ['netns', 'exec', netns, process.execPath, program, JSON.stringify(orders)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const tireless = new Tireless(name, child, createInterface({ input: child.stdout }));
    await tireless.told();
    return tireless;
  }

  /** What it has tried so far. */
  told(): Promise<Told> {
    return this.#say('tell');
  }

  /** It tries nothing, and nothing of it is repeated by the kernel, until `go`. */
  pause(): Promise<Told> {
    return this.#say('pause');
  }

  go(): Promise<Told> {
    return this.#say('go');
  }

  /** Waits until every attempt was made once more. */
  async wholeRound(): Promise<void> {
    const { made, round } = await this.told();
    await eventually(async () => (await this.told()).made >= made + round, {
      what: `${this.name} trying everything`,
      timeoutMs: 30_000,
      everyMs: 50,
    });
  }

  async stop(): Promise<void> {
    this.#child.stdin?.end();
    await this.#ended;
  }

  #say(word: string): Promise<Told> {
    return new Promise((resolve, reject) => {
      const gone = (): void => reject(new Error(`${this.name} has ended`));
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) return gone();
      this.#lines.once('close', gone);
      this.#lines.once('line', (line) => {
        this.#lines.off('close', gone);
        resolve(JSON.parse(line) as Told);
      });
      this.#child.stdin?.write(`${word}\n`);
    });
  }
}
