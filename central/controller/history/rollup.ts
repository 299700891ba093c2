import type { MetricName } from '#contracts/api/fleet.ts';
import type { Result } from '#contracts/result.ts';
import { ok } from '#contracts/result.ts';
import type { Db, WriteTx } from '../../store/index.ts';
import { levels, lineOf, type Measured, readLines } from './lines.ts';
import { append } from './record.ts';
import { Summary } from './summary.ts';

interface Block {
  readonly terminal: string;
  readonly block: number;
  readonly data: string;
}

/** So long after its end a block may still get what was under way. */
const graceSeconds = 300;

/**
 * Rolls up at most `most` finished blocks into the level above; called by the leader again and again until it gives 0. A
 * block that got something late is rolled up again: the last line of a step counts.
 */
export function rollUp(db: Db, nowSeconds: number, most: number): Promise<Result<number>> {
  return db.transaction(async (tx) => {
    let done = 0;
    for (const [level, { block }] of levels.slice(0, -1).entries()) {
      const rows = await tx.all<Block>(
        'SELECT terminal, block, data FROM samples WHERE level = ? AND rolled = 0 AND block < ? ORDER BY block LIMIT ?',
        level,
        nowSeconds - block - graceSeconds,
        most - done,
      );
      for (const row of rows) await rollUpBlock(tx, level, row, nowSeconds);
      done += rows.length;
      if (done >= most) break;
    }
    return done;
  });
}

async function rollUpBlock(
  tx: WriteTx,
  level: number,
  { terminal, block, data }: Block,
  nowSeconds: number,
): Promise<void> {
  const own = levels[level];
  const above = levels[level + 1];
  if (own === undefined || above === undefined) return;
  const lines = new Map<number, Map<MetricName, Measured>>();
  for (const [name, steps] of summaries(level, block, data, above.step))
    for (const [at, measured] of steps.steps())
      lines.set(at, (lines.get(at) ?? new Map<MetricName, Measured>()).set(name, measured));
  for (const [at, values] of lines) {
    const start = at - (at % above.block);
    const isLate = nowSeconds - start > above.block;
    const line = lineOf((at - start) / above.step, values);
    await append(tx, { level: level + 1, terminal, start, isLate }, line);
  }
  await tx.run(
    'UPDATE samples SET rolled = 1 WHERE level = ? AND terminal = ? AND block = ?',
    level,
    terminal,
    block,
  );
}

/** What is in a block, in steps of `seconds`, each by the Unix time of its beginning. */
export function summaries(
  level: number,
  block: number,
  data: string,
  seconds: number,
): Map<MetricName, Summary> {
  const step = levels[level]?.step ?? 0;
  // Of a roll-up the last line of a step counts; of single values each does.
  const last = new Map<string, { name: MetricName; at: number; measured: Measured }>();
  let n = 0;
  for (const { step: index, name, measured } of readLines(data))
    last.set(level === 0 ? String(n++) : `${index} ${name}`, { name, at: block + index * step, measured });
  const found = new Map<MetricName, Summary>();
  for (const { name, at, measured } of last.values()) {
    const summary = found.get(name) ?? new Summary(name);
    summary.add(at - (at % seconds), measured);
    found.set(name, summary);
  }
  return found;
}

/** Takes away one block's time of what is too old, at each level; called by the leader until it gives 0. */
export async function purgeSamples(db: Db, nowSeconds: number): Promise<Result<number>> {
  let gone = 0;
  for (const [level, { block, keep }] of levels.entries()) {
    const done = await db.transaction(async (tx) => {
      const oldest = await tx.get<{ block: number | null }>(
        'SELECT min(block) AS block FROM samples WHERE level = ? AND rolled = 1',
        level,
      );
      const at = oldest?.block ?? null;
      if (at === null || at >= nowSeconds - keep - block) return 0;
      return tx.run('DELETE FROM samples WHERE level = ? AND rolled = 1 AND block = ?', level, at);
    });
    if (!done.ok) return done;
    gone += done.value;
  }
  return ok(gone);
}
