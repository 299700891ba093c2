/**
 * The tables of the controller. A migration, once released, is never changed: a new one is added, and
 * `PRAGMA user_version` says how many have been applied.
 */
export const migrations: readonly string[] = [
  `
  -- What is known of each terminal that was heard of. State is ordered by (session, health_seq), never by a clock.
  CREATE TABLE terminals (
    terminal TEXT PRIMARY KEY,
    -- The registered certificate when this was written: another one is another enrolment.
    certificate TEXT NOT NULL,
    session INTEGER NOT NULL,
    boot TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('online', 'offline')),
    -- 1: the death of this session was received; nothing of it can be news any more.
    ended INTEGER NOT NULL,
    -- 1: a lower session number is believed once, since the terminal began a new store or was enrolled again.
    restart_allowed INTEGER NOT NULL,
    -- The session that was left behind then: its will may still come.
    left_session INTEGER,
    left_boot TEXT,
    since TEXT NOT NULL,
    last_seen TEXT,
    version TEXT NOT NULL,
    health_seq INTEGER NOT NULL,
    health TEXT NOT NULL,
    cloned_at TEXT
  ) WITHOUT ROWID, STRICT;

  -- How far each stream of each terminal has arrived without a hole.
  CREATE TABLE streams (
    terminal TEXT NOT NULL,
    stream TEXT NOT NULL,
    through INTEGER NOT NULL,
    PRIMARY KEY (terminal, stream)
  ) WITHOUT ROWID, STRICT;

  -- What terminals owed, once each: (terminal, stream, seq) is its name, id the order in which it arrived here.
  CREATE TABLE items (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    terminal TEXT NOT NULL,
    stream TEXT NOT NULL,
    seq INTEGER NOT NULL,
    received_at TEXT NOT NULL,
    kind TEXT NOT NULL,
    lookup TEXT,
    training INTEGER NOT NULL,
    -- The whole entry as JSON. Personal data where it is a hit: the bureau must be able to act on it.
    body TEXT NOT NULL,
    UNIQUE (terminal, stream, seq)
  ) STRICT;
  CREATE INDEX items_of_lookup ON items (terminal, lookup, kind) WHERE lookup IS NOT NULL;
  CREATE INDEX items_of_kind ON items (kind, id);

  -- Numbers that the terminal no longer kept and that never arrived here: lost, and known to be.
  CREATE TABLE lost_items (
    terminal TEXT NOT NULL,
    stream TEXT NOT NULL,
    from_seq INTEGER NOT NULL,
    to_seq INTEGER NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (terminal, stream, from_seq)
  ) WITHOUT ROWID, STRICT;

  -- A second entry under a number that has arrived, with another content: two machines with one store.
  CREATE TABLE conflicts (
    id INTEGER PRIMARY KEY,
    terminal TEXT NOT NULL,
    stream TEXT NOT NULL,
    seq INTEGER NOT NULL,
    received_at TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (terminal, stream, seq, body)
  ) STRICT;

  -- What operators are shown: the last acknowledgement and the last confirmation of a lookup count.
  CREATE VIEW alerts AS
  SELECT
    id, terminal, stream, seq, received_at, kind, training, body,
    (SELECT a.body FROM items a
     WHERE a.terminal = i.terminal AND a.lookup = i.lookup AND a.kind = 'hit-acknowledged'
     ORDER BY a.id DESC LIMIT 1) AS acknowledged,
    (SELECT c.body FROM items c
     WHERE c.terminal = i.terminal AND c.lookup = i.lookup AND c.kind = 'confirmation'
     ORDER BY c.id DESC LIMIT 1) AS confirmation
  FROM items i
  WHERE kind IN ('hit', 'store-replaced', 'item-damaged');
  `,
  `
  DROP VIEW alerts;

  -- What operators are shown: the last acknowledgement and the last confirmation of a lookup count.
  CREATE VIEW alerts AS
  SELECT
    id, terminal, stream, seq, received_at, kind, training, body,
    (SELECT a.body FROM items a
     WHERE a.terminal = i.terminal AND a.lookup = i.lookup AND a.kind = 'hit-acknowledged'
     ORDER BY a.id DESC LIMIT 1) AS acknowledged,
    (SELECT c.body FROM items c
     WHERE c.terminal = i.terminal AND c.lookup = i.lookup AND c.kind = 'confirmation'
     ORDER BY c.id DESC LIMIT 1) AS confirmation
  FROM items i
  WHERE kind IN ('hit', 'store-replaced', 'item-damaged', 'edition-refused', 'edition-damaged');
  `,
];
