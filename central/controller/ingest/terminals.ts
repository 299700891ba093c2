import type { HealthReport, Status } from '#contracts/health.ts';
import type { Tx, WriteTx } from '../../store/index.ts';
import type { Presence, Span } from './presence.ts';

/** A row of the table `terminals`. */
export interface PresenceRow {
  readonly terminal: string;
  readonly certificate: string;
  readonly session: number;
  readonly boot: string;
  readonly state: 'online' | 'suspect' | 'offline';
  readonly ended: number;
  readonly restart_allowed: number;
  readonly left_session: number | null;
  readonly left_boot: string | null;
  readonly refused_birth: string | null;
  readonly since: string;
  readonly last_seen: string | null;
  readonly version: string;
  readonly keep_alive: number | null;
  readonly health: string;
  readonly section_seqs: string;
  readonly full_seq: number;
  readonly health_at: string | null;
  readonly cloned_at: string | null;
  readonly lost_since: string | null;
  readonly lost_at: string | null;
  readonly flooding_since: string | null;
  readonly flooding_at: string | null;
}

const columns = [
  'terminal',
  'certificate',
  'session',
  'boot',
  'state',
  'ended',
  'restart_allowed',
  'left_session',
  'left_boot',
  'refused_birth',
  'since',
  'last_seen',
  'version',
  'keep_alive',
  'health',
  'section_seqs',
  'full_seq',
  'health_at',
  'cloned_at',
  'lost_since',
  'lost_at',
  'flooding_since',
  'flooding_at',
] as const satisfies readonly (keyof PresenceRow)[];

const upsert = `INSERT INTO terminals (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})
  ON CONFLICT (terminal) DO UPDATE SET ${columns
    .slice(1)
    .map((name) => `${name} = excluded.${name}`)
    .join(', ')}`;

export async function getPresence(tx: Tx, terminal: string): Promise<Presence | undefined> {
  const row = await tx.get<PresenceRow>('SELECT * FROM terminals WHERE terminal = ?', terminal);
  return row === undefined ? undefined : presenceOf(row);
}

/** Called with `terminal:…` locked. */
export async function putPresence(tx: WriteTx, terminal: string, next: Presence): Promise<void> {
  await tx.run(
    upsert,
    terminal,
    next.certificate,
    next.session,
    next.boot,
    next.state,
    next.ended ? 1 : 0,
    next.restartAllowed ? 1 : 0,
    next.left?.session ?? null,
    next.left?.boot ?? null,
    next.refusedBirth === null ? null : JSON.stringify(next.refusedBirth),
    next.since,
    next.lastSeen,
    next.version,
    next.keepAlive,
    JSON.stringify(next.health),
    JSON.stringify(next.sectionSeqs),
    next.fullSeq,
    next.healthAt,
    next.clonedAt,
    next.lost?.since ?? null,
    next.lost?.last ?? null,
    next.flooding?.since ?? null,
    next.flooding?.last ?? null,
  );
  tx.announce('terminal', terminal);
}

export function presenceOf(row: PresenceRow): Presence {
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
    // Our own words, each parsed by its schema before it was stored.
    refusedBirth: row.refused_birth === null ? null : (JSON.parse(row.refused_birth) as Status),
    since: row.since,
    lastSeen: row.last_seen,
    version: row.version,
    keepAlive: row.keep_alive,
    health: JSON.parse(row.health) as Partial<HealthReport>,
    sectionSeqs: JSON.parse(row.section_seqs) as Record<string, number>,
    fullSeq: row.full_seq,
    healthAt: row.health_at,
    clonedAt: row.cloned_at,
    lost: spanOf(row.lost_since, row.lost_at),
    flooding: spanOf(row.flooding_since, row.flooding_at),
  };
}

function spanOf(since: string | null, last: string | null): Span | null {
  return since === null || last === null ? null : { since, last };
}
