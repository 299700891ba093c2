import { createSecretKey, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { LookupView } from '#contracts/officer.ts';
import { createLog } from '#runtime/log.ts';
import { openStore } from '../store/index.ts';
import { KeptLookups } from './kept.ts';

test('After a long outage everything that is to be asked again comes once, also past a damaged row, and may be settled on the way', () => {
  const folder = mkdtempSync(join(tmpdir(), 'checkpost-kept-'));
  const opened = openStore(join(folder, 'test.db'));
  if (!opened.ok) throw new Error(opened.fault.detail);
  const store = opened.value;
  const lines: string[] = [];
  const log = createLog('info', 'test', { write: (line) => lines.push(line) });
  const kept = new KeptLookups({ store, key: createSecretKey(randomBytes(32)), log });
  const id = (n: number): string => `0190a000-0000-7000-8000-${String(n).padStart(12, '0')}`;
  const question = {
    issuingState: 'UTO',
    numbers: ['X1'],
    documentType: 'passport',
    training: false,
  } as const;
  store.transaction(() => {
    for (let n = 0; n < 100; n++) {
      const view = { lookup: id(n), at: '2026-01-15T08:00:00.000Z' } as LookupView;
      kept.owe({ lookup: id(n), question: { ...question, numbers: ['X1'] }, view, reader: 'counter-1' });
    }
    store.run('UPDATE recheck SET sealed = ? WHERE lookup = ?', Buffer.alloc(64), id(40));
  });
  const seen: string[] = [];
  for (const { lookup } of kept.rechecks()) {
    seen.push(lookup);
    store.transaction(() => kept.settle(lookup));
  }
  expect(seen).toEqual(Array.from({ length: 100 }, (_, n) => id(n)).filter((lookup) => lookup !== id(40)));
  expect(lines.join('')).toContain('SEAL_BROKEN');
  expect([...kept.rechecks()]).toEqual([]);
  store.close();
  rmSync(folder, { recursive: true });
});
