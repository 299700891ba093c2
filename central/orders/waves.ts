import { NewWave, type Wave } from '#contracts/api/orders.ts';
import type { Reported } from '#contracts/configuration.ts';
import type { RegisteredTerminal } from '#contracts/registry.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { instant } from '#runtime/clock.ts';
import { parseValue } from '#runtime/parse.ts';
import { uuid7 } from '#runtime/uuid.ts';
import type { WriteTx } from '../store/index.ts';
import type { CommandRecord } from './command-record.ts';
import type { From, OrdersParts } from './ports.ts';
import { breathe, inner, slices } from './sql.ts';
import { canonical, flatten } from './values.ts';
import { kindOf, toWaves, type WaveRecord } from './wave-record.ts';

type Parts = Pick<OrdersParts, 'db' | 'registry' | 'audit' | 'addEvent' | 'clock' | 'random'>;

/** A command that came in the wrong session was not carried out: so often it is ordered anew. */
const mostAttempts = 3;

/** Bulk actions: begun and stopped by operators, driven on by the leader (wave-steps.ts), ended by what terminals say. */
export class WaveBook {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Begins a wave. Faults: REQUEST_INVALID, TERMINAL_UNKNOWN, those of the store. */
  async start(given: NewWave, by: string): Promise<Result<Wave>> {
    const parsed = parseValue(NewWave, given, 'REQUEST_INVALID');
    if (!parsed.ok) return parsed;
    const { db, registry, clock, random, audit, addEvent } = this.#parts;
    const terminals: RegisteredTerminal[] = [];
    for (const name of given.terminals) {
      const found = registry.find(name);
      if (found === undefined) return fail('TERMINAL_UNKNOWN', `No terminal ${name} is registered.`);
      terminals.push(found);
    }
    const action =
      given.action.kind === 'configuration'
        ? { kind: given.action.kind, values: canonical(given.action.values) }
        : given.action;
    if (given.action.kind === 'configuration' && flatten(given.action.values).size === 0)
      return fail('REQUEST_INVALID', 'The wave sets nothing.');
    const at = instant(clock.wall());
    const id = uuid7(clock.wall(), random);
    const bureaus = new Set(terminals.map(({ bureau }) => bureau));
    const bureau = bureaus.size === 1 ? ([...bureaus][0] ?? null) : null;
    const done = await db.transaction(async (tx): Promise<Result<Wave>> => {
      await tx.run(
        `INSERT INTO waves (id, title, action, bureau, by_whom, at, state, unfinished, first_count, pause_seconds,
           stop_after, timeout_seconds, rounds, left_count, next_at, offline_until)
         VALUES (?, ?, ?, ?, ?, ?, 'running', 1, ?, ?, ?, ?, 0, 0, NULL, NULL)`,
        id,
        given.title,
        JSON.stringify(action),
        bureau,
        by,
        at,
        given.first,
        given.pauseSeconds,
        given.stopAfter,
        given.timeoutSeconds,
      );
      let place = 0;
      for (const slice of slices(terminals)) {
        await tx.run(
          `INSERT INTO wave_terminals (wave, terminal, place, state, attempts, take_back, counted) VALUES ${slice
            .map(() => "(?, ?, ?, 'waiting', 0, 0, 0)")
            .join(', ')}`,
          ...slice.flatMap(({ terminal }) => [id, terminal, ++place]),
        );
        await breathe();
      }
      tx.announce('wave', id);
      const text = `Wave “${given.title}” over ${terminals.length} terminals begun by ${by}.`;
      await addEvent(tx, { at, ...nowhere, bureau, kind: given.action.kind, text, severity: 'info' });
      await audit(tx, { at, by, action: 'wave', terminal: null, bureau, text });
      return this.#read(tx, id);
    });
    return inner(done);
  }

  /** Stops a wave: nobody else is begun; those under way finish. Faults: NOT_FOUND, CONFLICT where it has ended. */
  async stop(id: string, by: string): Promise<Result<Wave>> {
    const { db, clock, audit, addEvent } = this.#parts;
    const at = instant(clock.wall());
    const done = await db.transaction(async (tx): Promise<Result<Wave>> => {
      await tx.lock(`wave:${id}`);
      const record = await waveRecord(tx, id);
      if (record === undefined) return fail('NOT_FOUND', `No wave ${id}.`);
      if (record.state !== 'running') return fail('CONFLICT', `The wave has ended: ${record.state}.`);
      await tx.run(
        "UPDATE waves SET state = 'stopped', left_count = 0, next_at = NULL, offline_until = NULL WHERE id = ?",
        id,
      );
      tx.announce('wave', id);
      const text = `Wave “${record.title}” stopped by ${by}.`;
      await addEvent(tx, {
        at,
        ...nowhere,
        bureau: record.bureau,
        kind: kindOf(record),
        text,
        severity: 'info',
      });
      await audit(tx, { at, by, action: 'wave-stopped', terminal: null, bureau: record.bureau, text });
      return this.#read(tx, id);
    });
    return inner(done);
  }

