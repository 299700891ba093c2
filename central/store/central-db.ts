import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { CentralSettings } from '#contracts/settings/central.ts';
import type { Clock } from '#runtime/clock.ts';
import { systemCode } from '#runtime/errors.ts';
import type { Db, Schema } from './db.ts';
import { openPostgres } from './postgres.ts';
import { openSqliteOrBegin } from './sqlite.ts';

/** The file of SQLite in the folder of the databases. */
export const sqliteName = 'controller.db';

/**
 * Opens the centre's database as the settings say, with the tables of all rooms. A damaged file of SQLite is set aside
 * under the name of `setAside`, and a new one is begun. Faults: those of `openSqlite` and `openPostgres`, FILE_REFUSED.
 */
export async function openCentralDb(
  settings: Pick<CentralSettings, 'state' | 'store'>,
  schemas: readonly Schema[],
  parts: { readonly clock: Clock; readonly random: () => number },
): Promise<Result<{ readonly db: Db; readonly setAside?: string }>> {
  const { url } = settings.store;
  if (url !== undefined) {
    const opened = await openPostgres({ url, ...parts }, schemas);
    return opened.ok ? ok({ db: opened.value }) : opened;
  }
  try {
    mkdirSync(settings.state, { recursive: true, mode: 0o700 });
  } catch (cause) {
    return fail(
      'FILE_REFUSED',
      `${settings.state} cannot be made (${systemCode(cause) ?? 'unknown'}).`,
      cause,
    );
  }
  return openSqliteOrBegin(join(settings.state, sqliteName), schemas, parts.clock.wall());
}
