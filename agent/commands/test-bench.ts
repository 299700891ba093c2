import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { AuditEvent } from '#contracts/audit.ts';
import {
  commandKinds,
  type CommandOrder,
  type CommandResult,
  commandType,
  type TerminalCommand,
} from '#contracts/command.ts';
import type { OwedItem } from '#contracts/outbox.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { type SigningRole, signEnvelope, type TrustedKey } from '#formats/envelope.ts';
import { silentLog } from '#runtime/log.ts';
import { TestClock } from '#runtime/test-clock.ts';
import type { Action, Actions } from './ports.ts';
import { type Commands, startCommands } from './commands.ts';

/** Key pairs are made once: each takes a while. */
const pairs = Object.fromEntries(
  ['online', 'offline', 'stranger'].map((id) => [id, generateKeyPairSync('ed25519')]),
);

export function keyOf(id: string): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  const pair = pairs[id];
  if (pair === undefined) throw new TypeError(`no key ${id}`);
  return pair;
}

const trusted = (['online', 'offline'] as const).map((id): TrustedKey => {
  const role: SigningRole = id === 'online' ? 'commands' : 'configuration';
  return { id, role, key: keyOf(id).publicKey };
});

/** What the room needs of the terminal's store. */
interface BenchStore {
  transaction<T>(work: () => T): Result<T>;
  meta(key: string): string | undefined;
  setMeta(key: string, value: string): void;
}

/** The room with a store, a real one where the test gives it one, and actions that the test ends by hand. */
export class CommandBench {
  readonly clock = new TestClock('2026-01-15T08:00:00.000Z');
  readonly store: BenchStore;
  readonly recorded: Extract<AuditEvent, { kind: 'command' }>[] = [];
  readonly owed: OwedItem[] = [];
  readonly answers: CommandResult[] = [];
  readonly correlations: (Uint8Array | undefined)[] = [];
  /** What happened, in order. */
  readonly order: string[] = [];
  /** How each command is carried out; those that are not here never end. */
  readonly act = new Map<string, Action>();
  session: number | undefined = 7;
  recording: Result<void> = ok(undefined);
  commands: Commands;
  #ids = 0;

  constructor(store: BenchStore) {
    this.store = store;
    this.commands = this.#start('boot-1');
  }

  /** The process ends and another begins, on the same store, in a session of its own. */
  async restart(boot = 'boot-1'): Promise<void> {
    this.commands.close();
    await this.clock.advance(0);
    this.session = (this.session ?? 0) + 1;
    this.commands = this.#start(boot);
  }

  #start(boot: string): Commands {
    const run: Action = (command, signal, id) => {
      this.order.push(`do ${command.kind}`);
      return this.act.get(command.kind)?.(command, signal, id) ?? new Promise(() => {});
    };
    return startCommands({
      terminal: 'UTO-0001-1',
      boot,
      trusted,
      session: () => this.session,
      actions: Object.fromEntries(commandKinds.map((kind) => [kind, run])) as unknown as Actions,
      record: ({ event, owed, keep }) => {
        if (!this.recording.ok) return this.recording;
        return this.store.transaction(() => {
          if (event.kind !== 'command') throw new TypeError(`a command has no ${event.kind}`);
          this.recorded.push(event);
          this.owed.push(...owed);
          this.order.push(`record ${event.state}`);
          keep();
        });
      },
      memory: {
        read: () => this.store.meta('commands'),
        write: (text) => this.store.setMeta('commands', text),
      },
      answer: (result, correlation) => {
        this.answers.push(result);
        this.correlations.push(correlation);
        this.order.push(`answer ${result.state}`);
      },
      clock: this.clock,
      log: silentLog,
    });
  }

  orderFor(command: TerminalCommand, more: Partial<CommandOrder> = {}): CommandOrder {
    const number = ++this.#ids;
    return {
      v: 1,
      id: `019bc000-0000-7000-8000-${String(number).padStart(12, '0')}`,
      terminal: 'UTO-0001-1',
      session: this.session ?? 7,
      at: new Date(Date.parse('2026-01-15T08:00:00.000Z') + number).toISOString(),
      by: 'duty',
      command,
      ...more,
    };
  }

  signed(payload: unknown, id = 'online', type = commandType): string {
    const key = keyOf(id).privateKey;
    return JSON.stringify(signEnvelope(type, Buffer.from(JSON.stringify(payload)), { id, key }));
  }

  /** Sends an order, and lets everything that can run on do so. */
  async send(order: unknown, correlation?: Uint8Array): Promise<void> {
    await this.deliver(this.signed(order), correlation);
  }

  async deliver(text: string, correlation?: Uint8Array): Promise<void> {
    this.commands.take({ text, ...(correlation !== undefined && { correlation }) });
    await this.clock.advance(0);
  }

  last(): CommandResult {
    const answer = this.answers.at(-1);
    if (answer === undefined) throw new Error('nothing was answered');
    return answer;
  }

  close(): void {
    this.commands.close();
  }
}

export const done =
  (text: string): Action =>
  () =>
    Promise.resolve(ok(text));
export const failed: Action = () => Promise.resolve(fail('READER_ABSENT', 'No reader of this name.'));
