import { type CommandKind, type CommandOrder, commands, type CommandState } from '#contracts/command.ts';
import type { Uuid } from '#contracts/names.ts';
import { fail, type Fault, type Result } from '#contracts/result.ts';
import { type Millis, ms } from '#contracts/units.ts';
import { toFault } from '#runtime/errors.ts';
import { faultFields } from '#runtime/log.ts';
import { type End, type Kept, Ledger, type Running, written } from './ledger.ts';
import { readOrder } from './order.ts';
import type { CommandMessage, CommandsParts } from './ports.ts';

/** At most so many at once, one of each kind. */
const mostAtOnce = 4;
/** Whatever comes while one of these is under way would be cut short. */
const stoppers: ReadonlySet<CommandKind> = new Set(['restart-agent', 'reboot']);
/** An end that could not be recorded is tried again. */
const recordAgainEvery = ms(30_000);
/** What nobody signed is said in the log so often and no more: whoever sends it must not fill the disk. */
const quietFor = 60_000;

export interface Commands {
  /** Takes what came on topic `command`. */
  take(message: CommandMessage): void;
  /** Kinds of the commands under way. */
  underWay(): CommandKind[];
  /** Messages refused since the start. */
  refused(): number;
  /** Stops what is under way; the next start says how it ended. */
  close(): void;
}

/**
 * Carries out what the centre asks for: what is signed by its online key, for this terminal, in this session, and once.
 * Who asked for it is on record before anything is done; how it ended is on record, and owed to the centre, before it is
 * answered. Commands that were under way when the process ended get their end here, at the next start.
 */
export function startCommands(parts: CommandsParts): Commands {
  const commands = new CommandDesk(parts);
  commands.resume();
  return commands;
}

