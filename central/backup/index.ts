export { backup, type BackedUp, type BackupWhat } from './backup.ts';
export { migrate, type Migrated, type MigrateWhat } from './migrate.ts';
export { restore, type Restored, type RestoreParts, type RestoreWhat } from './restore.ts';
export { type AfterRestore, backupSchema, lastRestore, type Restore, settleRestore } from './schema.ts';
