import type { Schema } from '../store/index.ts';

/**
 * `alerts`: one row for one trouble; `trouble` names what it is about, and at most one row of it stands. `over_at`: what
 * comes back before is the same row. `due_at`: when somebody is told next. `acts`: who acknowledged or silenced, kept for
 * good. `notices`: what is to be told on which channel, once each. `deliveries`: notices that go out as one message, under
 * an id that stays the same however often it is tried. `store_alarm`: one row that is written again and again, to see
 * whether the database still can.
 */
export const alertsSchema: Schema = {
  room: 'alerts',
  migrations: [
    (d) => `
      CREATE TABLE alerts (
        id ${d.counted},
        trouble ${d.text} NOT NULL,
        code ${d.text} NOT NULL,
        severity ${d.text} NOT NULL,
        terminal ${d.text},
        site ${d.text},
        bureau ${d.text},
        subject ${d.text},
        state ${d.text} NOT NULL,
        cause ${d.integer},
        opened_at ${d.text} NOT NULL,
        closed_at ${d.text},
        over_at ${d.text},
        times ${d.integer} NOT NULL,
        returns ${d.text} NOT NULL,
        flapping ${d.integer} NOT NULL,
        told_at ${d.text},
        due_at ${d.text},
        acknowledged_at ${d.text},
        acknowledged_by ${d.text},
        acknowledged_note ${d.text},
        silenced_until ${d.text},
        escalation ${d.integer} NOT NULL
      ) ${d.strict};
      CREATE UNIQUE INDEX alerts_standing ON alerts (trouble) WHERE state <> 'closed';
      CREATE INDEX alerts_over ON alerts (over_at);
      CREATE INDEX alerts_due ON alerts (due_at);
      CREATE INDEX alerts_bureau ON alerts (bureau, id);
      CREATE INDEX alerts_terminal ON alerts (terminal, id);
      CREATE TABLE store_alarm (id ${d.integer} PRIMARY KEY, at ${d.text} NOT NULL) ${d.strict};
      CREATE TABLE acts (
        id ${d.counted},
        alert ${d.integer} NOT NULL,
        at ${d.text} NOT NULL,
        by_whom ${d.text} NOT NULL,
        action ${d.text} NOT NULL,
        note ${d.text} NOT NULL,
        until_at ${d.text}
      ) ${d.strict};
      CREATE INDEX acts_alert ON acts (alert, id);
      CREATE TABLE maintenance (
        id ${d.counted},
        layer ${d.text} NOT NULL,
        scope_key ${d.text},
        from_at ${d.text} NOT NULL,
        until_at ${d.text} NOT NULL,
        note ${d.text} NOT NULL,
        by_whom ${d.text} NOT NULL,
        ended_at ${d.text}
      ) ${d.strict};
      CREATE INDEX maintenance_until ON maintenance (until_at);
      CREATE TABLE deliveries (
        id ${d.text} PRIMARY KEY,
        channel ${d.text} NOT NULL,
        at ${d.text} NOT NULL,
        state ${d.text} NOT NULL,
        attempts ${d.integer} NOT NULL,
        next_at ${d.text} NOT NULL,
        failed_since ${d.text},
        detail ${d.text}
      ) ${d.strict};
      CREATE INDEX deliveries_channel ON deliveries (channel, at);
      CREATE TABLE notices (
        id ${d.counted},
        alert ${d.integer} NOT NULL,
        event ${d.text} NOT NULL,
        step ${d.integer} NOT NULL,
        channel ${d.text} NOT NULL,
        at ${d.text} NOT NULL,
        body ${d.text} NOT NULL,
        delivery ${d.text},
        UNIQUE (alert, event, step, channel)
      ) ${d.strict};
      CREATE INDEX notices_delivery ON notices (delivery, channel, id);
    `,
  ],
};
