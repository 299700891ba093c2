import type { CommandRow, NewCommand } from '#contracts/api/orders.ts';
import {
  type CommandResult,
  commandExpirySeconds,
  commands,
  type TerminalCommand,
} from '#contracts/command.ts';
import type { RegisteredTerminal } from '#contracts/registry.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { instant } from '#runtime/clock.ts';
import { faultFields } from '#runtime/log.ts';
import { uuid7 } from '#runtime/uuid.ts';
import type { WriteTx } from '../store/index.ts';
import {
  afterAnswer,
  afterSilence,
  type Answer,
  answerGrace,
  commandColumns,
  commandOf,
  type CommandRecord,
  later,
  toCommandRow,
} from './command-record.ts';
import { CommandList, recordOf } from './command-list.ts';
import { commandMessage } from './command-message.ts';
import type { From, OrdersParts } from './ports.ts';

type Parts = Pick<
  OrdersParts,
  'db' | 'registry' | 'link' | 'session' | 'signer' | 'audit' | 'addEvent' | 'clock' | 'random' | 'log'
>;

/** Called in the transaction in which a command has come to an end. */
export type CommandEnded = (tx: WriteTx, record: CommandRecord, now: string) => Promise<void>;

/** Commands: ordered, sent, answered. Each is a row, and whoever asks for it is in the audit in the same transaction. */
export class CommandBook extends CommandList {
  readonly #parts: Parts;
  readonly #ended: CommandEnded;
  #refused = 0;

  constructor(parts: Parts, ended: CommandEnded) {
    super(parts.db);
    this.#parts = parts;
    this.#ended = ended;
  }

  /** Answers since the start that came from a terminal that was not asked. */
  refused(): number {
    return this.#refused;
  }

  /**
   * Orders a command and sends it; it stays ordered where the broker is away, and goes out when that is back, unless it
   * has expired. Faults: TERMINAL_UNKNOWN, TERMINAL_OFFLINE, those of the store.
   */
  async order(terminal: string, given: NewCommand, by: string): Promise<Result<CommandRow>> {
    const { db, registry, session } = this.#parts;
    const found = registry.find(terminal);
    if (found === undefined) return fail('TERMINAL_UNKNOWN', `No terminal ${terminal} is registered.`);
    const current = session(terminal);
    if (current === undefined) return fail('TERMINAL_OFFLINE', `${terminal} is not connected now.`);
    const done = await db.transaction((tx) =>
      this.insert(tx, {
        terminal: found,
        session: current,
        command: given.command,
        expirySeconds: given.expirySeconds ?? commandExpirySeconds,
        by,
        wave: null,
      }),
    );
    if (!done.ok) return done;
    await this.send(done.value);
    return toCommandRow(done.value);
  }

  /** The row, the event and the audit of a new command; `send` it once this is committed. */
  async insert(
    tx: WriteTx,
    order: {
      readonly terminal: RegisteredTerminal;
      readonly session: number;
      readonly command: TerminalCommand;
      readonly expirySeconds: number;
      readonly by: string;
      readonly wave: { readonly id: string; readonly title: string } | null;
    },
  ): Promise<CommandRecord> {
    const { clock, random, audit, addEvent } = this.#parts;
    const { terminal, site, bureau } = order.terminal;
    const at = instant(clock.wall());
    const expiresAt = later(at, order.expirySeconds * 1000);
    const record: CommandRecord = {
      id: uuid7(clock.wall(), random),
      terminal,
      bureau,
      site,
      session: order.session,
      body: JSON.stringify(order.command),
      by_whom: order.by,
      at,
      expires_at: expiresAt,
      published: 0,
      state: 'sent',
      accepted_at: null,
      due_at: later(expiresAt, answerGrace),
      changed_at: at,
      code: null,
      detail: '',
      wave: order.wave?.id ?? null,
    };
    await tx.run(
      `INSERT INTO commands (${commandColumns.join(', ')}) VALUES (${commandColumns.map(() => '?').join(', ')})`,
      ...commandColumns.map((column) => record[column]),
    );
    tx.announce('command', record.id);
    const { title } = commands[order.command.kind];
    const subject = 'reader' in order.command ? ` ${order.command.reader}` : '';
    const within = order.wave === null ? '' : `, in the wave “${order.wave.title}”`;
    const text = `Command “${title}”${subject} ordered by ${order.by}${within}.`;
    await addEvent(tx, { at, terminal, site, bureau, kind: 'command', text, severity: 'info' });
    await audit(tx, { at, by: order.by, action: 'command', terminal, bureau, text });
    return record;
  }

