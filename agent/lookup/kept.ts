import { type Question } from './question.ts';
import type { KeyObject } from 'node:crypto';
import type { ReaderId, Uuid } from '#contracts/names.ts';
import type { LookupView } from '#contracts/officer.ts';
import type { Result } from '#contracts/result.ts';
import { seal, unseal } from '#formats/sealed.ts';
import type { Log } from '#runtime/log.ts';
import type { Store } from '../store/index.ts';

/** A question that must be asked again when the link is back. */
export interface Recheck {
  readonly lookup: Uuid;
  readonly question: Question;
  readonly view: LookupView;
  readonly reader: ReaderId;
}

/**
 * What the terminal keeps of its lookups until it is settled: hits that nobody has acknowledged, and questions that the
 * centre has not answered. Sealed, since they hold document numbers; deleted as soon as they are settled. The writing
 * methods are called inside a transaction of their caller.
 */
export class KeptLookups {
  readonly #store: Store;
  readonly #key: KeyObject;
  readonly #log: Log;

  constructor(parts: { store: Store; key: KeyObject; log: Log }) {
    this.#store = parts.store;
    this.#key = parts.key;
    this.#log = parts.log;
  }

  openHit(view: LookupView): void {
    this.#put('open_hits', view.lookup, view.at, view);
  }

  closeHit(lookup: Uuid): void {
    this.#store.run('DELETE FROM open_hits WHERE lookup = ?', lookup);
  }

  openHits(): LookupView[] {
    const rows = this.#store.all<KeptRow>('SELECT lookup, sealed FROM open_hits ORDER BY at, lookup');
    return this.#unseal<LookupView>('open_hits', rows);
  }

  owe(recheck: Recheck): void {
    this.#put('recheck', recheck.lookup, recheck.view.at, recheck);
  }

  settle(lookup: Uuid): void {
    this.#store.run('DELETE FROM recheck WHERE lookup = ?', lookup);
  }

  /** One after the other, a page at a time: after a month without a link there are more than fit into memory. */
  *rechecks(): Generator<Recheck> {
    let last = '';
    for (;;) {
      const rows = this.#store.all<KeptRow>(
        'SELECT lookup, sealed FROM recheck WHERE lookup > ? ORDER BY lookup LIMIT 32',
        last,
      );
      const end = rows.at(-1);
      if (end === undefined) return;
      last = end.lookup;
      yield* this.#unseal<Recheck>('recheck', rows);
    }
  }

  #put(table: 'open_hits' | 'recheck', lookup: Uuid, at: string, value: unknown): void {
    const sealed = seal(this.#key, table, Buffer.from(JSON.stringify(value)));
    this.#store.run(`INSERT OR REPLACE INTO ${table} VALUES (?, ?, ?)`, lookup, at, sealed);
  }

  #unseal<T>(table: 'open_hits' | 'recheck', rows: readonly KeptRow[]): T[] {
    return rows.flatMap((row) => {
      const opened: Result<Buffer> = unseal(this.#key, table, row.sealed);
      if (opened.ok) return [JSON.parse(opened.value.toString()) as T];
      this.#log.error('A kept lookup cannot be unsealed and is passed over', {
        lookup: row.lookup,
        code: opened.fault.code,
      });
      return [];
    });
  }
}

interface KeptRow {
  readonly lookup: string;
  readonly sealed: Buffer;
}
