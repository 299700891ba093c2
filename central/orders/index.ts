import type { CommandResult } from '#contracts/command.ts';
import type { Reported } from '#contracts/configuration.ts';
import type { OutboxEntry } from '#contracts/outbox.ts';
import { ok, type Result } from '#contracts/result.ts';
import type { WriteTx } from '../store/index.ts';
import { CommandTask } from './command-task.ts';
import { CommandBook } from './commands.ts';
import { DesiredPublisher } from './desired-publisher.ts';
import { DesiredBook } from './desired.ts';
import { LayerBook } from './layers.ts';
import type { From, OrdersParts } from './ports.ts';
import { SignedBook } from './signed.ts';
import { TidyTask } from './tidy-task.ts';
import { WaveTask } from './wave-task.ts';
import { WaveBook } from './waves.ts';

export { afterRestore } from './restored.ts';
export { readOrderKeys, type OrderKeys } from './keys.ts';
export type { AddEvent, Audit, NewEvent, OrderLink, OrdersParts, PublishOptions, Signer } from './ports.ts';
export { ordersSchema } from './schema.ts';
export { bureauOf, scopeName } from './scope.ts';
export type { CommandBook, DesiredBook, LayerBook, SignedBook, WaveBook };
export type { Uploaded } from './signed.ts';

/** What operators order: configuration, commands, and either in waves. */
export interface Orders {
  readonly layers: LayerBook;
  readonly signed: SignedBook;
  readonly desired: DesiredBook;
  readonly commands: CommandBook;
  readonly waves: WaveBook;
  /** Takes part in what arrives, inside the transaction that stores it. */
  readonly consumer: {
    item(tx: WriteTx, from: From, entry: OutboxEntry): Promise<void>;
    result(tx: WriteTx, from: From, result: CommandResult): Promise<void>;
    reported(tx: WriteTx, from: From, reported: Reported): Promise<void>;
  };
  /** To be called when the registry was read again. */
  registryChanged(): void;
  /** What one process does for all: publishing, time-outs, waves, tidying up. Each runs until the signal is aborted. */
  readonly tasks: readonly ((signal: AbortSignal) => Promise<void>)[];
  close(): void;
}

/** Faults: those of the store. */
export async function createOrders(parts: OrdersParts): Promise<Result<Orders>> {
  const desired = await DesiredBook.open(parts);
  if (!desired.ok) return desired;
  const waves = new WaveBook(parts);
  const commands = new CommandBook(parts, (tx, record) => waves.commandEnded(tx, record));
  const publisher = new DesiredPublisher(parts);
  const tasks = [
    publisher,
    new CommandTask(parts, commands),
    new WaveTask(parts, commands),
    new TidyTask(parts),
  ];
  return ok({
    layers: new LayerBook(parts),
    signed: new SignedBook(parts),
    desired: desired.value,
    commands,
    waves,
    consumer: {
      async item(tx, from, { item }) {
        if (item.kind === 'command') await commands.answered(tx, from, item.command, item);
        if (item.kind === 'configuration') await waves.item(tx, from, item);
      },
      result: (tx, from, result) => commands.result(tx, from, result),
      async reported(tx, from, reported) {
        await desired.value.reported(tx, from, reported);
        await waves.reported(tx, from, reported);
      },
    },
    registryChanged: () => publisher.registryChanged(),
    tasks: tasks.map((task) => (signal) => task.run(signal)),
    close: () => desired.value.close(),
  });
}
