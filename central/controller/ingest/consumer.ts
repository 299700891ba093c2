import type { CommandResult } from '#contracts/command.ts';
import type { Reported } from '#contracts/configuration.ts';
import type { OutboxEntry } from '#contracts/outbox.ts';
import type { WriteTx } from '../../store/index.ts';

/** Who says it, and when the controller received it. */
export interface From {
  readonly terminal: string;
  readonly now: string;
}

/**
 * A room that must take part in what arrives, inside the transaction that stores it, with `terminal:…` locked. Each may run
 * again where the database asks for it: it changes nothing but the database.
 */
export interface Consumer {
  /** An item that a terminal owed; each comes once. */
  item?(tx: WriteTx, from: From, entry: OutboxEntry): Promise<void>;
  /** A result on topic `command/result`; it may come again. */
  result?(tx: WriteTx, from: From, result: CommandResult): Promise<void>;
  /** What a terminal runs; it may come again. */
  reported?(tx: WriteTx, from: From, reported: Reported): Promise<void>;
}
