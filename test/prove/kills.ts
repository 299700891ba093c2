import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import Database from 'better-sqlite3';
import type { LookupView } from '#contracts/officer.ts';
import type { AuditEntry } from '#contracts/audit.ts';
import { command as audit } from '../../bin/commands/audit.ts';
import { passport } from '../rigs/documents.ts';
import { EventReader } from '../rigs/event-source.ts';
import { eventually } from '../rigs/eventually.ts';
import { seeded, shuffled } from '../rigs/random.ts';
import { run, type Stack, startStack } from '../rigs/stack.ts';
import type { ProofOptions } from './proof.ts';

/** What the proof saw. */
export interface KillCounts {
  readonly kills: { readonly agent: number; readonly broker: number; readonly controller: number };
  /** Kills that fell while the terminal owed something to the centre. */
  readonly killsWithDebt: number;
  readonly swipes: number;
  /** Hits that the officer's page was shown as recorded. */
  readonly shown: number;
  /** Hits in the terminal's record. */
  readonly recorded: number;
  /** Hits at the controller, and how many of them more than once. */
  readonly arrived: number;
  readonly doubled: number;
  readonly lost: number;
  readonly outOfOrder: number;
  readonly auditEntries: number;
}

/**
 * Kills agent, broker and controller `count` times each (SIGKILL) at random moments while stolen documents are swiped
 * one after the other. Then everything is let run dry, and every hit that the officer was shown, and every hit in the
 * record, must be at the controller exactly once and in order, and the record must verify.
 */
export async function proveKills({ count, seed, folder, say }: ProofOptions): Promise<KillCounts> {
  const random = seeded(seed);
  const numbers = Array.from({ length: 20_000 }, (_, i) => `K${String(i).padStart(8, '0')}`);
  const collection = join(folder, 'kills.csv');
  writeCollection(collection, numbers);
  const stack = await startStack({
    folder,
    collection,
    agent: {
      fleet: { retryMillis: 100, resendMillis: 500 },
      central: { retryMillis: 100, probeMillis: 1000 },
      audit: { headEvery: 10 },
    },
    central: { controller: { retryMillis: 100 } },
  });
  const counts = { agent: 0, broker: 0, controller: 0 };
  const shown = new Set<string>();
  let swipes = 0;
  let killsWithDebt = 0;
  const swiper = { stopped: false };
  try {
    const swiping = (async () => {
      while (!swiper.stopped) {
        const number = numbers[swipes++ % numbers.length] ?? '';
        const [first, second] = passport(number);
        stack.reader.send(`${first}\r${second}\r`);
        await pause(15 + random() * 30);
      }
    })();
    let watching = watch(stack, shown);
    const plan = shuffled(
      (['agent', 'broker', 'controller'] as const).flatMap((name) =>
        Array.from({ length: count }, () => name),
      ),
      random,
    );
    for (const [index, victim] of plan.entries()) {
      await pause(random() * 400);
      const process = victim === 'controller' ? stack.central : stack[victim];
      if (!process.running) throw new Error(`${victim} ended by itself; see ${folder}/logs`);
      if (owes(stack)) killsWithDebt++;
      if ((await process.stop('SIGKILL')) !== null)
        throw new Error(`${victim} ended before the kill; see ${folder}/logs`);
      counts[victim]++;
      await pause(random() * 200);
      await process.start();
      if (victim === 'agent') {
        watching.close();
        watching = watch(stack, shown);
      }
      if ((index + 1) % 30 === 0)
        say(`${index + 1} of ${plan.length} kills, ${swipes} swipes, ${shown.size} hits shown`);
    }
    swiper.stopped = true;
    await swiping;
    await eventually(() => !owes(stack), {
      timeoutMs: 120_000,
      everyMs: 200,
      what: 'everything owed having arrived',
    });
    watching.close();
    await stack.agent.stop();
    await stack.central.stop();
    const verified = JSON.parse(await run(audit, ['verify', '--config', stack.agentConfig, '--json'])) as {
      entries: number;
    };
    return { kills: counts, killsWithDebt, swipes, ...compare(stack, shown), auditEntries: verified.entries };
  } finally {
    swiper.stopped = true;
    await stack.close();
  }
}

function writeCollection(file: string, numbers: readonly string[]): void {
  const rows = numbers.map((number, i) => `r${i},UTO,${number},passport,stolen,2026-01-02,UTO`);
  writeFileSync(
    file,
    `record,issuing_state,document_number,document_type,kind_of_loss,reported_on,reported_by\n${rows.join('\n')}\n`,
  );
}

/** Keeps the ids of all hits that the page is shown as recorded, over every restart of the agent. */
function watch(stack: Stack, shown: Set<string>): { close(): void } {
  let reader: EventReader | undefined;
  let closed = false;
  const connect = async (): Promise<void> => {
    reader = await eventually(() => EventReader.connect(`${stack.officerUrl}/api/events`), {
      what: 'the officer’s page',
    });
    reader.onEvent(({ event, data }) => {
      const view = data as LookupView;
      if (event === 'lookup' && view.verdict?.kind === 'hit' && view.verdict.recorded) shown.add(view.lookup);
    });
    if (closed) reader.close();
  };
  // While the agent is being killed the page may be gone before it is reached: there is nothing to be seen then.
  connect().catch(() => {});
  return {
    close() {
      closed = true;
      reader?.close();
    },
  };
}

function owes(stack: Stack): boolean {
  const db = new Database(stack.agentDatabase, { readonly: true, timeout: 5000 });
  try {
    return Number(db.prepare('SELECT count(*) FROM outbox').pluck().get()) > 0;
  } finally {
    db.close();
  }
}

function compare(stack: Stack, shown: ReadonlySet<string>) {
  const terminal = new Database(stack.agentDatabase, { readonly: true });
  const entries = terminal.prepare('SELECT body FROM audit ORDER BY seq').pluck().all() as string[];
  terminal.close();
  const recorded = entries
    .map((body) => JSON.parse(body) as AuditEntry)
    .flatMap((entry) => (entry.kind === 'lookup' && entry.verdict === 'hit' ? [entry.lookup] : []));
  const arrived = arrivedHits(stack);
  const times = new Map<string, number>();
  for (const lookup of arrived) times.set(lookup, (times.get(lookup) ?? 0) + 1);
  const place = new Map(recorded.map((lookup, at) => [lookup, at]));
  const places = arrived.map((lookup) => place.get(lookup) ?? -1);
  return {
    shown: shown.size,
    recorded: recorded.length,
    arrived: arrived.length,
    doubled: [...times.values()].filter((n) => n > 1).length,
    lost: [...new Set([...recorded, ...shown])].filter((lookup) => !times.has(lookup)).length,
    outOfOrder: places.filter((at, i) => i > 0 && at < (places[i - 1] ?? -1)).length,
  };
}

/** Ids of the lookups whose hits the controller has stored, in the order in which it stored them. */
function arrivedHits(stack: Stack): string[] {
  const controller = new Database(stack.controllerDatabase, { readonly: true });
  try {
    return controller
      .prepare("SELECT lookup FROM items WHERE kind = 'hit' ORDER BY id")
      .pluck()
      .all() as string[];
  } finally {
    controller.close();
  }
}
