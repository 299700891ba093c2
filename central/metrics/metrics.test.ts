import { expect, test } from 'vitest';
import { fail, ok } from '#contracts/result.ts';
import { silentLog } from '#runtime/log.ts';
import { createMetrics, type MetricSources, type StoreFigures } from './index.ts';
import type { CountedTerminal } from './sources.ts';

const figures: StoreFigures = {
  alerts: [{ severity: 'error', acknowledged: 0, n: 2 }],
  hits: { n: 3, oldest: '2026-01-01T00:00:00.000Z' },
  commands: [{ state: 'sent', n: 4 }],
  wavesRunning: 1,
  deliveriesWaiting: 0,
};

function sourcesOf(terminals: readonly CountedTerminal[], over: Partial<MetricSources> = {}): MetricSources {
  return {
    version: '1.0.0',
    terminals: () => terminals,
    figures: () => Promise.resolve(ok(figures)),
    connected: () => true,
    leads: () => false,
    store: { kind: 'sqlite', errors: () => 7 },
    lookups: () => ({
      lookups: 11,
      refused: 12,
      collectionVersion: 5,
      records: 100,
      collectionDate: '2026-01-01T00:00:00.000Z',
    }),
    editionDate: () => undefined,
    certificates: () => [{ use: 'lookup', expires: 1_800_000_000 }],
    process: () => ({
      residentBytes: 1,
      heapUsedBytes: 2,
      cpuSeconds: 3,
      lagP99Seconds: 0.004,
      startedAt: 5,
    }),
    now: () => Date.parse('2026-01-01T00:12:00.000Z'),
    ...over,
  };
}

const terminal = (over: Partial<CountedTerminal> = {}): CountedTerminal => ({
  bureau: 'UTO',
  state: 'online',
  conditions: [],
  owed: 0,
  configuration: { running: 1, wanted: 1, state: 'current' },
  maintenance: false,
  ...over,
});
const since = '2026-01-01T00:00:00.000Z';

const series = (text: string): string[] =>
  text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

test('the number of series does not grow with 5,000 terminals in 300 bureaus, whatever they say', async () => {
  const metrics = createMetrics({ log: silentLog });
  const codes = ['reader-absent', 'tunnel-down', 'clock-unset'];
  const bureaus = Array.from({ length: 300 }, (_, n) =>
    String.fromCharCode(65 + Math.floor(n / 26), 65 + (n % 26), 65),
  );
  const fleet = (size: number): CountedTerminal[] =>
    Array.from({ length: size }, (_, n) =>
      terminal({
        bureau: bureaus[n % bureaus.length] ?? '',
        state: (['online', 'suspect', 'offline', 'never'] as const)[Math.floor(n / 300) % 4] ?? 'online',
        conditions: [
          { code: codes[n % 3] ?? '', since },
          { code: `made-up-${n}`, since },
        ],
        configuration: { running: n, wanted: n + 1, state: `made-up-${n}` },
      }),
    );
  const hurt = (n: number): void => {
    metrics.counts.refused(`channel-${n}`, `reason ${n}`);
    metrics.counts.request(`GET /made/up/${n}`, 200 + (n % 300));
  };
  for (let n = 0; n < 1500; n++) hurt(n);
  const before = series(await metrics.text(sourcesOf(fleet(1500)))).length;
  for (let n = 1500; n < 5000; n++) hurt(n);
  const text = await metrics.text(sourcesOf(fleet(5000)));
  expect(series(text).length).toBe(before);
  // 51 bureaus of 4 states, 101 words twice, and the rest.
  expect(series(text).length).toBeLessThan(700);
  expect(text).not.toContain('made-up-');
  expect(text).toContain('checkpost_bureau_terminals{bureau="other",state="online"}');
  expect(text).toMatch(/^checkpost_conditions\{code="other",severity="warning"\} 5000$/m);
});

test('terminals are counted by state, bureau, condition and configuration, each condition once a terminal', async () => {
  const metrics = createMetrics({ log: silentLog });
  const text = await metrics.text(
    sourcesOf([
      terminal({
        state: 'offline',
        owed: 40,
        conditions: [
          { code: 'reader-absent', since, subject: 'counter-1' },
          { code: 'reader-absent', since, subject: 'counter-2' },
        ],
      }),
      terminal({ bureau: 'XXA', owed: 2, configuration: { running: 1, wanted: 2, state: 'probation' } }),
      terminal({
        state: 'never',
        configuration: { running: 0, wanted: 2, state: 'current' },
        maintenance: true,
      }),
    ]),
  );
  expect(series(text)).toEqual(
    expect.arrayContaining([
      'checkpost_terminals{state="online"} 1',
      'checkpost_terminals{state="suspect"} 0',
      'checkpost_bureau_terminals{bureau="UTO",state="offline"} 1',
      'checkpost_conditions{code="reader-absent",severity="error"} 1',
      'checkpost_outbox_items_owed 42',
      'checkpost_outbox_items_owed_max 40',
      'checkpost_configurations{state="current"} 1',
      'checkpost_configurations{state="probation"} 1',
      'checkpost_configurations{state="behind"} 2',
      'checkpost_terminals_in_maintenance 1',
      'checkpost_alerts_open{severity="error",acknowledged="no"} 2',
      'checkpost_alerts_open{severity="warning",acknowledged="no"} 0',
      'checkpost_hits_unacknowledged_oldest_seconds 720',
      'checkpost_collection_age_seconds 720',
      'checkpost_edition_age_seconds Nan',
      'checkpost_store_errors_total 7',
      'checkpost_leader 0',
    ]),
  );
});

test('what a terminal no longer says goes away, and counters of others are not added to themselves', async () => {
  const metrics = createMetrics({ log: silentLog });
  await metrics.text(sourcesOf([terminal({ conditions: [{ code: 'reader-absent', since }] })]));
  const text = await metrics.text(sourcesOf([terminal()]));
  expect(text).not.toContain('reader-absent');
  expect(text).toMatch(/^checkpost_lookups_answered_total 11$/m);
});

test('where the database fails its figures are gone, that is counted, and the others are there', async () => {
  const metrics = createMetrics({ log: silentLog });
  await metrics.text(sourcesOf([terminal()]));
  const failing = sourcesOf([terminal()], {
    figures: () => Promise.resolve(fail('STORE_UNREACHABLE', 'It is away.')),
    certificates: () => {
      throw new Error('no such file');
    },
  });
  const text = await metrics.text(failing);
  expect(series(text)).toEqual(
    expect.arrayContaining([
      'checkpost_hits_unacknowledged Nan',
      'checkpost_metric_sources_failed_total{source="store"} 1',
      'checkpost_metric_sources_failed_total{source="certificates"} 1',
      'checkpost_metric_sources_failed_total{source="fleet"} 0',
      'checkpost_terminals{state="online"} 1',
    ]),
  );
  expect(text).not.toMatch(/^checkpost_alerts_open\{/m);
});

test('scrapes that come while one is under way ask the database once', async () => {
  const metrics = createMetrics({ log: silentLog });
  let asked = 0;
  const slow = sourcesOf([], {
    figures: async () => {
      asked++;
      await Promise.resolve();
      return ok(figures);
    },
  });
  const [first, second] = await Promise.all([metrics.text(slow), metrics.text(slow)]);
  expect(second).toBe(first);
  expect(asked).toBe(1);
  await metrics.text(slow);
  expect(asked).toBe(2);
});
