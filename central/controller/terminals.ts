import type { HealthReport } from '#contracts/health.ts';
import type { Presence } from './presence.ts';
import type { ControllerStore } from './store.ts';

interface PresenceRow {
  readonly terminal: string;
  readonly certificate: string;
  readonly session: number;
  readonly boot: string;
  readonly state: 'online' | 'offline';
  readonly ended: number;
  readonly restart_allowed: number;
  readonly left_session: number | null;
  readonly left_boot: string | null;
  readonly since: string;
  readonly last_seen: string | null;
  readonly version: string;
  readonly health_seq: number;
  readonly health: string;
  readonly cloned_at: string | null;
}

/** The table `terminals`. */
export class TerminalTable {
  readonly #store: ControllerStore;

  constructor(store: ControllerStore) {
    this.#store = store;
  }

  get(terminal: string): Presence | undefined {
    const row = this.#store.get<PresenceRow>('SELECT * FROM terminals WHERE terminal = ?', terminal);
    return row === undefined ? undefined : presenceOf(row);
  }

  all(): Map<string, Presence> {
    const rows = this.#store.all<PresenceRow>('SELECT * FROM terminals');
    return new Map(rows.map((row) => [row.terminal, presenceOf(row)]));
  }

  /** Called inside a transaction. */
  put(terminal: string, next: Presence): void {
    this.#store.run(
      'INSERT OR REPLACE INTO terminals VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      terminal,
      next.certificate,
      next.session,
      next.boot,
      next.state,
      next.ended ? 1 : 0,
      next.restartAllowed ? 1 : 0,
      next.left?.session ?? null,
      next.left?.boot ?? null,
      next.since,
      next.lastSeen,
      next.version,
      next.healthSeq,
      JSON.stringify(next.health),
      next.clonedAt,
    );
  }
}

function presenceOf(row: PresenceRow): Presence {
  return {
    certificate: row.certificate,
    session: row.session,
    boot: row.boot,
    state: row.state,
    ended: row.ended === 1,
    restartAllowed: row.restart_allowed === 1,
    left:
      row.left_session === null || row.left_boot === null
        ? null
        : { session: row.left_session, boot: row.left_boot },
    since: row.since,
    lastSeen: row.last_seen,
    version: row.version,
    healthSeq: row.health_seq,
    // Our own words, parsed by their schema before they were stored.
    health: JSON.parse(row.health) as Partial<HealthReport>,
    clonedAt: row.cloned_at,
  };
}
