import type { Schema } from '../store/index.ts';
import { dialects } from './dialects.ts';
import { quoted, refuse, roomsOf, type Side, type Table } from './side.ts';

export interface FillWith {
  /** Schema version of each room in what is copied. */
  readonly rooms: ReadonlyMap<string, number>;
  readonly schemas: readonly Schema[];
  /** Everything that stands there may be taken away. */
  readonly replace: boolean;
}

/**
 * Begins the one transaction in which a database is made anew, with empty tables as they were in what is copied. Throws
 * BACKUP_NEWER where this release does not know them, STORE_NOT_EMPTY where there are rows that may not be replaced.
 */
export async function beginAnew(
  side: Side,
  { rooms, schemas, replace }: FillWith,
): Promise<Map<string, Table>> {
  const steps = new Map(schemas.map(({ room, migrations }) => [room, migrations]));
  for (const [room, version] of rooms) {
    const known = steps.get(room)?.length ?? 0;
    if (version > known)
      refuse('BACKUP_NEWER', `It has schema ${version} of ${room}; this release knows ${known}.`);
  }
  await side.hold();
  await side.begin('write');
  await clear(side, replace);
  await side.run(
    'CREATE TABLE schemas (room TEXT PRIMARY KEY, version INTEGER NOT NULL) ' + dialects[side.kind].strict,
  );
  for (const { room, migrations } of schemas) {
    const version = rooms.get(room);
    if (version === undefined) continue;
    // Only as far as the copied rows go; the centre takes the further steps when it opens the database.
    for (const migration of migrations.slice(0, version)) await side.run(migration(dialects[side.kind]));
    await side.all('INSERT INTO schemas VALUES (?, ?) RETURNING room', room, version);
  }
  return new Map((await side.tables()).map((table) => [table.name, table]));
}

async function clear(side: Side, replace: boolean): Promise<void> {
  const tables = await side.tables();
  const ours = await hasSchemas(side);
  if (!ours && tables.length > 0)
    refuse('STORE_NOT_EMPTY', `${side.name} has tables of something else (${tables[0]?.name ?? ''}).`);
  for (const { name } of tables) {
    const [row] = await side.all<{ one: number }>(`SELECT 1 AS one FROM ${quoted(name)} LIMIT 1`);
    if (row !== undefined && !replace)
      refuse('STORE_NOT_EMPTY', `${side.name} has rows already, for example in ${name}.`);
  }
  for (const { name } of tables) await side.run(`DROP TABLE ${quoted(name)}`);
  if (ours) await side.run('DROP TABLE schemas');
}

async function hasSchemas(side: Side): Promise<boolean> {
  const rows = await side.all(
    side.kind === 'sqlite'
      ? "SELECT name FROM sqlite_schema WHERE type = 'table' AND name = 'schemas'"
      : "SELECT relname FROM pg_class WHERE relname = 'schemas' AND relnamespace = current_schema()::regnamespace",
  );
  return rows.length > 0;
}

/** The table to fill, if it has just these columns. */
export function tableFor(
  tables: ReadonlyMap<string, Table>,
  name: string,
  columns: readonly string[],
): Table {
  const table = tables.get(name);
  if (table === undefined) return refuse('BACKUP_INVALID', `No room of this release has a table ${name}.`);
  if (JSON.stringify(table.columns.toSorted()) !== JSON.stringify(columns.toSorted()))
    return refuse('BACKUP_INVALID', `Table ${name} has other columns in this release.`);
  return { ...table, columns };
}

/** Rooms of a database that is copied. Throws STORE_FAILED where it is not one of a centre. */
export async function copiedRooms(side: Side): Promise<Map<string, number>> {
  if (!(await hasSchemas(side))) refuse('STORE_FAILED', `${side.name} is not the database of a centre.`);
  return roomsOf(side);
}

/** Good plans for queries need figures about the rows. All is committed by then: without them it is slower, not less. */
export async function analyse(side: Side): Promise<void> {
  await side.run('ANALYZE').catch(() => {});
}
