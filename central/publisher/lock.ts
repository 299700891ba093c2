import Database from 'better-sqlite3';
import { systemCode } from '#runtime/errors.ts';

/**
 * Takes the lock of a folder. It is one of SQLite's on an empty database, so that the system gives it back when whoever
 * holds it dies, at whatever moment: no lock is ever left behind, and no process with the same number can be mistaken for
 * the one that held it. The answer releases it; undefined is that somebody else holds it. Throws what the system says.
 */
export function takeLock(file: string): (() => void) | undefined {
  const database = new Database(file, { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (thrown) {
    database.close();
    if (systemCode(thrown)?.startsWith('SQLITE_BUSY') === true) return undefined;
    throw thrown;
  }
  return () => database.close();
}
