import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { centralSchemas as schemas } from '#central/main.ts';
import { certificateFigures, createMetrics, storeFigures, watchProcess } from '#central/metrics/index.ts';
import type { Result } from '#contracts/result.ts';
import { systemClock } from '#runtime/clock.ts';
import { silentLog } from '#runtime/log.ts';
import { makeAuthority } from '#test/rigs/certificates.ts';
import { databases, type TestDatabase } from '#test/rigs/databases.ts';
import { requires } from '#test/rigs/requirements.ts';

/** The metrics as they are given, and the files of central/monitoring over them, judged by Prometheus's own tool. */
const room = resolve(import.meta.dirname, '../../central/monitoring');
const missing = requires({ test: 'alert rules and dashboard', tools: ['promtool'] });

let folder: string;
let database: TestDatabase | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-monitoring-'));
});
afterEach(async () => {
  await database?.close();
  database = undefined;
  rmSync(folder, { recursive: true, force: true });
});

function promtool(args: readonly string[], input = ''): string {
  return execFileSync('promtool', [...args], { cwd: folder, encoding: 'utf8', input, stdio: 'pipe' });
}

function must<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.fault.code}: ${result.fault.detail}`);
  return result.value;
}

/** Everything that the centre gives, of a database with the tables of all rooms. */
async function metricsOf(db: TestDatabase['db']): Promise<string> {
  const authority = await makeAuthority();
  const certificate = join(folder, 'certificate.pem');
  writeFileSync(certificate, (await authority.issue({ name: 'central' })).certificate);
  const watched = watchProcess();
  const metrics = createMetrics({ log: silentLog });
  metrics.counts.refused('health', 'flooding');
  metrics.counts.request('GET /api/v1/terminals', 200);
  metrics.counts.ingested(0.003);
  metrics.counts.shown(0.3);
  const text = await metrics.text({
    version: '1.0.0',
    terminals: () => [
      {
        bureau: 'UTO',
        state: 'online',
        conditions: [{ code: 'reader-absent', since: '2026-01-01T00:00:00.000Z' }],
        owed: 1,
        configuration: { running: 0, wanted: 0, state: 'current' },
        maintenance: false,
      },
    ],
    figures: () => storeFigures(db, systemClock),
    connected: () => true,
    leads: () => true,
    store: { kind: db.kind, errors: () => db.errors() },
    lookups: () => ({ lookups: 0, refused: 0, collectionVersion: 1, records: 1 }),
    editionDate: () => '2026-01-01T00:00:00.000Z',
    certificates: () => certificateFigures({ lookup: certificate, console: undefined }),
    process: () => watched.figures(),
    now: () => systemClock.wall(),
  });
  watched.close();
  return text;
}

describe.each(databases('figures for the metrics on PostgreSQL'))('figures of $name', ({ open }) => {
  test('alerts, hits, commands, waves and deliveries are counted as the rooms store them', async () => {
    database = await open(schemas);
    const { db } = database;
    const now = systemClock.wall();
    const id = (at: number, n: number): string =>
      `${at
        .toString(16)
        .padStart(12, '0')
        .replace(/^(.{8})/, '$1-')}-7000-8000-${String(n).padStart(12, '0')}`;
    must(
      await db.transaction(async (tx) => {
        const alert = (trouble: string, severity: string, state: string, by: string | null) =>
          tx.run(
            `INSERT INTO alerts (trouble, code, severity, state, opened_at, times, returns, flapping, acknowledged_at, escalation)
             VALUES (?, '', ?, ?, '', 1, '[]', 0, ?, 0)`,
            trouble,
            severity,
            state,
            by,
          );
        await alert('a', 'error', 'open', null);
        await alert('b', 'error', 'open', null);
        await alert('c', 'error', 'open', '2026-01-01T00:00:00.000Z');
        await alert('d', 'warning', 'suppressed', null);
        await alert('e', 'warning', 'closed', null);
        const item = (seq: number, kind: string, lookup: string, training: number) =>
          tx.run(
            `INSERT INTO items (terminal, bureau, site, stream, seq, received_at, kind, lookup, training, body)
             VALUES ('T', 'UTO', 'UTO-0001', 's', ?, ?, ?, ?, ?, '{}')`,
            seq,
            `2026-01-0${seq}T00:00:00.000Z`,
            kind,
            lookup,
            training,
          );
        await item(1, 'hit', 'one', 0);
        await item(2, 'hit-acknowledged', 'one', 0);
        await item(3, 'hit', 'two', 1);
        await item(4, 'hit', 'three', 0);
        await item(5, 'hit', 'four', 0);
        for (const [n, at] of [now, now - 3_600_000, now - 3 * 86_400_000].entries())
          await tx.run(
            `INSERT INTO commands (id, terminal, bureau, site, session, body, by_whom, at, expires_at, published, state, changed_at, detail)
             VALUES (?, 'T', 'UTO', 'UTO-0001', 1, '{}', '', '', '', 1, 'sent', '', '')`,
            id(at, n),
          );
      }),
    );
    const found = must(await storeFigures(db, systemClock));
    expect(found.alerts.toSorted((a, b) => a.acknowledged - b.acknowledged)).toEqual([
      { severity: 'error', acknowledged: 0, n: 2 },
      { severity: 'error', acknowledged: 1, n: 1 },
    ]);
    expect(found).toMatchObject({
      hits: { n: 2, oldest: '2026-01-04T00:00:00.000Z' },
      commands: [{ state: 'sent', n: 2 }],
      wavesRunning: 0,
      deliveriesWaiting: 0,
    });
  });
});

describe.skipIf(missing !== undefined)('the files of central/monitoring', () => {
  const rules = readFileSync(join(room, 'alerts.rules.yml'), 'utf8');
  const expressions = dashboardExpressions();
  const sqlite = databases()[0];

  async function given(): Promise<string> {
    database = await sqlite?.open(schemas);
    if (database === undefined) throw new Error('no database');
    return metricsOf(database.db);
  }

  test('promtool accepts the metrics, the rules, their tests and the configuration', async () => {
    cpSync(room, folder, { recursive: true });
    writeFileSync(join(folder, 'checkpost.token'), 'token');
    expect(promtool(['check', 'metrics'], await given())).toBe('');
    expect(promtool(['check', 'rules', 'alerts.rules.yml'])).toContain('SUCCESS');
    expect(promtool(['test', 'rules', 'alerts.rules.test.yml'])).toContain('SUCCESS');
    expect(promtool(['check', 'config', 'prometheus.example.yml'])).toContain('SUCCESS');
  });

  test('promtool refuses a rule that says something else than its test: the check can fail', () => {
    cpSync(room, folder, { recursive: true });
    writeFileSync(
      join(folder, 'alerts.rules.yml'),
      rules.replace('oldest_seconds) > 600', 'oldest_seconds) > 900'),
    );
    expect(() => promtool(['test', 'rules', 'alerts.rules.test.yml'])).toThrow(/CheckpostHitsWaiting/);
  });

  test('every alert has a test in which it speaks', () => {
    const tests = readFileSync(join(room, 'alerts.rules.test.yml'), 'utf8');
    const alerts = [...rules.matchAll(/- alert: (\w+)/g)].map((match) => match[1]);
    const spoken = [...tests.matchAll(/alertname: (\w+)\n +exp_alerts:/g)].map((match) => match[1]);
    expect(alerts.length).toBeGreaterThan(20);
    expect(new Set(spoken)).toEqual(new Set(alerts));
  });

  test('rules and dashboard name only metrics that the centre gives, and the dashboard shows every one of them', async () => {
    const text = await given();
    const types = new Map(
      [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => [name, type]),
    );
    const known = new Set(
      [...types].flatMap(([name, type]) =>
        type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
      ),
    );
    const namesIn = (source: string): string[] =>
      [...source.matchAll(/checkpost_[a-z0-9_]+/g)].map(([name]) => name);
    const used = [...namesIn(rules), ...expressions.flatMap(namesIn)];
    expect(used.filter((name) => !known.has(name))).toEqual([]);
    const shown = new Set(expressions.flatMap(namesIn).map((name) => name.replace(/_bucket$/, '')));
    expect([...types.keys()].filter((name) => !shown.has(name))).toEqual([]);
  });

  test('every label that rules and dashboard choose by is one that the metric has', async () => {
    const text = await given();
    for (const source of [rules, ...expressions]) {
      for (const [, name = '', labels = ''] of source.matchAll(/(checkpost_[a-z0-9_]+)\{([^}]+)\}/g)) {
        for (const [, label = ''] of labels.matchAll(/([a-z]+)(?:=|!=|=~|!~)"/g))
          expect(text, `${name}{${label}}`).toMatch(new RegExp(`^${name}\\{[^}]*\\b${label}="`, 'm'));
      }
    }
  });

  test('Prometheus can read every expression of the dashboard, whose panels have ids and places of their own', () => {
    const lines = expressions.map(
      (expr, n) => `      - record: panel:number:${n}\n        expr: ${JSON.stringify(expr)}`,
    );
    writeFileSync(join(folder, 'panels.yml'), `groups:\n  - name: panels\n    rules:\n${lines.join('\n')}\n`);
    expect(promtool(['check', 'rules', 'panels.yml'])).toContain('SUCCESS');
    const { panels } = dashboard();
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const { gridPos } of panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
    const places = panels.map(({ gridPos }) => `${gridPos.x} ${gridPos.y}`);
    expect(new Set(places).size).toBe(panels.length);
  });
});

interface Dashboard {
  readonly panels: readonly {
    readonly id: number;
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
    readonly targets?: readonly { readonly expr: string }[];
  }[];
}

function dashboard(): Dashboard {
  return JSON.parse(readFileSync(join(room, 'grafana-dashboard.json'), 'utf8')) as Dashboard;
}

function dashboardExpressions(): string[] {
  return dashboard().panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
}
