import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { proveFleet } from '../prove/fleet.ts';
import { postgresMissing } from '../rigs/postgres.ts';
import { removeFolder } from '../rigs/stack.ts';

test.skipIf(postgresMissing('two controllers') !== undefined)(
  'Two controllers share the load of 40 terminals, and killing one of them twice loses nothing, doubles nothing and leaves every state right',
  { timeout: 300_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'checkpost-two-'));
    const seen = await proveFleet({ count: 2, seed: 20_261_130, folder, say: () => {} });
    expect(seen.kills).toBe(2);
    expect(seen.owed).toBeGreaterThan(seen.terminals);
    expect(seen).toMatchObject({ lost: 0, doubled: 0, behind: 0, wrong: 0, stored: seen.owed });
    removeFolder(folder);
  },
);
