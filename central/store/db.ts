import type { Result } from '#contracts/result.ts';

/**
 * The centre's database as its parts see it: SQLite on one machine, PostgreSQL when one machine is outgrown. Both speak
 * the SQL that these rooms write: standard SQL with `?` for values, instants and JSON as TEXT, truth as 0 and 1.
 */
export type SqlValue = string | number | null;

/** Statements of one transaction, or of reads. Each rejects only with the database's own error, which `Db` turns into a fault. */
export interface Tx {
  /** Rows changed. */
  run(sql: string, ...values: readonly SqlValue[]): Promise<number>;
  get<T>(sql: string, ...values: readonly SqlValue[]): Promise<T | undefined>;
  all<T>(sql: string, ...values: readonly SqlValue[]): Promise<T[]>;
}

/** What changed, told to every process of the centre after the transaction is committed. */
export interface Announcement {
  /** For example `terminal`. */
  readonly kind: string;
  /** Which one: an id, never personal data. */
  readonly key: string;
}

export interface WriteTx extends Tx {
  /**
   * Holds everybody else who locks this name off until the transaction ends: what is read afterwards and written here is
   * one step. SQLite has one writer anyway.
   */
  lock(name: string): Promise<void>;
  /** Tells every process of the centre, this one too, once this is committed; dropped where it is not. */
  announce(kind: string, key: string): void;
}

/** Being the one process that does what must be done once: timers, roll-outs, the offline sweep. */
export interface Lead {
  /** Resolves when the lead is lost: stop at once. */
  readonly lost: Promise<void>;
  release(): Promise<void>;
}

export interface Db {
  readonly kind: 'sqlite' | 'postgres';
  /**
   * One durable transaction: when the answer is ok, the change is on disk; on any failure nothing of it is kept. What
   * `work` throws as a CheckpostError becomes its fault; `work` may run again where the database asks for it.
   * Faults: STORE_FAILED, STORE_FULL, STORE_CORRUPT, STORE_LOCKED, STORE_UNREACHABLE.
   */
  transaction<T>(work: (tx: WriteTx) => Promise<T>): Promise<Result<T>>;
  /** Reads what is committed; never waits for a writer. Each statement sees the state of its own moment. */
  read<T>(work: (tx: Tx) => Promise<T>): Promise<Result<T>>;
  /** Calls back for everything announced by any process; after a gap in listening, with kind `all` and key ``. */
  listen(listener: (announcement: Announcement) => void): () => void;
  /** The lead of this name, or undefined while another process has it. */
  lead(name: string): Promise<Result<Lead | undefined>>;
  /** Transactions and reads that failed since the start. */
  errors(): number;
  close(): Promise<void>;
}

/** One step of a schema: statements for either database. A step, once released, is never changed. */
export type Migration = (dialect: Dialect) => string;

/** The few places where the two differ. */
export interface Dialect {
  /** A key that counts up by itself, never reusing a number. */
  readonly counted: string;
  /** What ends a table definition. */
  readonly strict: string;
  /** TEXT that sorts by its bytes. */
  readonly text: string;
  /** An integer of 64 bits. */
  readonly integer: string;
  /** A floating-point number. */
  readonly real: string;
}

/** Steps of one room, in order; each room counts its own. */
export interface Schema {
  /** For example `controller`. */
  readonly room: string;
  readonly migrations: readonly Migration[];
}
