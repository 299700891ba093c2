import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { toError } from '#runtime/errors.ts';
import { order } from '../../../bin/simulate/control.ts';
import type { ManagedProcess } from '../process.ts';
import { ours } from '../stack.ts';
import type { FleetCentre } from './centre.ts';
import type { FleetAnswer, FleetCounts, FleetOrder, StreamOfTerminal } from './orders.ts';

export interface SimulatorOptions {
  readonly folder: string;
  readonly terminals: number;
  readonly sites: number;
  readonly seed?: number;
  readonly itemSeconds?: number;
  readonly hurtsPerMinute?: number;
  readonly sampleSeconds?: number;
  readonly perSecond?: number;
}

/** `checkpost simulate fleet` as a process of its own. */
export class FleetSimulator {
  readonly #process: ManagedProcess;
  readonly #preparing: ManagedProcess;
  readonly #control: string;

  constructor(centre: FleetCentre, options: SimulatorOptions) {
    this.#control = join(options.folder, 'control.sock');
    const words = {
      authority: centre.authority,
      registry: centre.registry,
      url: centre.brokerUrl,
      control: this.#control,
      terminals: options.terminals,
      sites: options.sites,
      seed: options.seed ?? 1,
      'item-seconds': options.itemSeconds ?? 0,
      'hurts-per-minute': options.hurtsPerMinute ?? 0,
      'sample-seconds': options.sampleSeconds ?? 60,
      'per-second': options.perSecond ?? 100,
    };
    const args = ['simulate', 'fleet', '--json'];
    for (const [name, value] of Object.entries(words)) args.push(`--${name}`, String(value));
    const logFile = join(options.folder, 'logs', 'simulator.log');
    this.#process = ours('simulator', args, logFile);
    this.#preparing = ours('simulator', [...args, '--prepare'], logFile, { waitForReady: false });
  }

  /** Makes certificates and registry. */
  async prepare(): Promise<void> {
    await this.#preparing.start();
    if ((await this.#preparing.exited()) !== 0)
      throw new Error('the simulator could not prepare; see its log');
  }

  async start(): Promise<void> {
    await this.#process.start();
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }

  async order(what: FleetOrder): Promise<Extract<FleetAnswer, { ok: true }>> {
    const done = await order(this.#control, what);
    if (!done.ok) throw toError(done.fault);
    return done.value;
  }

  async counts(): Promise<FleetCounts> {
    const { counts } = await this.order({ do: 'count' });
    if (counts === undefined) throw new Error('the simulator gave no counts');
    return counts;
  }

  async streams(): Promise<readonly StreamOfTerminal[]> {
    return (await this.order({ do: 'list' })).streams ?? [];
  }

  /** Its process and those that it started. */
  pids(): number[] {
    const { pid } = this.#process;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return [pid, ...(children === '' ? [] : children.split(' ').map(Number))];
  }
}
