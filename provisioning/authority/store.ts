import { chmodSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { fail, type Result } from '#contracts/result.ts';
import { CheckpostError, systemCode } from '#runtime/errors.ts';
import { secretFile } from '../files.ts';

/**
 * The authority's database: sites, tokens, certificates, terminals. One file that can be copied as it is while no
 * command runs (no write-ahead log beside it); every change is one durable transaction. A migration, once released, is
 * never changed: a new one is added, and `PRAGMA user_version` says how many have been applied.
 */
const migrations: readonly string[] = [
  `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  CREATE TABLE sites (id TEXT PRIMARY KEY, data TEXT NOT NULL, added_at TEXT NOT NULL) STRICT;
  CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    terminal TEXT NOT NULL,
    site TEXT NOT NULL REFERENCES sites (id),
    bundle TEXT NOT NULL,
    code_key TEXT NOT NULL,
    salt TEXT NOT NULL,
    made_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    voided_at TEXT,
    request TEXT,
    answer TEXT,
    used_at TEXT
  ) STRICT;
  CREATE TABLE certificates (
    serial TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    not_after TEXT NOT NULL,
    issued_at TEXT NOT NULL,
    revoked_at TEXT
  ) STRICT;
  CREATE TABLE terminals (
    terminal TEXT PRIMARY KEY,
    site TEXT NOT NULL REFERENCES sites (id),
    certificate TEXT NOT NULL,
    enrolled_at TEXT NOT NULL,
    revoked_at TEXT
  ) STRICT;
  `,
  `
  -- X25519 public key that secrets are wrapped to after the enrolment, SubjectPublicKeyInfo in DER, base64. NULL for
  -- terminals of a release before this one: they have thrown the private half away.
  ALTER TABLE terminals ADD COLUMN wrapping_key TEXT;
  `,
  `
  -- Which address of the plan belongs to which terminal: slot tunnel, or probe- and the name of an uplink.
  CREATE TABLE addresses (
    address TEXT PRIMARY KEY,
    terminal TEXT NOT NULL,
    slot TEXT NOT NULL,
    UNIQUE (terminal, slot)
  ) STRICT;
  -- contracts/enrolment.ts, WireguardKeys, and the digest of the request that brought them: NULL without a tunnel.
  ALTER TABLE terminals ADD COLUMN wireguard TEXT;
  ALTER TABLE terminals ADD COLUMN request TEXT;
  `,
];

export interface TokenRow {
  readonly id: string;
  readonly terminal: string;
  readonly site: string;
  /** SHA-256 of the bundle's payload. */
  readonly bundle: string;
  /** Public half of the code's key, PEM. */
  readonly code_key: string;
  /** Of the code's key, hexadecimal. */
  readonly salt: string;
  readonly expires_at: string;
  readonly voided_at: string | null;
  /** SHA-256 of the payload of the request that used it. */
  readonly request: string | null;
  readonly answer: string | null;
}

export interface CertificateRow {
  readonly serial: string;
  readonly kind: 'server' | 'terminal';
  readonly subject: string;
  readonly sha256: string;
  readonly not_after: string;
  readonly issued_at: string;
}

type Value = string | number | null;

/** How long a command waits for another one that is changing the authority. */
const patience = { tries: 400, pauseMillis: 25 };

export class AuthorityStore {
  readonly #db: Database.Database;
  #last: Promise<unknown> = Promise.resolve();

  constructor(file: string, options: { readonly create?: boolean } = {}) {
    this.#db = new Database(file, { timeout: 0, fileMustExist: options.create !== true });
    this.#db.pragma('journal_mode = DELETE');
    this.#db.pragma('synchronous = EXTRA');
    this.#db.pragma('foreign_keys = ON');
    if (options.create === true) chmodSync(file, secretFile);
    try {
      this.#migrate(file);
    } catch (thrown) {
      this.#db.close();
      throw thrown;
    }
  }

  #migrate(file: string): void {
    const version = (): number => this.#db.pragma('user_version', { simple: true }) as number;
    if (version() > migrations.length) {
      throw new CheckpostError(
        'STORE_NEWER',
        `${file} has version ${version()}; this release knows ${migrations.length}.`,
      );
    }
    if (version() === migrations.length) return;
    this.#db
      .transaction(() => {
        // Another command may have done it in the meantime: asked again under the lock.
        for (const migration of migrations.slice(version())) this.#db.exec(migration);
        this.#db.pragma(`user_version = ${migrations.length}`);
      })
      .exclusive();
  }

  run(sql: string, ...values: Value[]): number {
    return this.#db.prepare(sql).run(...values).changes;
  }

  get<T>(sql: string, ...values: Value[]): T | undefined {
    return this.#db.prepare<Value[], T>(sql).get(...values);
  }

  all<T>(sql: string, ...values: Value[]): T[] {
    return this.#db.prepare<Value[], T>(sql).all(...values);
  }

  meta(name: string): string | undefined {
    return this.get<{ value: string }>('SELECT value FROM meta WHERE name = ?', name)?.value;
  }

  setMeta(name: string, value: string): void {
    this.run(
      'INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
      name,
      value,
    );
  }

  /**
   * Runs `change` as one transaction while no other command changes the authority: kept as a whole when it is ok, undone
   * as a whole when it fails or throws. AUTHORITY_BUSY when another command does not end.
   */
  async exclusively<T>(change: () => Promise<Result<T>>): Promise<Result<T>> {
    const turn = this.#last.then(() => this.#transaction(change));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #transaction<T>(change: () => Promise<Result<T>>): Promise<Result<T>> {
    if (!(await this.#begin())) return fail('AUTHORITY_BUSY', 'Waited ten seconds for the other command.');
    try {
      const done = await change();
      this.#db.exec(done.ok ? 'COMMIT' : 'ROLLBACK');
      return done;
    } catch (thrown) {
      if (this.#db.inTransaction) this.#db.exec('ROLLBACK');
      throw thrown;
    }
  }

  async #begin(): Promise<boolean> {
    for (let i = 0; i < patience.tries; i++) {
      try {
        // EXCLUSIVE, so that COMMIT finds no reader in its way.
        this.#db.exec('BEGIN EXCLUSIVE');
        return true;
      } catch (thrown) {
        if (!systemCode(thrown)?.startsWith('SQLITE_BUSY')) throw thrown;
        await wait(patience.pauseMillis);
      }
    }
    return false;
  }

  close(): void {
    this.#db.close();
  }
}
