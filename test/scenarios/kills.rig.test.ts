import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { proveKills } from '../prove/kills.ts';
import { removeFolder } from '../rigs/stack.ts';

test(
  'Ten kills each of agent, broker and controller under a stream of hits lose none, double none, reorder none, and leave the record whole',
  { timeout: 300_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'checkpost-kills-'));
    const seen = await proveKills({ count: 10, seed: 20_261_124, folder, say: () => {} });
    expect(seen.kills).toEqual({ agent: 10, broker: 10, controller: 10 });
    // The kills fell where they could do harm.
    expect(seen.killsWithDebt).toBeGreaterThan(5);
    expect(seen.recorded).toBeGreaterThan(50);
    expect(seen).toMatchObject({ lost: 0, doubled: 0, outOfOrder: 0, arrived: seen.recorded });
    expect(seen.shown).toBeLessThanOrEqual(seen.recorded);
    removeFolder(folder);
  },
);
