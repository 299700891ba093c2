import type { Schema } from '../store/index.ts';

/** The tables of the controller. A step, once released, is never changed: a new one is added. */
export const controllerSchema: Schema = {
  room: 'controller',
  migrations: [
    (d) => `
    -- What is known of each terminal that was heard of. State is ordered by (session, sequence), never by a clock.
    CREATE TABLE terminals (
      terminal ${d.text} PRIMARY KEY,
      -- The registered certificate when this was written: another one is another enrolment.
      certificate ${d.text} NOT NULL,
      session ${d.integer} NOT NULL,
      -- Empty while only health of this session has arrived: its birth is on the way through another controller.
      boot ${d.text} NOT NULL,
      state ${d.text} NOT NULL CHECK (state IN ('online', 'suspect', 'offline')),
      -- 1: the death of this session was received; nothing of it can be news any more.
      ended ${d.integer} NOT NULL,
      -- 1: a lower session number is believed once, since the terminal began a new store or was enrolled again.
      restart_allowed ${d.integer} NOT NULL,
      -- The session that was left behind then: its will may still come.
      left_session ${d.integer},
      left_boot ${d.text},
      -- The last birth that was refused, as JSON: for its low number, or since another machine has its session.
      refused_birth ${d.text},
      since ${d.text} NOT NULL,
      last_seen ${d.text},
      version ${d.text} NOT NULL,
      keep_alive ${d.integer},
      health ${d.text} NOT NULL,
      -- Number of the message that each section came with, and of the last full report.
      section_seqs ${d.text} NOT NULL,
      full_seq ${d.integer} NOT NULL,
      health_at ${d.text},
      cloned_at ${d.text},
      lost_since ${d.text},
      lost_at ${d.text},
      flooding_since ${d.text},
      flooding_at ${d.text}
    )${d.strict};

    -- The configuration that each terminal says it runs.
    CREATE TABLE reported (
      terminal ${d.text} PRIMARY KEY,
      session ${d.integer} NOT NULL,
      running ${d.integer} NOT NULL,
      state ${d.text} NOT NULL,
      received_at ${d.text} NOT NULL,
      body ${d.text} NOT NULL
    )${d.strict};

    -- How far each stream of each terminal has arrived without a hole.
    CREATE TABLE streams (
      terminal ${d.text} NOT NULL,
      stream ${d.text} NOT NULL,
      through ${d.integer} NOT NULL,
      PRIMARY KEY (terminal, stream)
    )${d.strict};

    -- What terminals owed, once each: (terminal, stream, seq) is its name, id the order in which it arrived here.
    CREATE TABLE items (
      id ${d.counted},
      terminal ${d.text} NOT NULL,
      -- Whose it was when it arrived.
      bureau ${d.text} NOT NULL,
      site ${d.text} NOT NULL,
      stream ${d.text} NOT NULL,
      seq ${d.integer} NOT NULL,
      received_at ${d.text} NOT NULL,
      kind ${d.text} NOT NULL,
      lookup ${d.text},
      training ${d.integer} NOT NULL,
      -- The whole entry as JSON. Personal data where it is a hit: the bureau must be able to act on it.
      body ${d.text} NOT NULL,
      UNIQUE (terminal, stream, seq)
    )${d.strict};
    CREATE INDEX items_of_lookup ON items (terminal, lookup, kind) WHERE lookup IS NOT NULL;
    CREATE INDEX items_of_kind ON items (kind, id);

    -- Numbers that the terminal no longer kept and that never arrived here: lost, and known to be.
    CREATE TABLE lost_items (
      terminal ${d.text} NOT NULL,
      stream ${d.text} NOT NULL,
      from_seq ${d.integer} NOT NULL,
      to_seq ${d.integer} NOT NULL,
      at ${d.text} NOT NULL,
      PRIMARY KEY (terminal, stream, from_seq)
    )${d.strict};

    -- A second entry under a number that has arrived, with another content: two machines with one store.
    CREATE TABLE conflicts (
      id ${d.counted},
      terminal ${d.text} NOT NULL,
      stream ${d.text} NOT NULL,
      seq ${d.integer} NOT NULL,
      -- SHA-256 of the body, which may be too long for an index.
      digest ${d.text} NOT NULL,
      received_at ${d.text} NOT NULL,
      body ${d.text} NOT NULL,
      UNIQUE (terminal, stream, seq, digest)
    )${d.strict};

    -- What happened, in words, without personal data.
    CREATE TABLE events (
      id ${d.counted},
      at ${d.text} NOT NULL,
      terminal ${d.text},
      site ${d.text},
      bureau ${d.text},
      kind ${d.text} NOT NULL,
      text ${d.text} NOT NULL,
      severity ${d.text} NOT NULL,
      device_at ${d.text}
    )${d.strict};
    CREATE INDEX events_of_terminal ON events (terminal, id);
    CREATE INDEX events_of_site ON events (site, id);
    CREATE INDEX events_of_bureau ON events (bureau, id);
    CREATE INDEX events_by_time ON events (at);

    -- From when on a terminal was in which state.
    CREATE TABLE periods (
      terminal ${d.text} NOT NULL,
      began ${d.text} NOT NULL,
      state ${d.text} NOT NULL,
      PRIMARY KEY (terminal, began)
    )${d.strict};

    -- What was measured (history/samples.ts): a block of steps for each terminal, lines of text that are only ever added.
    CREATE TABLE samples (
      -- 0: steps of a minute; 1: of 15 minutes; 2: of 6 hours.
      level ${d.integer} NOT NULL,
      terminal ${d.text} NOT NULL,
      -- Unix time of its beginning, in seconds.
      block ${d.integer} NOT NULL,
      -- 1: the next level has it.
      rolled ${d.integer} NOT NULL,
      data ${d.text} NOT NULL,
      PRIMARY KEY (level, terminal, block)
    )${d.strict};
    CREATE INDEX samples_to_roll ON samples (level, rolled, block);
    `,
  ],
};