  /** Faults: NOT_FOUND, those of the store. */
  async get(id: string): Promise<Result<Wave>> {
    return inner(await this.#parts.db.read((tx) => this.#read(tx, id)));
  }

  /** The last waves, newest first: all, or those that are within one bureau. */
  async list(which: { readonly bureau?: string; readonly limit?: number } = {}): Promise<Result<Wave[]>> {
    const { bureau, limit = 100 } = which;
    const read = await this.#parts.db.read(async (tx) => {
      const records =
        bureau === undefined
          ? await tx.all<WaveRecord>('SELECT * FROM waves ORDER BY id DESC LIMIT ?', limit)
          : await tx.all<WaveRecord>(
              'SELECT * FROM waves WHERE bureau = ? ORDER BY id DESC LIMIT ?',
              bureau,
              limit,
            );
      return toWaves(tx, records);
    });
    if (!read.ok) return read;
    const waves: Wave[] = [];
    for (const wave of read.value) {
      if (!wave.ok) return wave;
      waves.push(wave.value);
    }
    return ok(waves);
  }

  /** The bureau that all its terminals belong to; null where they are of several. Faults: as `get`. */
  async bureau(id: string): Promise<Result<string | null>> {
    const read = await this.#parts.db.read((tx) => waveRecord(tx, id));
    if (!read.ok) return read;
    return read.value === undefined ? fail('NOT_FOUND', `No wave ${id}.`) : ok(read.value.bureau);
  }

  /** A command of a wave has ended. */
  async commandEnded(tx: WriteTx, record: CommandRecord): Promise<void> {
    if (record.wave === null) return;
    if (record.code === 'COMMAND_REFUSED_SESSION') {
      // Its session had just ended, so that nothing was done: it waits for its turn again.
      const again = await tx.run(
        `UPDATE wave_terminals SET state = 'waiting', command = NULL, due_at = NULL
         WHERE wave = ? AND terminal = ? AND command = ? AND state = 'under-way' AND attempts < ?`,
        record.wave,
        record.terminal,
        record.id,
        mostAttempts,
      );
      if (again > 0) return tx.announce('wave', record.wave);
    }
    const done = record.state === 'done';
    const reason = done ? null : `${record.code ?? record.state}: ${record.detail}`.slice(0, 500);
    const changed = await tx.run(
      `UPDATE wave_terminals SET state = ?, reason = ?, counted = ?, due_at = NULL
       WHERE wave = ? AND terminal = ? AND command = ? AND state = 'under-way'`,
      done ? 'done' : 'failed',
      reason,
      done ? 0 : 1,
      record.wave,
      record.terminal,
      record.id,
    );
    if (changed > 0) tx.announce('wave', record.wave);
  }

  /** What a terminal runs now: a wave that set its configuration is done with it, or has failed there. */
  async reported(tx: WriteTx, from: From, { running, state, refused }: Reported): Promise<void> {
    if (state === 'current') await this.#configured(tx, from.terminal, running);
    if (refused !== null)
      await this.#refused(tx, from.terminal, refused.version, `${refused.code}: ${refused.detail}`);
  }

  /** The same, as it is owed through the outbox. */
  async item(
    tx: WriteTx,
    from: From,
    item: { readonly version: number; readonly state: string; readonly code?: string },
  ): Promise<void> {
    if (item.state === 'current') await this.#configured(tx, from.terminal, item.version);
    if (item.state === 'undone' || item.state === 'refused')
      await this.#refused(tx, from.terminal, item.version, `${item.code ?? item.state}: ${item.state}`);
  }

  async #configured(tx: WriteTx, terminal: string, running: number): Promise<void> {
    const rows = await tx.all<{ wave: string }>(
      `UPDATE wave_terminals SET state = 'done', due_at = NULL
       WHERE terminal = ? AND state = 'under-way' AND version <= ? RETURNING wave`,
      terminal,
      running,
    );
    for (const { wave } of rows) tx.announce('wave', wave);
  }

  async #refused(tx: WriteTx, terminal: string, version: number, reason: string): Promise<void> {
    const rows = await tx.all<{ wave: string }>(
      `UPDATE wave_terminals SET state = 'failed', counted = 1, take_back = 1, due_at = NULL, reason = ?
       WHERE terminal = ? AND state = 'under-way' AND version <= ? RETURNING wave`,
      reason.slice(0, 500),
      terminal,
      version,
    );
    for (const { wave } of rows) tx.announce('wave', wave);
  }

  async #read(tx: Pick<WriteTx, 'run' | 'get' | 'all'>, id: string): Promise<Result<Wave>> {
    const record = await waveRecord(tx, id);
    if (record === undefined) return fail('NOT_FOUND', `No wave ${id}.`);
    const [wave] = await toWaves(tx, [record]);
    return wave ?? fail('NOT_FOUND', `No wave ${id}.`);
  }
}

/** A wave is no single terminal’s. */
export const nowhere = { terminal: null, site: null } as const;

export function waveRecord(tx: Pick<WriteTx, 'get'>, id: string): Promise<WaveRecord | undefined> {
  return tx.get<WaveRecord>('SELECT * FROM waves WHERE id = ?', id);
}
