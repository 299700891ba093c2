import type { Alert, Maintenance } from '#contracts/api/alerts.ts';
import type { CentreState, HitRow, SiteRow, TerminalRow, TimelineEvent } from '#contracts/api/fleet.ts';
import type { CommandRow, Layer, Wave } from '#contracts/api/orders.ts';
import type { LayerScope } from '#contracts/configuration.ts';
import type { HitItem } from '#contracts/outbox.ts';
import type { Static } from 'typebox';

/** Rows of a made-up centre, each with what matters to a test given and the rest plain. */

/** The time that they live at. */
export const madeUpTime = '2026-11-25T08:15:30.000Z';
export const minutesBefore = (minutes: number): string =>
  new Date(Date.parse(madeUpTime) - minutes * 60_000).toISOString();
export const madeUpUuid = (n: number): string =>
  `019ac0de-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;

const source = { collection: 'sltd', version: 41, date: minutesBefore(195), count: 23_000_000 } as const;

export function siteRow(site: string, changes: Partial<SiteRow> = {}): SiteRow {
  return {
    site,
    bureau: site.slice(0, 3),
    name: `Crossing ${site}`,
    timeZone: null,
    latitude: null,
    longitude: null,
    ...changes,
  };
}

export function terminalRow(site: string, changes: Partial<TerminalRow> = {}): TerminalRow {
  return {
    terminal: `${site}-1`,
    bureau: site.slice(0, 3),
    site,
    state: 'online',
    lastSeen: minutesBefore(0),
    since: minutesBefore(420),
    version: '0.1.0',
    conditions: [],
    owed: 0,
    editionDate: source.date,
    uplink: null,
    configuration: { running: 0, wanted: 0, state: 'current' },
    maintenance: false,
    ...changes,
  };
}

export function hitItem(n: number, changes: Partial<Static<typeof HitItem>> = {}): Static<typeof HitItem> {
  return {
    kind: 'hit',
    lookup: madeUpUuid(0xbeef_0000 + n),
    verdict: 'hit',
    document: { issuingState: 'UTO', documentNumber: '••••••2C3', documentType: 'passport' },
    basis: 'edition',
    source,
    age: { seconds: 11_730, bound: 'exact' },
    matches: [
      {
        kind: 'exact',
        record: {
          documentType: 'passport',
          kindOfLoss: 'stolen',
          reportedOn: '2026-03-02',
          reportedBy: 'UTO',
        },
      },
    ],
    officer: 'unassigned',
    reader: 'counter-1',
    training: false,
    late: false,
    recorded: true,
    ...changes,
  };
}

export function hitRow(id: number, site: string, changes: Partial<HitRow> = {}): HitRow {
  return {
    id,
    terminal: `${site}-1`,
    bureau: site.slice(0, 3),
    site,
    at: minutesBefore(30 - id),
    clock: 'verified',
    receivedAt: minutesBefore(30 - id),
    hit: hitItem(id),
    acknowledged: null,
    confirmation: null,
    ...changes,
  };
}

/** Without a site it is of the centre itself. */
export function alertOf(id: number, site: string | null, changes: Partial<Alert> = {}): Alert {
  return {
    id,
    code: site === null ? 'broker-unreachable' : 'terminal-offline',
    severity: 'error',
    terminal: site === null ? null : `${site}-1`,
    site,
    bureau: site === null ? null : site.slice(0, 3),
    subject: null,
    flapping: false,
    state: 'open',
    cause: null,
    openedAt: minutesBefore(10),
    closedAt: null,
    times: 1,
    acknowledged: null,
    silencedUntil: null,
    escalation: 0,
    ...changes,
  };
}

export function maintenanceOf(id: number, scope: LayerScope): Maintenance {
  return {
    id,
    scope,
    from: minutesBefore(10),
    until: minutesBefore(-60),
    note: 'new mast',
    by: 'duty',
    endedAt: null,
  };
}

export function eventOf(id: number, site: string | null): TimelineEvent {
  return {
    id,
    at: minutesBefore(5),
    terminal: site === null ? null : `${site}-1`,
    site,
    kind: 'state',
    text: 'It came back.',
    severity: 'info',
    deviceAt: null,
  };
}

export function commandRow(n: number, site: string): CommandRow {
  return {
    id: madeUpUuid(n),
    terminal: `${site}-1`,
    command: { kind: 'report-now' },
    by: 'duty',
    at: minutesBefore(3),
    expiresAt: minutesBefore(1),
    state: 'done',
    changedAt: minutesBefore(2),
    code: null,
    detail: '',
    wave: null,
  };
}

export function waveOf(n: number, changes: Partial<Wave> = {}): Wave {
  return {
    id: madeUpUuid(n),
    title: 'All report',
    action: { kind: 'command', command: { kind: 'report-now' } },
    by: 'duty',
    at: minutesBefore(3),
    state: 'running',
    first: 1,
    pauseSeconds: 0,
    stopAfter: 1,
    timeoutSeconds: 60,
    counts: { waiting: 1, underWay: 0, done: 0, failed: 0 },
    nextAt: null,
    failures: [],
    ...changes,
  };
}

export function layerOf(scope: LayerScope): Layer {
  return { scope, version: 1, values: {}, at: minutesBefore(60), by: 'duty', note: '' };
}

export function centreState(changes: Partial<CentreState> = {}): CentreState {
  return {
    version: '0.1.0',
    instance: 'one',
    leads: true,
    brokerConnected: true,
    store: 'sqlite',
    terminals: { online: 2, suspect: 0, offline: 0, never: 0 },
    conditions: [],
    refused: { signature: 3 },
    ...changes,
  };
}
