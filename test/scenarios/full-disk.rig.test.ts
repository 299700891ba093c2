import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStore, Reserve } from '#agent/store/index.ts';
import { bytes } from '#contracts/units.ts';
import { requires } from '../rigs/requirements.ts';

const reason = requires({ test: 'a full disk gives up its reserve', root: true, tools: ['mount', 'umount'] });

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-full-'));
  if (reason === undefined) execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder]);
});
afterAll(() => {
  if (reason === undefined) execFileSync('umount', [folder]);
  rmSync(folder, { recursive: true });
});

test.skipIf(reason !== undefined)(
  'When the disk is full, recording goes on out of the reserve; when that is used up, it fails and says so',
  () => {
    const reserve = new Reserve(join(folder, 'reserve'), bytes(1_000_000));
    const opened = openStore(join(folder, 'test.db'), { reserve });
    if (!opened.ok) throw new Error(opened.fault.detail);
    const store = opened.value;
    expect(reserve.take().ok).toBe(true);
    fillUp(join(folder, 'others'));
    let written = 0;
    const write = () => store.transaction(() => store.setMeta(`k${written}`, 'v'.repeat(3000)));
    let last = write();
    while (last.ok && written < 5000) {
      written++;
      last = write();
    }
    expect(reserve.isTaken()).toBe(false);
    // The disk had no room but the reserve: it alone let these through.
    expect(written).toBeGreaterThan(50);
    expect(last).toMatchObject({ ok: false, fault: { code: 'STORE_FULL' } });
    expect(store.get<{ n: number }>('SELECT count(*) AS n FROM meta')?.n).toBe(written);
    rmSync(join(folder, 'others'));
    expect(write().ok).toBe(true);
    store.close();
  },
);

function fillUp(file: string): void {
  for (let size = 4_194_304; size >= 1; size = Math.floor(size / 2)) {
    try {
      writeFileSync(file, Buffer.alloc(size), { flag: 'a' });
    } catch {
      // What fitted of it was written; the rest is tried in smaller pieces.
    }
  }
  expect(statSync(file).size).toBeGreaterThan(1_000_000);
}
