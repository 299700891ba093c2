import type { LayerPreview } from '#contracts/api/orders.ts';
import { type Series, metricNames, metrics } from '#contracts/api/fleet.ts';
import type { SettingSource } from '#contracts/configuration.ts';
import type { HealthReport } from '#contracts/health.ts';
import { fail, ok } from '#contracts/result.ts';
import type { FleetSource, OrderSource } from '#central/console/index.ts';
import { PlayedHealth } from './fleet/health.ts';
import { makeUpFleet } from './fleet/places.ts';
import { MadeUpCentre } from './made-up-centre.ts';
import {
  alertOf,
  centreState,
  commandRow,
  eventOf,
  hitItem,
  hitRow,
  madeUpTime,
  madeUpUuid,
  minutesBefore,
  siteRow,
  terminalRow,
  waveOf,
} from './made-up-rows.ts';
import { seeded } from './random.ts';

/**
 * A made-up centre that answers what a page asks for as a real one does: health and charts of every terminal, layers that
 * are kept and refuse whoever was too slow, commands and waves that a test then carries on.
 */
export class MadeUpFleet extends MadeUpCentre {
  /** Keep-alive that every terminal promised, in seconds. */
  keepAliveSeconds = 30;
  health: Partial<HealthReport> = new PlayedHealth(() => 0.5, Date.parse(madeUpTime)).report(
    Date.parse(madeUpTime),
    { depth: 0, oldestAt: null },
  );
  #orders = 0;

  override readonly fleet: FleetSource = {
    sites: () => [...this.sites.values()],
    terminals: () => [...this.terminals.values()],
    bureauOf: (terminal) => this.terminals.get(terminal)?.bureau,
    detail: async (terminal) => {
      const row = this.terminals.get(terminal);
      const site = this.sites.get(row?.site ?? '');
      if (row === undefined || site === undefined) return fail('NOT_FOUND', 'It is not there.');
      return ok({
        row,
        site,
        session: 12,
        boot: madeUpUuid(12),
        enrolledAt: minutesBefore(60 * 24 * 40),
        health: this.health,
        healthAt: minutesBefore(1),
        reported: null,
        keepAliveSeconds: this.keepAliveSeconds,
      });
    },
    series: async (_, query) => ok(madeUpSeries(query)),
    events: async ({ terminal, site, before = Infinity, limit }) =>
      ok(
        this.eventRows
          .filter(
            (one) =>
              one.id < before &&
              (terminal === undefined || one.terminal === terminal) &&
              (site === undefined || one.site === site),
          )
          .sort((a, b) => b.id - a.id)
          .slice(0, limit),
      ),
    hits: async ({ before = Infinity, limit }) =>
      ok(
        this.hitRows
          .filter(({ id }) => id < before)
          .sort((a, b) => b.id - a.id)
          .slice(0, limit),
      ),
    centre: () => centreState({ conditions: this.centreConditions }),
  };
  /** What is wrong with the centre itself. */
  readonly centreConditions: { code: string; since: string }[] = [];

