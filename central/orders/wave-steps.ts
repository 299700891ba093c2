import { instant } from '#runtime/clock.ts';
import type { WriteTx } from '../store/index.ts';
import { type CommandRecord, later } from './command-record.ts';
import type { OrdersParts } from './ports.ts';
import {
  countsOf,
  kindOf,
  type WaveAction,
  actionOf,
  type WaveRecord,
  type WaveTerminal,
} from './wave-record.ts';
import { nowhere, waveRecord } from './waves.ts';

/** Begins the action at some terminals that are online; called in the transaction of the step. */
export interface WaveHands {
  command(
    tx: WriteTx,
    wave: WaveRecord,
    action: Extract<WaveAction, { kind: 'command' }>,
    terminals: readonly WaveTerminal[],
    now: string,
  ): Promise<readonly CommandRecord[]>;
  configure(
    tx: WriteTx,
    wave: WaveRecord,
    action: Extract<WaveAction, { kind: 'configuration' }>,
    terminals: readonly WaveTerminal[],
    now: string,
  ): Promise<void>;
  takeBack(tx: WriteTx, wave: WaveRecord, terminals: readonly WaveTerminal[], now: string): Promise<void>;
}

type Parts = Pick<OrdersParts, 'registry' | 'session' | 'audit' | 'addEvent' | 'clock'>;

/** Terminals that are begun in one step, which is a second. */
const atOnce = 100;
const page = 500;

/**
 * One step of a wave, in one transaction: gives up who is overdue, takes back what failed, stops itself, begins terminals of
 * the current round, begins the next round, ends. Everything that it goes by is in the store, so that any leader can
 * take any step. Called every second; the answer is the commands to send once this is committed.
 */
export async function stepWave(
  tx: WriteTx,
  id: string,
  parts: Parts,
  hands: WaveHands,
): Promise<readonly CommandRecord[]> {
  await tx.lock(`wave:${id}`);
  const wave = await waveRecord(tx, id);
  if (wave === undefined || wave.unfinished === 0) return [];
  const now = instant(parts.clock.wall());
  const overdue = await tx.run(
    `UPDATE wave_terminals SET state = 'failed', counted = 1, due_at = NULL, reason = 'It did not end in time.',
       take_back = CASE WHEN layer_version IS NULL THEN 0 ELSE 1 END
     WHERE wave = ? AND state = 'under-way' AND due_at <= ?`,
    id,
    now,
  );
  if (overdue > 0) tx.announce('wave', id);
  const failed = await tx.all<WaveTerminal>(
    'SELECT * FROM wave_terminals WHERE wave = ? AND take_back = 1 ORDER BY place LIMIT ?',
    id,
    atOnce,
  );
  if (failed.length > 0) {
    await hands.takeBack(tx, wave, failed, now);
    for (const { terminal } of failed)
      await tx.run('UPDATE wave_terminals SET take_back = 0 WHERE wave = ? AND terminal = ?', id, terminal);
  }
  const counts = (await countsOf(tx, [id])).get(id);
  if (counts === undefined) return [];
  if (wave.state === 'running' && counts.counted >= wave.stop_after) {
    const text = `Wave “${wave.title}” stopped itself: ${counts.counted} terminals failed.`;
    await end(tx, wave, 'stopped-by-failures', counts.underWay + counts.takeBack > 0, parts, now, text);
    return [];
  }
  if (wave.state !== 'running') {
    if (counts.underWay + counts.takeBack === 0) await change(tx, wave, { unfinished: 0 });
    return [];
  }
  // Whoever was put back is in the audit, which is written last in a transaction: others are begun in the next one.
  if (failed.length > 0) return [];
  if (wave.left_count > 0) return begin(tx, wave, parts, hands, now);
  if (counts.underWay > 0) return [];
  if (counts.waiting === 0) {
    const failures = counts.failed === 0 ? '' : `, ${counts.failed} failed`;
    const text = `Wave “${wave.title}” has ended: ${counts.done} done${failures}.`;
    await end(tx, wave, 'done', counts.takeBack > 0, parts, now, text);
    return [];
  }
  return nextRound(tx, wave, parts, hands, now);
}