class CommandDesk implements Commands {
  readonly #parts: CommandsParts;
  readonly #ledger: Ledger;
  readonly #slots = new Map<CommandKind, AbortController>();
  readonly #cancels = new Set<() => void>();
  #refused = 0;
  #saidAt = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(parts: CommandsParts) {
    this.#parts = parts;
    this.#ledger = new Ledger(parts.memory, parts.log);
  }

  underWay(): CommandKind[] {
    return [...this.#slots.keys()];
  }

  refused(): number {
    return this.#refused;
  }

  close(): void {
    this.#closed = true;
    for (const cancel of this.#cancels) cancel();
    for (const slot of this.#slots.values()) slot.abort();
  }

  take({ text, correlation }: CommandMessage): void {
    if (this.#closed) return;
    const read = readOrder(text, this.#parts);
    if (read.kind === 'unbelieved') return this.#passOver(read.fault);
    const { id, by } = read.kind === 'order' ? read.order : read.heading;
    // The broker brings a message again after a broken session, and the controller may ask how it went.
    const end = this.#ledger.endOf(id);
    if (end !== undefined) return this.#answer(id, end, correlation);
    if (this.#ledger.isRunning(id))
      return this.#answer(id, { state: 'accepted', detail: 'It is under way.' }, correlation);
    if (read.kind === 'unknown')
      return this.#refuse({ ...read.heading, what: read.heading.command.kind }, read.fault, correlation);
    const { order } = read;
    const what = order.command.kind;
    const fault = this.#objection(order);
    if (fault !== undefined) return this.#refuse({ ...order, what }, fault, correlation);
    const { session, at } = order;
    const running: Running = { id, what, by, session, at, boot: this.#parts.boot };
    const begun = this.#keep(this.#ledger.begunWith(running), running, { state: 'accepted' });
    // What cannot be recorded is not done.
    if (!begun.ok) return this.#refuse({ ...order, what }, begun.fault, correlation);
    this.#parts.log.info('A command is carried out', { command: id, what, by });
    this.#answer(id, { state: 'accepted', detail: '' }, correlation);
    void this.#carryOut(order, running, correlation);
  }

  /** Gives an end to what was under way when the process before this one ended. */
  resume(): void {
    for (const running of this.#ledger.running()) {
      const end = endAfterRestart(running, this.#parts.boot);
      if (end !== undefined) {
        this.#end(running, end, undefined);
        continue;
      }
      // The agent came back, the machine did not go: it may be about to.
      const slot = new AbortController();
      this.#slots.set(running.what, slot);
      void this.#timeout(running.what, slot.signal).then((fault) =>
        this.#finish(running, { ok: false, fault }, undefined),
      );
    }
  }

  #objection(order: CommandOrder): Fault | undefined {
    const { kind } = order.command;
    const session = this.#parts.session();
    if (order.session !== session) {
      const now = session === undefined ? 'there is none now' : `now it is ${session}`;
      return fail('COMMAND_REFUSED_SESSION', `It quotes session ${order.session}; ${now}.`).fault;
    }
    if (this.#ledger.mayBeForgotten(order))
      return fail('COMMAND_REPEATED', `It was signed at ${order.at}; later ones are forgotten already.`)
        .fault;
    const stopper = this.underWay().find((one) => stoppers.has(one));
    if (stopper !== undefined) return fail('COMMAND_BUSY', `${stopper} is under way.`).fault;
    if (this.#slots.has(kind)) return fail('COMMAND_BUSY', `Another ${kind} is under way.`).fault;
    if (this.#slots.size >= mostAtOnce)
      return fail('COMMAND_BUSY', `${this.underWay().join(', ')} are under way.`).fault;
    return undefined;
  }

  async #carryOut(order: CommandOrder, running: Running, correlation: Uint8Array | undefined): Promise<void> {
    const { kind } = order.command;
    const slot = new AbortController();
    this.#slots.set(kind, slot);
    const over = new AbortController();
    const timeout = this.#timeout(kind, AbortSignal.any([slot.signal, over.signal]));
    const outcome = await Promise.race([
      this.#act(order, slot.signal),
      timeout.then((fault): Result<string> => ({ ok: false, fault })),
    ]);
    over.abort();
    slot.abort();
    this.#finish(running, outcome, correlation);
  }

  async #act({ id, command }: CommandOrder, signal: AbortSignal): Promise<Result<string>> {
    let done: Result<string>;
    try {
      done = await this.#parts.actions[command.kind](command, signal, id);
    } catch (thrown) {
      return { ok: false, fault: toFault(thrown) };
    }
    // What ends with the process is done when the next one has started, and failed when this one is still here.
    if (done.ok && stoppers.has(command.kind)) return new Promise(() => {});
    return done;
  }

  #finish(running: Running, outcome: Result<string>, correlation: Uint8Array | undefined): void {
    this.#slots.delete(running.what);
    // Stopped with the process: the next one gives it its end.
    if (this.#closed) return;
    this.#end(
      running,
      outcome.ok
        ? { state: 'done', detail: outcome.value.slice(0, longestDetail) }
        : { state: 'failed', ...ofFault(outcome.fault) },
      correlation,
    );
  }

  /** Resolves with the fault when the time of this kind is over; never where the signal is aborted first. */
  #timeout(kind: CommandKind, signal: AbortSignal): Promise<Fault> {
    const limit = this.#limit(kind);
    return new Promise((resolve) => {
      const cancel = this.#later(limit, () =>
        resolve(fail('COMMAND_TIMEOUT', `${kind} did not end within ${limit / 1000} s.`).fault),
      );
      signal.addEventListener('abort', cancel, { once: true });
    });
  }

  #limit(kind: CommandKind): Millis {
    return this.#parts.timeouts?.[kind] ?? ms(commands[kind].timeoutSeconds * 1000);
  }

  #end(running: Running, end: End, correlation: Uint8Array | undefined): void {
    const { log } = this.#parts;
    const { id, what, by } = running;
    const done = this.#keep(this.#ledger.endedWith(running, end), running, end);
    if (!done.ok) {
      log.error('The end of a command could not be recorded', { command: id, ...faultFields(done.fault) });
      this.#later(recordAgainEvery, () => this.#end(running, end, correlation));
      return;
    }
    const fields = { command: id, what, by, ...(end.code !== undefined && { code: end.code }) };
    if (end.state === 'done') log.info('A command is done', fields);
    else log.warn('A command failed', fields);
    this.#answer(id, end, correlation);
  }

  #refuse(
    order: Pick<CommandOrder, 'id' | 'by' | 'session' | 'at'> & { readonly what: string },
    fault: Fault,
    correlation: Uint8Array | undefined,
  ): void {
    const { log } = this.#parts;
    this.#refused++;
    const end: End = { state: 'refused', ...ofFault(fault) };
    log.warn('A command was refused', { command: order.id, what: order.what, ...faultFields(fault) });
    // Remembered too: sent a thousand times, it is one entry in the record.
    const kept = this.#ledger.endedWith(order, end);
    const done = this.#keep(kept, order, end);
    if (!done.ok) {
      log.error('A refusal could not be recorded', faultFields(done.fault));
      this.#ledger.take(kept);
    }
    this.#answer(order.id, end, correlation);
  }

  /** What nobody signed has no place in the record: whoever sends it could fill it. */
  #passOver(fault: Fault): void {
    this.#refused++;
    const now = this.#parts.clock.monotonic();
    if (now - this.#saidAt < quietFor) return;
    this.#saidAt = now;
    this.#parts.log.warn('What came as a command was refused', {
      ...faultFields(fault),
      refused: this.#refused,
    });
  }

  /** One transaction: the entry in the record, what is owed where it is an end, and the memory. */
  #keep(
    kept: Kept,
    { id, what, by }: { readonly id: Uuid; readonly what: string; readonly by: string },
    end: End | { readonly state: 'accepted' },
  ): Result<void> {
    const code = 'code' in end && end.code !== undefined ? { code: end.code } : {};
    const done = this.#parts.record({
      event: { kind: 'command', command: id, what, by, state: end.state, ...code },
      owed:
        end.state === 'accepted'
          ? []
          : [{ kind: 'command', command: id, state: end.state, ...code, detail: end.detail }],
      keep: () => this.#parts.memory.write(written(kept)),
    });
    if (done.ok) this.#ledger.take(kept);
    return done;
  }

  #answer(
    id: Uuid,
    { state, code, detail }: { state: CommandState; code?: string; detail: string },
    correlation: Uint8Array | undefined,
  ): void {
    this.#parts.answer({ v: 1, id, state, ...(code !== undefined && { code }), detail }, correlation);
  }

  #later(delay: Millis, act: () => void): () => void {
    const cancel = this.#parts.clock.after(delay, () => {
      this.#cancels.delete(cancel);
      if (!this.#closed) act();
    });
    this.#cancels.add(cancel);
    return () => {
      this.#cancels.delete(cancel);
      cancel();
    };
  }
}

/** How a command ended that was under way when the process ended; undefined where that has yet to show. */
function endAfterRestart({ what, boot }: Running, bootNow: string): End | undefined {
  if (what === 'restart-agent') return { state: 'done', detail: 'The agent was started again.' };
  if (what === 'reboot')
    return boot === bootNow ? undefined : { state: 'done', detail: 'The terminal was started again.' };
  const { fault } = fail('COMMAND_INTERRUPTED', 'The agent was started again meanwhile.');
  return { state: 'failed', ...ofFault(fault) };
}

const longestDetail = 2000;

function ofFault({ code, detail }: Fault): { code: string; detail: string } {
  return { code, detail: detail.slice(0, longestDetail) };
}