  override readonly orders: OrderSource = {
    layers: async () => ok(this.layerRows),
    preview: async ({ scope, values }) => {
      const before = this.layerRows.find((one) => JSON.stringify(one.scope) === JSON.stringify(scope));
      return ok(previewOf(before?.values ?? {}, values, [...this.terminals.keys()]));
    },
    putLayer: async ({ scope, base, values, note }, by) => {
      const at = this.layerRows.findIndex((one) => JSON.stringify(one.scope) === JSON.stringify(scope));
      if ((this.layerRows[at]?.version ?? 0) !== base)
        return fail('CONFLICT', `Somebody else has changed it since version ${base}.`);
      const layer = { scope, values, note, version: base + 1, at: madeUpTime, by };
      this.layerRows.splice(at < 0 ? this.layerRows.length : at, 1, layer);
      this.done.push(`putLayer by ${by}`);
      return ok(layer);
    },
    putLimits: async (envelope, by) => {
      if (JSON.stringify(envelope).includes('forged'))
        return fail('SIGNATURE_REFUSED', 'No key that is trusted has signed it.');
      this.done.push(`putLimits by ${by}`);
      return ok(undefined);
    },
    putUplink: async () => ok(undefined),
    configuration: async (terminal) =>
      ok({
        terminal,
        wanted: {
          v: 1,
          terminal,
          version: 7,
          at: minutesBefore(50),
          layers: [{ scope: { layer: 'fleet' }, values: { log: { level: 'info' } } }],
          limits: [],
          uplink: null,
        },
        limits: null,
        reported: {
          v: 1,
          session: 12,
          running: 6,
          state: 'undone',
          since: minutesBefore(45),
          refused: { version: 7, code: 'CENTRAL_UNREACHABLE', detail: 'Nobody answered at the new address.' },
          settings: [
            setting('log.level', 'fleet', 'info'),
            setting('fleet.keepAliveSeconds', 'bureau', 60),
            setting('audit.headEvery', 'site', 50),
            setting('central.url', 'terminal', 'https://centre.example:8443'),
            setting('policy.editionMaxAgeSeconds', 'limits', 172_800),
          ],
        },
      }),
    command: async (terminal, { command }, by) => {
      const row = {
        ...commandRow(++this.#orders + 4000, terminal.slice(0, 8)),
        terminal,
        command,
        by,
        at: madeUpTime,
        changedAt: madeUpTime,
        state: 'sent' as const,
      };
      this.commandRows.unshift(row);
      this.done.push(`command ${command.kind} by ${by}`);
      this.tell({ event: 'command', data: row });
      return ok(row);
    },
    commands: async ({ terminal, limit }) =>
      ok(
        this.commandRows.filter((one) => terminal === undefined || one.terminal === terminal).slice(0, limit),
      ),
    waves: async ({ bureau }) =>
      ok(
        [...this.waveRows.values()]
          .filter((one) => bureau === undefined || one.bureau === bureau)
          .map(({ wave }) => wave),
      ),
    wave: async (id) => {
      const one = this.waveRows.get(id);
      return one === undefined ? fail('NOT_FOUND', 'It is not there.') : ok(one);
    },
    startWave: async ({ title, terminals, action, first, pauseSeconds, stopAfter, timeoutSeconds }, by) => {
      const wave = waveOf(++this.#orders + 5000, {
        title,
        action,
        first,
        pauseSeconds,
        stopAfter,
        timeoutSeconds,
        by,
        at: madeUpTime,
        counts: { waiting: terminals.length, underWay: 0, done: 0, failed: 0 },
      });
      const [bureau = null, ...others] = new Set(terminals.map((one) => one.slice(0, 3)));
      this.waveRows.set(wave.id, { wave, bureau: others.length === 0 ? bureau : null });
      this.done.push(`startWave ${action.kind} of ${terminals.length} by ${by}`);
      return ok(wave);
    },
    stopWave: async (id, by) => {
      const one = this.waveRows.get(id);
      if (one === undefined) return fail('NOT_FOUND', 'It is not there.');
      const wave = { ...one.wave, state: 'stopped' as const };
      this.waveRows.set(id, { ...one, wave });
      this.done.push(`stopWave by ${by}`);
      return ok(wave);
    },
  };
}

function setting(path: string, source: SettingSource, value: unknown) {
  return { path, source, value };
}

/** Of every step one point, with a gap in the middle. */
function madeUpSeries(
  query: Pick<Series, 'metric'> & { readonly from: string; readonly to: string },
): Series {
  const { metric } = query;
  const [from, to] = [Date.parse(query.from) / 1000, Date.parse(query.to) / 1000];
  const step = Math.max(60, Math.round((to - from) / 120));
  const { unit } = metrics[metric];
  const scale =
    unit === 'B' ? 4e8 : unit === 'share' ? 0.4 : unit === '°C' ? 45 : 20 + metricNames.indexOf(metric);
  const points = Array.from({ length: 120 }, (_, n): [number, number, number, number] => {
    const mean = scale * (1 + 0.3 * Math.sin(n / 9));
    return [Math.round(from + n * step), mean * 0.8, mean, mean * 1.2];
  }).filter((_, n) => n < 50 || n > 60);
  return { metric, stepSeconds: step, points };
}

type Flat = Map<string, unknown>;

function previewOf(before: object, after: object, terminals: readonly string[]): LayerPreview {
  const [was, is] = [flat(before), flat(after)];
  const paths = [...new Set([...was.keys(), ...is.keys()])].filter((path) => was.get(path) !== is.get(path));
  const changes = paths.map((path) => ({
    path,
    before: was.get(path) ?? null,
    after: is.get(path) ?? null,
    terminals: terminals.length,
    examples: terminals.slice(0, 5),
  }));
  return { terminals: changes.length === 0 ? 0 : terminals.length, changes };
}

function flat(values: object): Flat {
  return new Map(
    Object.entries(values).flatMap(([group, inner]: [string, unknown]): [string, unknown][] =>
      typeof inner === 'object' && inner !== null && !Array.isArray(inner)
        ? Object.entries(inner).map(([name, value]) => [`${group}.${name}`, value])
        : [[group, inner]],
    ),
  );
}

/** Made-up places of five bureaus on the map, with a little of every trouble; the same each time. */
export function populate(centre: MadeUpCentre, sites: number, terminals: number): void {
  const random = seeded(7);
  const made = makeUpFleet({ sites, terminals, random });
  for (const site of made.sites) centre.sites.set(site.site, siteRow(site.site, site));
  made.terminals.forEach(({ terminal, site }, n) => {
    centre.terminals.set(terminal, terminalRow(site, { terminal, ...lot(n) }));
  });
}

