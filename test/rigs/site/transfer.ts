import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { eventually } from '../eventually.ts';
import { centreAddress, type Site } from './site.ts';

/**
 * Blocks of 16 kB from the agent's namespace to the centre and back over TCP, one connection for each, one after the
 * other: packets of full size in both directions, as an edition or a long answer is.
 */
const port = 7007;
const server = `
const net = require('node:net');
net.createServer((socket) => { socket.on('error', () => {}); socket.pipe(socket); }).listen(${port}, '${centreAddress}', () => console.log('ready'));
`;
const client = `
const net = require('node:net');
const block = Buffer.alloc(16384, 120);
const next = () => {
  let got = 0;
  const socket = net.connect({ port: ${port}, host: '${centreAddress}' }, () => socket.write(block));
  socket.setTimeout(1000, () => socket.destroy());
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    got += chunk.length;
    if (got >= block.length) { console.log(Date.now()); socket.destroy(); }
  });
  socket.on('close', () => setTimeout(next, 20));
};
next();
`;

export class Transfer {
  readonly #children: readonly ChildProcess[];
  readonly #times: number[] = [];

  private constructor(children: readonly ChildProcess[], times: number[]) {
    this.#children = children;
    this.#times = times;
  }

  static async start(site: Site): Promise<Transfer> {
    const run = (netns: string, script: string): ChildProcess =>
      spawn(
        'setpriv',
        ['--pdeathsig', 'KILL', '--', 'ip', 'netns', 'exec', netns, process.execPath, '-e', script],
        { stdio: ['ignore', 'pipe', 'ignore'] },
      );
    const listening = run(site.ns.centre, server);
    await new Promise<void>((resolve) => listening.stdout?.once('data', () => resolve()));
    const sending = run(site.ns.agent, client);
    const times: number[] = [];
    if (sending.stdout !== null)
      createInterface({ input: sending.stdout }).on('line', (line) => void times.push(Number(line)));
    return new Transfer([sending, listening], times);
  }

  /** When the last block came back, milliseconds since 1970. */
  lastAt(): number {
    return this.#times.at(-1) ?? 0;
  }

  async flows(): Promise<void> {
    const from = this.#times.length;
    await eventually(() => this.#times.length > from + 5, { what: 'blocks coming back', timeoutMs: 30_000 });
  }

  longestGapMs(): number {
    const gaps = this.#times.slice(1).map((at, i) => at - (this.#times[i] ?? at));
    return Math.max(0, ...gaps);
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.#children.map(
        (child) =>
          new Promise<void>((resolve) => {
            child.once('exit', () => resolve());
            child.kill('SIGKILL');
          }),
      ),
    );
  }
}
