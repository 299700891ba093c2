import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ChainLink } from '#formats/audit-chain.ts';
import { readNamedSecret } from '#formats/keyed.ts';
import { CheckpostError } from '#runtime/errors.ts';
import { openStore, type Store } from '../store/index.ts';
import { type AuditSource, createAudit, headKey, verifyAudit } from './audit.ts';

const secret = readNamedSecret({ id: '1', secret: '22'.repeat(32) });
const stamp = { at: '2026-01-15T08:00:00.000Z', clock: 'verified', boot: 'b', monotonic: 5 } as const;
const entries = 20;

let folder: string;
let store: Store;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-audit-'));
  const opened = openStore(join(folder, 'test.db'));
  if (!opened.ok) throw new Error(opened.fault.detail);
  store = opened.value;
  const audit = createAudit(store, secret);
  for (let i = 1; i <= entries; i++) {
    store.transaction(() => audit.append({ kind: 'started', version: `0.0.${i}` }, stamp));
  }
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true });
});

function source(): AuditSource {
  return {
    links: () => store.all<ChainLink>('SELECT seq, body, hash, seal FROM audit ORDER BY seq'),
    head: () => store.meta(headKey),
  };
}

function verify(anchors?: { seq: number; hash: string }[]) {
  return verifyAudit(source(), secret, anchors);
}

describe('the record', () => {
  test('verifies when nobody has touched it, and an empty one does too', () => {
    expect(verify()).toMatchObject({ ok: true, value: { seq: entries } });
    store.run('DELETE FROM audit');
    store.run('DELETE FROM meta');
    expect(verify()).toMatchObject({ ok: true, value: { seq: 0 } });
  });

  test('every single bit that is flipped in any entry is found, at that entry or the one after', () => {
    const links = [...source().links()];
    let tried = 0;
    for (const link of links.slice(0, 3)) {
      for (const field of ['body', 'hash', 'seal'] as const) {
        const bytes = Buffer.from(link[field]);
        for (let bit = 0; bit < bytes.length * 8; bit++) {
          const flipped = Buffer.from(bytes);
          flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
          const value = field === 'body' ? flipped.toString('latin1') : flipped;
          const changed = links.map((other) => (other === link ? { ...other, [field]: value } : other));
          expect(verifyAudit({ links: () => changed, head: source().head }, secret).ok).toBe(false);
          tried++;
        }
      }
    }
    expect(tried).toBeGreaterThan(3 * 8 * (32 + 32 + 80));
  });

  test('every entry that is removed, and every cut at the end, is found', () => {
    const links = [...source().links()];
    for (let i = 0; i < entries; i++) {
      const without = links.filter((_, at) => at !== i);
      expect(verifyAudit({ links: () => without, head: source().head }, secret)).toMatchObject({
        fault: { code: 'AUDIT_BROKEN' },
      });
      const cut = links.slice(0, i);
      expect(verifyAudit({ links: () => cut, head: source().head }, secret)).toMatchObject({
        fault: { code: 'AUDIT_BROKEN' },
      });
    }
  });

  test('every pair of entries that is swapped is found', () => {
    const links = [...source().links()];
    for (let i = 0; i < entries; i++) {
      for (let j = i + 1; j < entries; j++) {
        const swapped = [...links];
        [swapped[i], swapped[j]] = [links[j] as ChainLink, links[i] as ChainLink];
        expect(verifyAudit({ links: () => swapped, head: source().head }, secret).ok).toBe(false);
      }
    }
  });

  test('an entry that was added with another key, and a chain that was written anew with it, are found', () => {
    const foreign = readNamedSecret({ id: '1', secret: '33'.repeat(32) });
    store.transaction(() => createAudit(store, foreign).append({ kind: 'started', version: 'x' }, stamp));
    expect(verify()).toMatchObject({
      fault: { detail: expect.stringContaining(`entry ${entries + 1}: its seal`) },
    });
  });

  test('a store that was set back as a whole is found by a head that the centre keeps', () => {
    const head = createAudit(store, secret).head();
    const anchor = { seq: head.seq, hash: head.hash.toString('hex') };
    expect(verify([anchor]).ok).toBe(true);
    store.run('DELETE FROM audit');
    store.run('DELETE FROM meta');
    const audit = createAudit(store, secret);
    store.transaction(() => audit.append({ kind: 'started', version: '0.0.1' }, stamp));
    expect(verify().ok).toBe(true);
    expect(verify([anchor])).toMatchObject({ fault: { detail: expect.stringContaining('not here') } });
  });

  test('a transaction that is rolled back leaves no entry, and the chain goes on where it was', () => {
    const audit = createAudit(store, secret);
    const undone = store.transaction(() => {
      audit.append({ kind: 'started', version: 'never' }, stamp);
      throw new CheckpostError('STORE_FULL', 'in the middle');
    });
    expect(undone).toMatchObject({ ok: false, fault: { code: 'STORE_FULL' } });
    store.transaction(() => audit.append({ kind: 'started', version: 'next' }, stamp));
    expect(verify()).toMatchObject({ ok: true, value: { seq: entries + 1 } });
  });
});
