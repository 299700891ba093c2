import { renameSync } from 'node:fs';
import { ok, type Result } from '#contracts/result.ts';
import type { WallTime } from '#contracts/units.ts';
import { systemCode } from '#runtime/errors.ts';
import { openStore, type Store, type StoreOptions } from './store.ts';

export interface OpenedStore {
  readonly store: Store;
  /** The name in the state folder under which a damaged database was set aside, unchanged. */
  readonly setAside?: string;
}

/**
 * Opens the store. A damaged one is set aside under another name, byte for byte, and a new one is begun: an officer
 * needs answers more than the terminal needs its history, and the bureau can still read what was set aside.
 */
export function openStoreOrSetAside(
  folder: string,
  name: string,
  now: WallTime,
  options: StoreOptions,
): Result<OpenedStore> {
  const file = `${folder}/${name}`;
  const first = openStore(file, options);
  if (first.ok) return ok({ store: first.value });
  if (first.fault.code !== 'STORE_CORRUPT') return first;
  const setAside = `${name}.damaged-${new Date(now).toISOString().replace(/[:.]/g, '-')}`;
  // The write-ahead log goes along: what it holds may be all that is readable.
  for (const suffix of ['', '-wal', '-shm'])
    moveIfThere(`${file}${suffix}`, `${folder}/${setAside}${suffix}`);
  const second = openStore(file, options);
  return second.ok ? ok({ store: second.value, setAside }) : second;
}

function moveIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (thrown) {
    if (systemCode(thrown) !== 'ENOENT') throw thrown;
  }
}
