import type { Schema } from '../store/index.ts';

/**
 * `layers`: configuration that operators set, by scope (`fleet`, `bureau:UTO` …); a removed layer stays, empty, so that its
 * numbers go on. `layer_versions`: every change of it. `signed_limits`, `signed_uplinks`: envelopes of the offline key.
 * `desired`: what each terminal shall run, as a number and the hash of its content; `desired_published`: what the broker
 * was given. `configuration_reports`: what each terminal said last, and the highest version that it knows. `commands`:
 * one row each; `due_at` is when an answer that has not come is not waited for any longer. `waves`: bulk actions;
 * `left_count` of the current round have not been begun yet. `end_counts`: how it ended, so
 * that old waves need not be counted again. `wave_terminals`: each terminal of a wave, once.
 */
export const ordersSchema: Schema = {
  room: 'orders',
  migrations: [
    (d) => `
      CREATE TABLE layers (
        scope ${d.text} PRIMARY KEY,
        version ${d.integer} NOT NULL,
        body ${d.text} NOT NULL,
        at ${d.text} NOT NULL,
        by_whom ${d.text} NOT NULL,
        note ${d.text} NOT NULL
      ) ${d.strict};
      CREATE TABLE layer_versions (
        scope ${d.text} NOT NULL,
        version ${d.integer} NOT NULL,
        body ${d.text} NOT NULL,
        at ${d.text} NOT NULL,
        by_whom ${d.text} NOT NULL,
        note ${d.text} NOT NULL,
        PRIMARY KEY (scope, version)
      ) ${d.strict};
      CREATE TABLE signed_limits (
        scope ${d.text} PRIMARY KEY,
        version ${d.integer} NOT NULL,
        body ${d.text} NOT NULL,
        envelope ${d.text} NOT NULL,
        at ${d.text} NOT NULL,
        by_whom ${d.text} NOT NULL
      ) ${d.strict};
      CREATE TABLE signed_uplinks (
        terminal ${d.text} PRIMARY KEY,
        version ${d.integer} NOT NULL,
        envelope ${d.text} NOT NULL,
        at ${d.text} NOT NULL,
        by_whom ${d.text} NOT NULL
      ) ${d.strict};
      CREATE TABLE desired (
        terminal ${d.text} PRIMARY KEY,
        version ${d.integer} NOT NULL,
        hash ${d.text} NOT NULL,
        at ${d.text} NOT NULL
      ) ${d.strict};
      CREATE TABLE desired_published (
        terminal ${d.text} PRIMARY KEY,
        version ${d.integer} NOT NULL,
        at ${d.text} NOT NULL
      ) ${d.strict};
      CREATE TABLE configuration_reports (
        terminal ${d.text} PRIMARY KEY,
        highest ${d.integer} NOT NULL,
        body ${d.text} NOT NULL,
        at ${d.text} NOT NULL
      ) ${d.strict};
      CREATE TABLE commands (
        id ${d.text} PRIMARY KEY,
        terminal ${d.text} NOT NULL,
        bureau ${d.text} NOT NULL,
        site ${d.text} NOT NULL,
        session ${d.integer} NOT NULL,
        body ${d.text} NOT NULL,
        by_whom ${d.text} NOT NULL,
        at ${d.text} NOT NULL,
        expires_at ${d.text} NOT NULL,
        published ${d.integer} NOT NULL,
        state ${d.text} NOT NULL,
        accepted_at ${d.text},
        due_at ${d.text},
        changed_at ${d.text} NOT NULL,
        code ${d.text},
        detail ${d.text} NOT NULL,
        wave ${d.text}
      ) ${d.strict};
      CREATE INDEX commands_terminal ON commands (terminal, id);
      CREATE INDEX commands_bureau ON commands (bureau, id);
      CREATE INDEX commands_wave ON commands (wave, id);
      CREATE INDEX commands_due ON commands (due_at) WHERE due_at IS NOT NULL;
      CREATE INDEX commands_unsent ON commands (id) WHERE published = 0;
      CREATE TABLE waves (
        id ${d.text} PRIMARY KEY,
        title ${d.text} NOT NULL,
        action ${d.text} NOT NULL,
        bureau ${d.text},
        by_whom ${d.text} NOT NULL,
        at ${d.text} NOT NULL,
        state ${d.text} NOT NULL,
        unfinished ${d.integer} NOT NULL,
        first_count ${d.integer} NOT NULL,
        pause_seconds ${d.integer} NOT NULL,
        stop_after ${d.integer} NOT NULL,
        timeout_seconds ${d.integer} NOT NULL,
        rounds ${d.integer} NOT NULL,
        left_count ${d.integer} NOT NULL,
        next_at ${d.text},
        offline_until ${d.text},
        end_counts ${d.text}
      ) ${d.strict};
      CREATE INDEX waves_unfinished ON waves (id) WHERE unfinished = 1;
      CREATE TABLE wave_terminals (
        wave ${d.text} NOT NULL,
        terminal ${d.text} NOT NULL,
        place ${d.integer} NOT NULL,
        state ${d.text} NOT NULL,
        attempts ${d.integer} NOT NULL,
        due_at ${d.text},
        command ${d.text},
        version ${d.integer},
        layer_version ${d.integer},
        layer_before ${d.text},
        take_back ${d.integer} NOT NULL,
        counted ${d.integer} NOT NULL,
        reason ${d.text},
        PRIMARY KEY (wave, terminal)
      ) ${d.strict};
      CREATE INDEX wave_terminals_state ON wave_terminals (wave, state, place);
      CREATE INDEX wave_terminals_under_way ON wave_terminals (terminal) WHERE state = 'under-way';
    `,
  ],
};
