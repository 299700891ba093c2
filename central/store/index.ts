export { openCentralDb, sqliteName } from './central-db.ts';
export { CollectionStore, type Found } from './collection.ts';
export { openRegistries } from './registries.ts';
export { openRegistry, type RegistryWatch } from './registry.ts';
export type { Announcement, Db, Dialect, Lead, Migration, Schema, SqlValue, Tx, WriteTx } from './db.ts';
export { openPostgres, postgresDialect } from './postgres.ts';
export { openSqlite, openSqliteOrBegin, sqliteDialect } from './sqlite.ts';
