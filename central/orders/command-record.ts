import { CommandRow } from '#contracts/api/orders.ts';
import { type CommandResult, commands, TerminalCommand } from '#contracts/command.ts';
import type { Result } from '#contracts/result.ts';
import { ms, wall } from '#contracts/units.ts';
import { instant } from '#runtime/clock.ts';
import { parseJson, parseValue } from '#runtime/parse.ts';

/** A row of table `commands`. */
export interface CommandRecord {
  readonly id: string;
  readonly terminal: string;
  readonly bureau: string;
  readonly site: string;
  readonly session: number;
  /** JSON of the command. */
  readonly body: string;
  readonly by_whom: string;
  readonly at: string;
  readonly expires_at: string;
  readonly published: number;
  readonly state: CommandRow['state'];
  readonly accepted_at: string | null;
  readonly due_at: string | null;
  readonly changed_at: string;
  readonly code: string | null;
  readonly detail: string;
  readonly wave: string | null;
}

export const commandColumns = [
  'id',
  'terminal',
  'bureau',
  'site',
  'session',
  'body',
  'by_whom',
  'at',
  'expires_at',
  'published',
  'state',
  'accepted_at',
  'due_at',
  'changed_at',
  'code',
  'detail',
  'wave',
] as const satisfies readonly (keyof CommandRecord)[];

/** An answer may be on its way for so long: a satellite link, a session that broke and came back. */
export const answerGrace = ms(15_000);

export function later(at: string, by: number): string {
  return instant(wall(Date.parse(at) + by));
}

export function commandOf(record: CommandRecord): Result<TerminalCommand> {
  return parseJson(TerminalCommand, record.body, 'STORE_CORRUPT');
}

export function toCommandRow(record: CommandRecord): Result<CommandRow> {
  const command = commandOf(record);
  if (!command.ok) return command;
  return parseValue(
    CommandRow,
    {
      id: record.id,
      terminal: record.terminal,
      command: command.value,
      by: record.by_whom,
      at: record.at,
      expiresAt: record.expires_at,
      state: record.state,
      changedAt: record.changed_at,
      code: record.code,
      detail: record.detail,
      wave: record.wave,
    },
    'STORE_CORRUPT',
  );
}

export type Answer = Pick<CommandResult, 'state' | 'detail'> & { readonly code?: string | undefined };

/**
 * The row after an answer of its terminal, or undefined where it changes nothing: the first end wins, and what had been
 * given up becomes what really happened.
 */
export function afterAnswer(record: CommandRecord, answer: Answer, now: string): CommandRecord | undefined {
  // It only says that an earlier end was forgotten there.
  if (answer.code === 'COMMAND_REPEATED') return undefined;
  if (record.state === 'done' || record.state === 'failed' || record.state === 'refused') return undefined;
  if (answer.state === 'accepted') {
    if (record.accepted_at !== null) return undefined;
    const command = commandOf(record);
    const seconds = command.ok ? commands[command.value.kind].timeoutSeconds : 0;
    return {
      ...record,
      state: 'accepted',
      accepted_at: now,
      // The terminal gives up by itself after its own time; we wait a little longer for its word.
      due_at: later(now, seconds * 1000 + 4 * answerGrace),
      changed_at: now,
      code: null,
      detail: answer.detail,
    };
  }
  const { state, detail, code = null } = answer;
  return { ...record, state, detail, code, due_at: null, changed_at: now };
}

/** The row after nobody has answered in time. */
export function afterSilence(record: CommandRecord, now: string): CommandRecord {
  const detail =
    record.state === 'accepted'
      ? 'The terminal accepted it, and its end has not arrived in time.'
      : record.published === 1
        ? 'The terminal has not answered in time.'
        : 'It could not be sent: the broker was away.';
  return { ...record, state: 'expired', due_at: null, changed_at: now, code: 'COMMAND_EXPIRED', detail };
}
