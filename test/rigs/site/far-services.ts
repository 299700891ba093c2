import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { DnsMood, DnsNames } from '../dns-server.ts';

export interface FarPlan {
  /** Address of the DNS server; none where this is left out. */
  readonly dns?: string;
  readonly names?: DnsNames;
  /** What is answered by HTTP, whatever is asked for. */
  readonly page?: {
    readonly address: string;
    readonly port: number;
    readonly status: number;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body: string;
  };
}

export interface FarChange {
  readonly mood?: DnsMood;
  readonly names?: DnsNames;
}

/** A DNS server and a page in a namespace of a site: what answers on the internet, or at a provider in its place. */
export class FarServices {
  readonly #child: ChildProcess;
  readonly #lines: Interface;

  private constructor(child: ChildProcess, lines: Interface) {
    this.#child = child;
    this.#lines = lines;
  }

  static async start(netns: string, plan: FarPlan): Promise<FarServices> {
    const program = [process.execPath, join(import.meta.dirname, 'far-services-program.ts')];
    const child = spawn(
      'setpriv',
      ['--pdeathsig', 'KILL', '--', 'ip', 'netns', 'exec', netns, ...program, JSON.stringify(plan)],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    const lines = createInterface({ input: child.stdout });
    const services = new FarServices(child, lines);
    await services.#answer();
    return services;
  }

  /** From now on it is so; how many questions the DNS server was asked up to now. */
  async set(change: FarChange): Promise<number> {
    this.#child.stdin?.write(`${JSON.stringify(change)}\n`);
    return (JSON.parse(await this.#answer()) as { asked: number }).asked;
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#child.once('exit', () => resolve());
      this.#child.kill('SIGKILL');
    });
  }

  #answer(): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#lines.once('line', resolve);
      this.#lines.once('close', () => reject(new Error('the far services have ended')));
    });
  }
}
