import { ms } from '#contracts/units.ts';
import { pause } from '#runtime/clock.ts';
import { faultFields } from '#runtime/log.ts';
import type { CommandBook } from './commands.ts';
import type { OrdersParts } from './ports.ts';
import { slices } from './sql.ts';
import { waveHands } from './wave-hands.ts';
import { stepWave, type WaveHands } from './wave-steps.ts';

const every = ms(1000);
const inFlight = 20;

/** The leader’s task that drives waves on. It keeps nothing in memory: the next leader goes on where this one stopped. */
export class WaveTask {
  readonly #parts: OrdersParts;
  readonly #commands: CommandBook;
  readonly #hands: WaveHands;

  constructor(parts: OrdersParts, commands: CommandBook) {
    this.#parts = parts;
    this.#commands = commands;
    this.#hands = waveHands(parts, commands);
  }

  /** Runs while this process leads. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.turn(signal);
      await pause(this.#parts.clock, every, signal);
    }
  }

  /** One step of every wave. */
  async turn(signal: AbortSignal): Promise<void> {
    const { db, log } = this.#parts;
    const open = await db.read((tx) =>
      tx.all<{ id: string }>('SELECT id FROM waves WHERE unfinished = 1 ORDER BY id'),
    );
    if (!open.ok) {
      log.error('The waves could not be read', faultFields(open.fault));
      return;
    }
    for (const { id } of open.value) {
      if (signal.aborted) return;
      const step = await db.transaction((tx) => stepWave(tx, id, this.#parts, this.#hands));
      if (!step.ok) {
        log.error('A wave could not go on', { wave: id, ...faultFields(step.fault) });
        continue;
      }
      // What is not sent now, for whatever reason, the task of the commands sends.
      for (const slice of slices(step.value, inFlight)) {
        const sent = await Promise.all(slice.map((one) => this.#commands.send(one)));
        if (sent.includes(false)) break;
      }
    }
  }
}
