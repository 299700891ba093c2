import { type Dialect, postgresDialect, sqliteDialect } from '../store/index.ts';

/** For the tables that a restore makes inside its one transaction. */
export const dialects: Readonly<Record<'sqlite' | 'postgres', Dialect>> = {
  sqlite: sqliteDialect,
  postgres: postgresDialect,
};
