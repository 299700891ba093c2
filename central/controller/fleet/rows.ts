import type { SiteRow, TerminalRow } from '#contracts/api/fleet.ts';
import type { Condition } from '#contracts/health.ts';
import type { RegisteredTerminal } from '#contracts/registry.ts';
import { standing } from '../ingest/events.ts';
import { presenceOf, type PresenceRow } from '../ingest/terminals.ts';
import { causes } from './causes.ts';

/** A row of `terminals` with what is needed of `reported`. */
export type KnownRow = PresenceRow & {
  readonly reported_running: number | null;
  readonly reported_state: string | null;
};

export const knownColumns =
  't.*, r.running AS reported_running, r.state AS reported_state FROM terminals t LEFT JOIN reported r ON r.terminal = t.terminal';

/** What is remembered of a terminal beside its row: for verdicts about silence, and to end what is over. */
export interface Remembered {
  readonly row: TerminalRow;
  /** Number of the session that it has now; undefined while it has none. */
  readonly session: number | undefined;
  /** All that stand, not the causes alone. */
  readonly conditions: readonly Condition[];
  readonly keepAlive: number | null;
  readonly floodingAt: string | null;
  readonly lostAt: string | null;
}

/** What comes from other rooms. */
export interface Asked {
  /** The version of the configuration that is wanted; 0 where none is. */
  readonly wanted: (terminal: string) => number;
  readonly inMaintenance: (terminal: string) => boolean;
}

/** The row of a registered terminal; `known` is undefined where it was never heard of. */
export function remember(
  registered: RegisteredTerminal,
  known: KnownRow | undefined,
  asked: Asked,
): Remembered {
  const { terminal, bureau, site } = registered;
  const presence = known === undefined ? undefined : presenceOf(known);
  const health = presence?.health ?? {};
  const isNew = presence === undefined || (presence.session === 0 && presence.lastSeen === null);
  const conditions = standing(presence);
  const row: TerminalRow = {
    terminal,
    bureau,
    site,
    state: isNew ? 'never' : presence.state,
    lastSeen: presence?.lastSeen ?? null,
    since: isNew ? null : presence.since,
    version: presence?.version ?? '',
    conditions: causes(conditions),
    owed: health.outbox?.depth ?? 0,
    editionDate: health.edition?.date ?? null,
    uplink: health.uplink?.uplink ?? null,
    configuration: {
      running: known?.reported_running ?? health.configuration?.version ?? 0,
      wanted: asked.wanted(terminal),
      state: known?.reported_state ?? health.configuration?.state ?? 'current',
    },
    maintenance: asked.inMaintenance(terminal),
  };
  return {
    row,
    session: presence === undefined || presence.ended ? undefined : presence.session,
    conditions,
    keepAlive: presence?.keepAlive ?? null,
    floodingAt: presence?.flooding?.last ?? null,
    lostAt: presence?.lost?.last ?? null,
  };
}

/** The same with what other rooms say now; the very same object where nothing is different. */
export function askAgain(remembered: Remembered, asked: Asked): Remembered {
  const { row } = remembered;
  const wanted = asked.wanted(row.terminal);
  const maintenance = asked.inMaintenance(row.terminal);
  if (wanted === row.configuration.wanted && maintenance === row.maintenance) return remembered;
  return { ...remembered, row: { ...row, configuration: { ...row.configuration, wanted }, maintenance } };
}

export function unknownSite(registered: RegisteredTerminal): SiteRow {
  const { site, bureau, siteName } = registered;
  return { site, bureau, name: siteName, timeZone: null, latitude: null, longitude: null };
}