  /** Publishes a command that has not been sent, for the session that its terminal has now; false where it could not be. */
  async send(record: CommandRecord): Promise<boolean> {
    const { db, link, signer, clock, session, log } = this.#parts;
    const command = commandOf(record);
    const left = Math.ceil((Date.parse(record.expires_at) - clock.wall()) / 1000);
    const current = session(record.terminal);
    if (!command.ok || left <= 0 || current === undefined) return false;
    const message = commandMessage(record, command.value, current, left, signer);
    const sent = await link.publish(message.topic, message.payload, message.options);
    const fields = { command: record.id, terminal: record.terminal };
    if (!sent.ok) {
      log.warn('A command could not be published; it is tried again', {
        ...fields,
        ...faultFields(sent.fault),
      });
      return false;
    }
    const kept = await db.transaction((tx) =>
      tx.run('UPDATE commands SET published = 1, session = ? WHERE id = ?', current, record.id),
    );
    if (!kept.ok)
      log.error('It could not be recorded that a command was sent', {
        ...fields,
        ...faultFields(kept.fault),
      });
    return true;
  }

  /** Takes an answer, from topic `command/result` or owed through the outbox: whichever comes first. */
  async answered(tx: WriteTx, from: From, id: string, answer: Answer): Promise<void> {
    const record = await recordOf(tx, id);
    if (record === undefined || record.terminal !== from.terminal) {
      this.#refused++;
      const reason = record === undefined ? 'unknown' : 'not asked';
      this.#parts.log.warn('An answer to a command was refused', {
        command: id,
        from: from.terminal,
        reason,
      });
      return;
    }
    const after = afterAnswer(record, answer, from.now);
    if (after !== undefined) await this.#change(tx, record, after);
  }

  result(tx: WriteTx, from: From, result: CommandResult): Promise<void> {
    return this.answered(tx, from, result.id, result);
  }

  /** Gives up what nobody has answered in time; called by the leader. */
  async expire(): Promise<Result<number>> {
    const now = instant(this.#parts.clock.wall());
    return this.#parts.db.transaction(async (tx) => {
      const due = await tx.all<CommandRecord>(
        'SELECT * FROM commands WHERE due_at <= ? ORDER BY due_at LIMIT 200',
        now,
      );
      for (const record of due) await this.#change(tx, record, afterSilence(record, now));
      return due.length;
    });
  }

  /** Sends what is still to be sent; called by the leader. It leaves alone what is being sent right now. */
  async sendAgain(): Promise<Result<{ readonly sent: number; readonly failed: boolean }>> {
    const now = this.#parts.clock.wall();
    const read = await this.#parts.db.read((tx) =>
      tx.all<CommandRecord>(
        "SELECT * FROM commands WHERE published = 0 AND state = 'sent' AND at <= ? AND expires_at > ? ORDER BY id LIMIT 500",
        later(instant(now), -sendingMillis),
        instant(now),
      ),
    );
    if (!read.ok) return read;
    let sent = 0;
    for (const record of read.value) {
      if (this.#parts.session(record.terminal) === undefined) continue;
      if (!(await this.send(record))) return ok({ sent, failed: true });
      sent++;
    }
    return ok({ sent, failed: false });
  }

  async #change(tx: WriteTx, before: CommandRecord, after: CommandRecord): Promise<void> {
    const { addEvent } = this.#parts;
    // The first end wins, also where two arrive at once.
    const changed = await tx.run(
      `UPDATE commands SET state = ?, accepted_at = ?, due_at = ?, changed_at = ?, code = ?, detail = ?
       WHERE id = ? AND state = ?`,
      after.state,
      after.accepted_at,
      after.due_at,
      after.changed_at,
      after.code,
      after.detail,
      before.id,
      before.state,
    );
    if (changed === 0) return;
    tx.announce('command', after.id);
    if (after.state === 'accepted') return;
    // Of every other end the terminal’s own word stands in the timeline: it is owed through the outbox.
    if (after.state === 'expired') {
      const command = commandOf(after);
      const title = command.ok ? commands[command.value.kind].title : after.id;
      const { terminal, site, bureau, detail, changed_at: at } = after;
      const text = `Command “${title}” of ${after.by_whom} was given up. ${detail}`;
      await addEvent(tx, { at, terminal, site, bureau, kind: 'command', text, severity: 'warning' });
    }
    await this.#ended(tx, after, after.changed_at);
  }
}

/** A process that has just ordered one is publishing it for so long. */
const sendingMillis = 5000;
