import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bytes, wall } from '#contracts/units.ts';
import { openStore, openStoreOrSetAside, Reserve, type Store } from './index.ts';

let folder: string;
const opened: Store[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-store-'));
});
afterEach(() => {
  for (const store of opened.splice(0)) store.close();
  rmSync(folder, { recursive: true });
});

function open(name = 'test.db', reserve?: Reserve): Store {
  const store = openStore(join(folder, name), reserve === undefined ? {} : { reserve });
  if (!store.ok) throw new Error(store.fault.detail);
  opened.push(store.value);
  return store.value;
}

describe('the store', () => {
  test('a second writer on the same file is refused, a reader is not', () => {
    open().setMeta('k', 'v');
    expect(openStore(join(folder, 'test.db'))).toMatchObject({ ok: false, fault: { code: 'STORE_LOCKED' } });
    const reader = new Database(join(folder, 'test.db'), { readonly: true });
    expect(reader.prepare('SELECT value FROM meta').pluck().get()).toBe('v');
    reader.close();
  });

  test('what is in the store survives a reopening', () => {
    open().transaction(() => opened[0]?.setMeta('k', 'v'));
    opened.pop()?.close();
    expect(open().meta('k')).toBe('v');
  });

  test('a database of a newer release is not opened', () => {
    open();
    opened.pop()?.close();
    const db = new Database(join(folder, 'test.db'));
    db.pragma('user_version = 99');
    db.close();
    expect(openStore(join(folder, 'test.db'))).toMatchObject({ ok: false, fault: { code: 'STORE_NEWER' } });
  });

  test.each([
    [
      'is no database at all',
      (file: string) =>
        writeFileSync(file, 'not a database, but long enough to look like a file'.repeat(100)),
    ],
    [
      'has damaged pages',
      (file: string) => {
        const damaged = readFileSync(file);
        damaged.fill(0xa5, 4096);
        writeFileSync(file, damaged);
      },
    ],
  ])('a file that %s is set aside byte for byte and a new store is begun', (_, damage) => {
    open('checkpost.db').transaction(() => opened[0]?.setMeta('k', 'v'));
    opened.pop()?.close();
    const file = join(folder, 'checkpost.db');
    damage(file);
    const before = readFileSync(file);
    const result = openStoreOrSetAside(
      folder,
      'checkpost.db',
      wall(Date.parse('2026-01-15T08:00:00.000Z')),
      {},
    );
    if (!result.ok) throw new Error(result.fault.detail);
    opened.push(result.value.store);
    expect(result.value.setAside).toBe('checkpost.db.damaged-2026-01-15T08-00-00-000Z');
    expect(readFileSync(join(folder, result.value.setAside ?? '')).equals(before)).toBe(true);
    expect(result.value.store.meta('k')).toBeUndefined();
  });

  test('a sound store is not set aside', () => {
    const result = openStoreOrSetAside(folder, 'checkpost.db', wall(0), {});
    if (result.ok) opened.push(result.value.store);
    expect(result).toMatchObject({ ok: true });
    expect(readdirSync(folder).filter((name) => name.includes('damaged'))).toEqual([]);
  });
});

describe('the reserve', () => {
  test('takes real space and gives it up once', () => {
    const reserve = new Reserve(join(folder, 'reserve'), bytes(200_000));
    expect(reserve.take().ok).toBe(true);
    expect(readFileSync(join(folder, 'reserve')).length).toBe(200_000);
    expect(reserve.isTaken()).toBe(true);
    expect(reserve.release()).toBe(true);
    expect(existsSync(join(folder, 'reserve'))).toBe(false);
    expect(reserve.release()).toBe(false);
  });
});
