import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bounds, tolerance } from '../prove/line-cost.ts';
import { requires } from '../rigs/requirements.ts';
import { LineMeter } from '../rigs/line/line-meter.ts';
import { measurePieces, type Pieces } from '../rigs/line/pieces.ts';
import { predict } from '../rigs/line/predict.ts';
import { costOf, profiles } from '../rigs/line/profiles.ts';
import { printed } from '../rigs/line/table.ts';

// What a terminal costs on its line: each thing that it does captured once behind a line of its own, and the agent's real
// session over simulated days telling how often each happens.
const tools = ['ip', 'tcpdump', 'mosquitto'];
const reason = requires({ test: 'what a terminal costs on its line', root: true, tools });

describe.skipIf(reason !== undefined)('What a terminal costs on its line', { timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'checkpost-line-'));
  let meter: LineMeter;
  let pieces: Pieces;

  beforeAll(async () => {
    meter = await LineMeter.open(folder);
    pieces = await measurePieces(meter, folder);
  }, 120_000);
  afterAll(async () => {
    await meter?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('The sum of the pieces is what a capture of a whole session sees, within five parts in a hundred', async () => {
    const { captured, predicted, messages, pings } = await predict(meter, pieces, { seconds: 24, folder });
    expect(messages).toBeGreaterThan(5);
    expect(pings).toBeGreaterThan(1);
    expect(Math.abs(captured - predicted) / captured).toBeLessThan(tolerance);
  });

  test.each([1, 2, 3])(
    'An idle day stays within its 150 KB of messages and 1.5 MB of session (%i)',
    async (seed) => {
      const table = await costOf(profiles.idle, pieces, meter.settings, seed);
      const said = printed('idle', table);
      expect(table.published, said).toBeLessThanOrEqual(bounds.published);
      expect(table.session.bytes, said).toBeLessThanOrEqual(bounds.session);
      // The centre still hears of what moves: there is more than the full report of each hour.
      expect(table.rows.find(({ what }) => what === 'messages: health')?.count).toBeGreaterThan(40);
    },
  );

  test('A month of the metered profile leaves the probes of the uplink their half of 10 MB', async () => {
    const table = await costOf(profiles.metered, pieces, meter.settings, 1);
    expect(table.all.tunnelled, printed('metered', table)).toBeLessThanOrEqual(
      bounds.metered - bounds.uplinkProbes,
    );
  });
});
