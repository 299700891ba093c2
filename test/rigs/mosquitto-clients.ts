import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { eventually } from './eventually.ts';

/** Files of an identity, PEM; without certificate and key it has none. */
export interface ClientIdentity {
  readonly authority: string;
  readonly certificate?: string;
  readonly key?: string;
}

export interface ClientRun {
  readonly exit: number | null;
  /** What it printed, its debug lines too. */
  readonly said: string;
}

export interface Watched {
  readonly topic: string;
  readonly retained: boolean;
  readonly payload: Buffer;
}

/**
 * Mosquitto's own mosquitto_pub and mosquitto_sub, which know nothing of Checkpost: with whatever certificate, on
 * whatever topic.
 */
export class MosquittoClients {
  readonly #port: number;
  readonly #watching = new Set<ChildProcess>();

  constructor(port: number) {
    this.#port = port;
  }

  /** Publishes with QoS 1, from standard input, and ends. `more`: further arguments, which win. */
  publish(
    as: ClientIdentity,
    topic: string,
    payload: string | Uint8Array,
    more: readonly string[] = [],
  ): Promise<ClientRun> {
    const child = this.#spawn('mosquitto_pub', as, ['-q', '1', '-t', topic, '-s', ...more]);
    const run = collect(child);
    child.stdin?.on('error', () => {}).end(payload);
    return run;
  }

  /** Connects, subscribes to a topic of nobody and ends, which shows whether it gets in at all. */
  connect(as: ClientIdentity, more: readonly string[] = []): Promise<ClientRun> {
    return collect(this.#spawn('mosquitto_sub', as, ['-t', 'nobody', '-E', '-W', '5', ...more]));
  }

  /** Subscribes and notes what comes until it is closed; resolves when the broker has answered. */
  async watch(
    as: ClientIdentity,
    filters: readonly string[],
    more: readonly string[] = [],
  ): Promise<{ readonly got: readonly Watched[]; close(): void }> {
    const topics = filters.flatMap((filter) => ['-t', filter]);
    const args = ['-q', '1', '-F', 'message %r %t %x', ...topics, ...more];
    const child = this.#spawn('mosquitto_sub', as, args);
    this.#watching.add(child);
    const got: Watched[] = [];
    let subscribed = false;
    const take = (line: string): void => {
      const [, retained, topic, hex = ''] = /^message ([01]) (\S+) ?([0-9a-f]*)$/.exec(line) ?? [];
      if (topic !== undefined)
        got.push({ topic, retained: retained === '1', payload: Buffer.from(hex, 'hex') });
      // Each subscription is answered; all are asked for at once.
      if (/SUBACK|^Subscribed/.test(line)) subscribed = true;
    };
    for (const stream of [child.stdout, child.stderr])
      if (stream !== null) createInterface({ input: stream }).on('line', take);
    await eventually(() => subscribed, {
      what: 'the answer to a subscription',
      failAtOnce: () => child.exitCode !== null,
    });
    return { got, close: () => void child.kill() };
  }

  close(): void {
    for (const child of this.#watching) child.kill();
  }

  #spawn(program: string, as: ClientIdentity, args: readonly string[]): ChildProcess {
    const own =
      as.certificate === undefined || as.key === undefined ? [] : ['--cert', as.certificate, '--key', as.key];
    const broker = ['-h', 'localhost', '-p', String(this.#port), '-V', 'mqttv5', '--cafile', as.authority];
    // Line by line: what it says would else wait until there is more of it.
    const line = ['--pdeathsig', 'KILL', '--', 'stdbuf', '-oL', program];
    return spawn('setpriv', [...line, ...broker, ...own, '-d', ...args]);
  }
}

function collect(child: ChildProcess): Promise<ClientRun> {
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  return new Promise((resolve) => child.once('close', (exit) => resolve({ exit, said })));
}
