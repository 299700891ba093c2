import type { Result } from '#contracts/result.ts';
import type { CentralSettings } from '#contracts/settings/central.ts';
import type { WallTime } from '#contracts/units.ts';
import type { Schema } from '../store/index.ts';
import { sourceOf, targetOf } from './ends.ts';
import { analyse, beginAnew, copiedRooms, tableFor } from './fill.ts';
import { attempt, quoted, refuse, type Side, type Table } from './side.ts';

export interface MigrateWhat {
  readonly settings: Pick<CentralSettings, 'state' | 'store'>;
  /** Address of PostgreSQL; `sqlite` for the file in the folder of the databases. */
  readonly to: string;
  readonly replace: boolean;
  readonly now: WallTime;
}

export interface Migrated {
  readonly from: string;
  readonly to: string;
  readonly rows: Readonly<Record<string, number>>;
}

/**
 * Copies the centre's database into one of the other kind, in one transaction; what it was copied from stays as it is. No
 * centre may run on either. Faults: USAGE where both are the same, and those of `restore`.
 */
export function migrate(
  { settings, to, replace, now }: MigrateWhat,
  schemas: readonly Schema[],
): Promise<Result<Migrated>> {
  const source = sourceOf(settings);
  const target = targetOf(
    { state: settings.state, store: to === 'sqlite' ? {} : { url: to } },
    replace ? now : undefined,
  );
  return attempt([source, target], async () => {
    if (source.kind === target.kind) refuse('USAGE', `${source.name} is of this kind already.`);
    await source.hold();
    await source.begin('read');
    const tables = await beginAnew(target, { rooms: await copiedRooms(source), schemas, replace });
    const rows: Record<string, number> = {};
    for (const table of await source.tables()) rows[table.name] = await copy(source, target, table, tables);
    await target.commit();
    await analyse(target);
    return { from: source.name, to: target.name, rows };
  });
}

async function copy(
  source: Side,
  target: Side,
  table: Table,
  tables: ReadonlyMap<string, Table>,
): Promise<number> {
  const into = tableFor(tables, table.name, table.columns);
  let count = 0;
  if (table.counted !== undefined) await target.countOn(into, table.counted.last);
  for await (const rows of source.rows(table)) {
    await target.insert(into, rows);
    count += rows.length;
  }
  const [found] = await target.all<{ n: number }>(`SELECT count(*) AS n FROM ${quoted(table.name)}`);
  if (found?.n !== count)
    refuse('STORE_FAILED', `${table.name} has ${found?.n ?? 0} rows after ${count} were copied.`);
  return count;
}
