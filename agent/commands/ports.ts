import type { AuditEvent } from '#contracts/audit.ts';
import type { CommandKind, CommandResult, TerminalCommand } from '#contracts/command.ts';
import type { TerminalId, Uuid } from '#contracts/names.ts';
import type { OwedItem } from '#contracts/outbox.ts';
import type { Result } from '#contracts/result.ts';
import type { Millis } from '#contracts/units.ts';
import type { TrustedKey } from '#formats/envelope.ts';
import type { Clock } from '#runtime/clock.ts';
import type { Log } from '#runtime/log.ts';

/** What the room of commands is given; it knows none of the rooms behind these. */

/** What came on topic `command`. */
export interface CommandMessage {
  readonly text: string;
  /** MQTT 5 correlation data: goes back with every answer. */
  readonly correlation?: Uint8Array;
}

/**
 * Carries out one command; the text of its end is for the operator, without personal data, and its fault likewise. When
 * the signal is aborted, nobody waits for it any more. `id` is the command's, for what is named after it.
 */
export type Action = (command: TerminalCommand, signal: AbortSignal, id: Uuid) => Promise<Result<string>>;
export type Actions = Readonly<Record<CommandKind, Action>>;

/** One change of a command: its entry in the record, what it makes the terminal owe, and what it keeps. */
export interface CommandHappening {
  readonly event: AuditEvent;
  readonly owed: readonly OwedItem[];
  /** Writes the memory, inside the same transaction. */
  readonly keep: () => void;
}

/** Where the commands under way and the last ends are kept, durably: one text. */
export interface CommandMemory {
  read(): string | undefined;
  /** Called inside the transaction of `record`. */
  write(text: string): void;
}

export interface CommandsParts {
  readonly terminal: TerminalId;
  /** Id of this boot of the machine. */
  readonly boot: string;
  readonly trusted: readonly TrustedKey[];
  /** Number of the session that stands now; undefined where there is none. */
  readonly session: () => number | undefined;
  readonly actions: Actions;
  /** One durable transaction; everything of it is on disk when this returns ok, or nothing of it is. */
  readonly record: (happening: CommandHappening) => Result<void>;
  readonly memory: CommandMemory;
  /** Sends to topic `command/result`, where there is a session; it is not waited for. */
  readonly answer: (result: CommandResult, correlation: Uint8Array | undefined) => void;
  readonly clock: Clock;
  readonly log: Log;
  /** Instead of those of contracts/command.ts. */
  readonly timeouts?: Partial<Record<CommandKind, Millis>>;
}