/** What the lot of the terminal with this number is: of ten terminals, eight have nothing to say. */
function lot(n: number): Parameters<typeof terminalRow>[1] {
  const uplink = n % 3 === 0 ? 'lte' : 'dsl';
  const since = minutesBefore(20 + (n % 300));
  switch (n % 41) {
    case 3:
      return { uplink, conditions: [{ code: 'reader-absent', since, subject: 'counter-1' }] };
    case 9:
      return { uplink, state: 'offline', since, lastSeen: since, owed: 4 };
    case 14:
      return { uplink: 'lte', conditions: [{ code: 'line-no-carrier', since, subject: 'dsl' }] };
    case 21:
      return { uplink, state: 'suspect', since: minutesBefore(1), lastSeen: minutesBefore(1) };
    case 27:
      return { uplink, conditions: [{ code: 'disk-low', since }], owed: 12 };
    case 35:
      return { state: 'never', lastSeen: null, since: null, version: '', editionDate: null };
    default:
      return { uplink };
  }
}

/** A small fleet in which every view has something to show: one terminal of each trouble, alerts, hits, orders. */
export function populateFew(centre: MadeUpFleet): void {
  const at = (n: number) => ({ latitude: 39.2 + 1.1 * n, longitude: 63.5 + ((n * 37) % 11) });
  const place = (n: number, bureau = 'UTO') =>
    siteRow(`${bureau}-000${n}`, {
      name: `${['North', 'River', 'Old', 'Salt', 'Stone'][n - 1] ?? 'Far'} crossing`,
      timeZone: 'Asia/Tashkent',
      ...at(n),
    });
  centre.show(terminalRow('UTO-0001', { uplink: 'dsl' }), place(1));
  centre.show(
    terminalRow('UTO-0002', { state: 'offline', since: minutesBefore(20), lastSeen: minutesBefore(130) }),
    place(2),
  );
  centre.show(
    terminalRow('UTO-0003', {
      owed: 4,
      conditions: [
        { code: 'reader-absent', since: minutesBefore(20), subject: 'counter-1' },
        { code: 'clock-unverified', since: minutesBefore(25) },
      ],
      configuration: { running: 6, wanted: 7, state: 'undone' },
    }),
    place(3),
  );
  centre.show(
    terminalRow('UTO-0004', { state: 'never', lastSeen: null, since: null, version: '', editionDate: null }),
    place(4),
  );
  centre.show(
    terminalRow('EXA-0005', {
      maintenance: true,
      conditions: [{ code: 'disk-low', since: minutesBefore(300) }],
    }),
    place(5, 'EXA'),
  );
  centre.alertRows.set(1, alertOf(1, 'UTO-0003', { code: 'reader-absent', subject: 'counter-1', times: 3 }));
  centre.alertRows.set(2, alertOf(2, 'UTO-0002', { openedAt: minutesBefore(20), escalation: 1 }));
  centre.alertRows.set(
    3,
    alertOf(3, 'UTO-0002', { code: 'edition-aging', severity: 'warning', state: 'suppressed', cause: 2 }),
  );
  centre.alertRows.set(
    4,
    alertOf(4, 'EXA-0005', { code: 'disk-low', severity: 'warning', state: 'suppressed' }),
  );
  centre.alertRows.set(5, alertOf(5, 'UTO-0001', { state: 'closed', closedAt: minutesBefore(2) }));
  const acknowledged = { at: minutesBefore(5), outcome: 'document-held', officer: 'unassigned' } as const;
  centre.raise(hitRow(1, 'UTO-0001', { acknowledged, confirmation: 'agrees' }));
  centre.raise(hitRow(2, 'UTO-0001', { hit: hitItem(2, { verdict: 'possible', late: true }) }));
  centre.raise(hitRow(3, 'UTO-0003', { confirmation: 'disagrees', clock: 'unverified' }));
  centre.raise(hitRow(4, 'EXA-0005', { hit: hitItem(4, { training: true }) }));
  for (let id = 1; id <= 130; id++) {
    const severity = (['info', 'info', 'warning', 'error'] as const)[id % 4] ?? 'info';
    centre.eventRows.push({
      ...eventOf(id, 'UTO-0003'),
      severity,
      text: `Something happened, number ${id}.`,
    });
  }
  centre.layerRows.push({
    scope: { layer: 'fleet' },
    version: 3,
    values: { log: { level: 'info' } },
    at: minutesBefore(600),
    by: 'all-administrator',
    note: 'quieter',
  });
  centre.commandRows.push(commandRow(10, 'UTO-0001'));
  centre.waveRows.set(madeUpUuid(20), {
    bureau: 'UTO',
    wave: waveOf(20, {
      state: 'stopped-by-failures',
      counts: { waiting: 6, underWay: 0, done: 3, failed: 2 },
      failures: [{ terminal: 'UTO-0003-1', reason: 'It did not answer in time.' }],
    }),
  });
}
