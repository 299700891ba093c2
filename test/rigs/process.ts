import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { eventually } from './eventually.ts';

export interface ProcessOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** All that it prints is appended here. */
  readonly logFile: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Waits for a JSON line with `"event":"ready"`; otherwise starting is enough. */
  readonly waitForReady?: boolean;
  readonly readyTimeoutMs?: number;
}

/**
 * A program of ours as a real process: started, killed and started again as often as a test likes. It dies with the
 * process that started it, however that ends, so that nothing is left behind.
 */
export class ManagedProcess {
  readonly #options: ProcessOptions;
  #child: ChildProcess | undefined;
  #exited: Promise<number | null> = Promise.resolve(0);

  constructor(options: ProcessOptions) {
    this.#options = options;
  }

  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error(`${this.#options.name} does not run`);
    return this.#child.pid;
  }

  get running(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Starts it; the answer is its ready line, where it prints one. */
  async start(): Promise<Readonly<Record<string, unknown>>> {
    const { name, command, args, logFile, env, waitForReady, readyTimeoutMs = 20_000 } = this.#options;
    if (this.running) throw new Error(`${name} runs already`);
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', command, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    this.#child = child;
    let ready: Record<string, unknown> | undefined;
    const take = (line: string): void => {
      appendFileSync(logFile, `${line}\n`);
      if (ready === undefined && line.includes('"event":"ready"'))
        ready = JSON.parse(line) as Record<string, unknown>;
    };
    // Both streams are read to their end, so that a full pipe never blocks the process under test.
    if (child.stdout !== null) createInterface({ input: child.stdout }).on('line', take);
    if (child.stderr !== null) createInterface({ input: child.stderr }).on('line', take);
    this.#exited = new Promise((resolve) => {
      child.once('exit', (code) => resolve(code));
      child.once('error', () => resolve(null));
    });
    if (waitForReady !== true) return {};
    await eventually(
      () => {
        if (!this.running && ready === undefined) throw new Error(`${name} ended: ${tail(logFile)}`);
        return ready !== undefined;
      },
      {
        timeoutMs: readyTimeoutMs,
        what: `${name} being ready (${logFile})`,
        failAtOnce: () => !this.running && ready === undefined,
      },
    );
    return ready ?? {};
  }

  /** Sends a signal and waits for the end; the exit code, or null where a signal ended it. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (!this.running) return this.#exited;
    this.#child?.kill(signal);
    return this.#exited;
  }

  /** The end of the process, however it comes. */
  exited(): Promise<number | null> {
    return this.#exited;
  }
}

function tail(file: string): string {
  try {
    return readFileSync(file, 'utf8').slice(-2000);
  } catch {
    return 'it printed nothing';
  }
}
