import { randomFillSync } from 'node:crypto';
import type { Result } from '#contracts/result.ts';
import { instant } from '#runtime/clock.ts';
import { toError } from '#runtime/errors.ts';
import { silentLog } from '#runtime/log.ts';
import { TestClock } from '#runtime/test-clock.ts';
import type { Db, Schema, WriteTx } from '../store/index.ts';
import { CommandTask } from './command-task.ts';
import { DesiredPublisher } from './desired-publisher.ts';
import { FakeFleet } from './fake-fleet.ts';
import { createOrders, type Orders, ordersSchema, type OrdersParts } from './index.ts';
import { WaveTask } from './wave-task.ts';

/** Stands for the rooms that keep the audit and the timeline. */
const notesSchema: Schema = {
  room: 'notes',
  migrations: [
    (d) =>
      `CREATE TABLE notes (id ${d.counted}, kind ${d.text} NOT NULL, body ${d.text} NOT NULL) ${d.strict};`,
  ],
};
export const rigSchemas = [ordersSchema, notesSchema];

/** This room as one process has it, with a clock that a test moves. */
export interface OrdersRig {
  readonly db: Db;
  readonly fleet: FakeFleet;
  readonly clock: TestClock;
  readonly orders: Orders;
  readonly parts: OrdersParts;
  readonly publisher: DesiredPublisher;
  /** One turn of the leader’s tasks, after the clock has moved on by so many seconds. */
  turn(afterSeconds?: number): Promise<void>;
  /** Publishes until nothing waits any more. */
  drain(): Promise<void>;
  /** Says something for a terminal, as the ingest does. */
  says(
    terminal: string,
    what: (tx: WriteTx, from: { terminal: string; now: string }) => Promise<void>,
  ): Promise<void>;
  notes(kind: 'audit' | 'event'): Promise<string[]>;
}

export async function ordersRig(
  db: Db,
  { fleet = new FakeFleet(), clock = new TestClock() }: { fleet?: FakeFleet; clock?: TestClock } = {},
): Promise<OrdersRig> {
  const note = (kind: string) => async (tx: WriteTx, body: { readonly text: string }) => {
    await tx.run('INSERT INTO notes (kind, body) VALUES (?, ?)', kind, body.text);
  };
  const parts: OrdersParts = {
    db,
    registry: fleet.registry,
    link: fleet,
    session: fleet.session,
    audit: note('audit'),
    addEvent: note('event'),
    signer: fleet.signer,
    trusted: fleet.trusted,
    clock,
    random: (bytes) => randomFillSync(bytes),
    keepDays: 400,
    log: silentLog,
  };
  const orders = valueOf(await createOrders(parts));
  const { signal } = new AbortController();
  const publisher = new DesiredPublisher(parts);
  const commands = new CommandTask(parts, orders.commands);
  const waves = new WaveTask(parts, orders.commands);
  const turn = async (afterSeconds = 1): Promise<void> => {
    await clock.advance(afterSeconds * 1000);
    await waves.turn(signal);
    // What was announced may be on its way from the database still.
    publisher.registryChanged();
    await publisher.turn(signal);
    await commands.turn();
  };
  return {
    db,
    fleet,
    clock,
    orders,
    parts,
    publisher,
    turn,
    async drain() {
      publisher.registryChanged();
      await publisher.turn(signal);
      while (publisher.waiting > 0) {
        await clock.advance(1000);
        await publisher.turn(signal);
      }
    },
    async says(terminal, what) {
      valueOf(await db.transaction((tx) => what(tx, { terminal, now: instant(clock.wall()) })));
    },
    async notes(kind) {
      const rows = await db.read((tx) =>
        tx.all<{ body: string }>('SELECT body FROM notes WHERE kind = ? ORDER BY id', kind),
      );
      return valueOf(rows).map(({ body }) => body);
    },
  };
}

export function valueOf<T>(result: Result<T>): T {
  if (!result.ok) throw toError(result.fault);
  return result.value;
}
