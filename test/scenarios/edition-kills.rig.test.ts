import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { proveEditionKills } from '../prove/edition-kills.ts';

test(
  'Twelve kills while deltas are applied and a base is made leave an edition that was whole, and every answer right',
  { timeout: 300_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'checkpost-edition-kills-'));
    const seen = await proveEditionKills({ count: 12, seed: 20_261_125, folder, say: () => {} });
    expect(seen).toMatchObject({ kills: 12, bad: 0 });
    // Each of them fell inside the work, and both kinds of work were met.
    expect(seen.whileApplying + seen.whileCompacting).toBe(12);
    expect(seen.whileApplying).toBeGreaterThan(0);
    expect(seen.whileCompacting).toBeGreaterThan(0);
    expect(seen.lookups).toBeGreaterThan(50_000);
    rmSync(folder, { recursive: true, force: true });
  },
);
