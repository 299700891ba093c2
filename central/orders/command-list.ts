import type { CommandRow } from '#contracts/api/orders.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { Db, Tx } from '../store/index.ts';
import { type CommandRecord, toCommandRow } from './command-record.ts';

/** Commands as operators see them. */
export class CommandList {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  /** Faults: NOT_FOUND, those of the store. */
  async get(id: string): Promise<Result<CommandRow>> {
    const read = await this.#db.read((tx) => recordOf(tx, id));
    if (!read.ok) return read;
    return read.value === undefined ? fail('NOT_FOUND', `No command ${id}.`) : toCommandRow(read.value);
  }

  /** Commands, newest first; `before` is the id of the last one of the page before. */
  async list(which: {
    readonly terminal?: string;
    readonly bureau?: string;
    readonly wave?: string;
    readonly before?: string;
    readonly limit: number;
  }): Promise<Result<CommandRow[]>> {
    const conditions: string[] = [];
    const values: string[] = [];
    for (const column of ['terminal', 'bureau', 'wave'] as const) {
      const value = which[column];
      if (value === undefined) continue;
      conditions.push(`${column} = ?`);
      values.push(value);
    }
    if (which.before !== undefined) {
      conditions.push('id < ?');
      values.push(which.before);
    }
    const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
    const read = await this.#db.read((tx) =>
      tx.all<CommandRecord>(
        `SELECT * FROM commands${where} ORDER BY id DESC LIMIT ?`,
        ...values,
        Math.min(1000, which.limit),
      ),
    );
    if (!read.ok) return read;
    const rows: CommandRow[] = [];
    for (const record of read.value) {
      const row = toCommandRow(record);
      if (!row.ok) return row;
      rows.push(row.value);
    }
    return ok(rows);
  }
}

export function recordOf(tx: Tx, id: string): Promise<CommandRecord | undefined> {
  return tx.get<CommandRecord>('SELECT * FROM commands WHERE id = ?', id);
}