/** The round before has ended, or there was none yet. */
async function nextRound(
  tx: WriteTx,
  wave: WaveRecord,
  parts: Parts,
  hands: WaveHands,
  now: string,
): Promise<readonly CommandRecord[]> {
  if (wave.rounds > 0 && wave.next_at === null) {
    await change(tx, wave, { next_at: later(now, wave.pause_seconds * 1000) });
    return [];
  }
  if (wave.next_at !== null && wave.next_at > now) return [];
  const [ready] = await online(tx, wave, parts, 1);
  if (ready !== undefined) {
    const left = wave.first_count * 2 ** Math.min(20, wave.rounds);
    const begun = { ...wave, rounds: wave.rounds + 1, left_count: left, next_at: null, offline_until: null };
    return begin(tx, begun, parts, hands, now);
  }
  // Only such as are offline are left: they are waited for as long as one may take, and touched in no other way.
  if (wave.offline_until === null) {
    await change(tx, wave, { offline_until: later(now, wave.timeout_seconds * 1000) });
  } else if (wave.offline_until <= now) {
    await tx.run(
      "UPDATE wave_terminals SET state = 'failed', reason = 'offline' WHERE wave = ? AND state = 'waiting'",
      wave.id,
    );
    tx.announce('wave', wave.id);
  }
  return [];
}

async function begin(
  tx: WriteTx,
  wave: WaveRecord,
  parts: Parts,
  hands: WaveHands,
  now: string,
): Promise<readonly CommandRecord[]> {
  const most = Math.min(wave.left_count, atOnce);
  const terminals = await online(tx, wave, parts, most);
  // Where fewer are online than the round may have, it is a smaller one.
  const left = terminals.length < most ? 0 : wave.left_count - terminals.length;
  await change(tx, wave, {
    rounds: wave.rounds,
    left_count: left,
    next_at: wave.next_at,
    offline_until: wave.offline_until,
  });
  if (terminals.length === 0) return [];
  const action = actionOf(wave);
  if (!action.ok) return [];
  if (action.value.kind === 'command') return hands.command(tx, wave, action.value, terminals, now);
  await hands.configure(tx, wave, action.value, terminals, now);
  return [];
}

/** The next terminals that wait and are online, in their order. Those that are gone for good fail here. */
async function online(tx: WriteTx, wave: WaveRecord, parts: Parts, most: number): Promise<WaveTerminal[]> {
  const found: WaveTerminal[] = [];
  for (let place = 0; ;) {
    const rows = await tx.all<WaveTerminal>(
      "SELECT * FROM wave_terminals WHERE wave = ? AND state = 'waiting' AND place > ? ORDER BY place LIMIT ?",
      wave.id,
      place,
      page,
    );
    for (const row of rows) {
      place = row.place;
      if (parts.registry.find(row.terminal) === undefined) {
        await tx.run(
          "UPDATE wave_terminals SET state = 'failed', reason = 'revoked' WHERE wave = ? AND terminal = ?",
          wave.id,
          row.terminal,
        );
        continue;
      }
      if (parts.session(row.terminal) !== undefined) found.push(row);
      if (found.length === most) return found;
    }
    if (rows.length < page) return found;
  }
}

async function end(
  tx: WriteTx,
  wave: WaveRecord,
  state: 'done' | 'stopped-by-failures',
  unfinished: boolean,
  { audit, addEvent }: Parts,
  at: string,
  text: string,
): Promise<void> {
  await change(tx, wave, {
    state,
    unfinished: unfinished ? 1 : 0,
    left_count: 0,
    next_at: null,
    offline_until: null,
  });
  const severity = state === 'done' ? 'info' : 'error';
  const { bureau } = wave;
  await addEvent(tx, { at, ...nowhere, bureau, kind: kindOf(wave), text, severity });
  await audit(tx, { at, by: 'controller', action: `wave-${state}`, terminal: null, bureau, text });
}

type Changes = Partial<
  Pick<WaveRecord, 'state' | 'unfinished' | 'rounds' | 'left_count' | 'next_at' | 'offline_until'>
>;

async function change(tx: WriteTx, wave: WaveRecord, changes: Changes): Promise<void> {
  const after = { ...wave, ...changes };
  const counts = after.unfinished === 0 ? JSON.stringify((await countsOf(tx, [wave.id])).get(wave.id)) : null;
  await tx.run(
    `UPDATE waves SET state = ?, unfinished = ?, rounds = ?, left_count = ?, next_at = ?, offline_until = ?,
       end_counts = ? WHERE id = ?`,
    after.state,
    after.unfinished,
    after.rounds,
    after.left_count,
    after.next_at,
    after.offline_until,
    counts,
    wave.id,
  );
  tx.announce('wave', wave.id);
}
