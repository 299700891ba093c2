/**
 * The tables of the terminal's one database. A migration, once released, is never changed: a new one is added, and
 * `PRAGMA user_version` says how many have been applied.
 */
export const migrations: readonly string[] = [
  `
  -- What must survive a restart: one row a key. The values are not personal data.
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID, STRICT;

  -- The tamper-evident record: body is the exact JSON that was hashed.
  CREATE TABLE audit (
    seq INTEGER PRIMARY KEY,
    body TEXT NOT NULL,
    hash BLOB NOT NULL,
    seal BLOB NOT NULL
  ) STRICT;

  -- What the centre is still owed: sealed, since it may hold a document number. AUTOINCREMENT: a number is never reused.
  CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    clock TEXT NOT NULL,
    sealed BLOB NOT NULL
  ) STRICT;

  -- Documents that only the edition answered: asked again when the link is back. Sealed.
  CREATE TABLE recheck (lookup TEXT PRIMARY KEY, at TEXT NOT NULL, sealed BLOB NOT NULL) WITHOUT ROWID, STRICT;

  -- Hits that the officer has not acknowledged yet, as the page shows them. Sealed.
  CREATE TABLE open_hits (lookup TEXT PRIMARY KEY, at TEXT NOT NULL, sealed BLOB NOT NULL) WITHOUT ROWID, STRICT;
  `,
  `
  -- What may be given up for want of space: kept, event, metric; or thinned, which stands for a run of numbers.
  ALTER TABLE outbox ADD COLUMN class TEXT NOT NULL DEFAULT 'kept';
  -- How many numbers it stands for: those that end with its own.
  ALTER TABLE outbox ADD COLUMN stands INTEGER NOT NULL DEFAULT 1;
  CREATE INDEX outbox_class ON outbox (class, seq);
  `,
];
