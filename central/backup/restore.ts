import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Result } from '#contracts/result.ts';
import type { CentralSettings } from '#contracts/settings/central.ts';
import { type Clock, instant } from '#runtime/clock.ts';
import { systemCode } from '#runtime/errors.ts';
import type { Schema } from '../store/index.ts';
import { targetOf } from './ends.ts';
import { analyse, beginAnew, tableFor } from './fill.ts';
import type { EndLine, FileLine, Header } from './format.ts';
import { readDump } from './read-dump.ts';
import { backupSchema } from './schema.ts';
import { attempt, refuse, type Side, type Table } from './side.ts';

export interface RestoreWhat {
  readonly settings: Pick<CentralSettings, 'state' | 'store'>;
  readonly from: string;
  /** What the database holds now is given up for it. */
  readonly replace: boolean;
  /** Folder in which the files of the backup are laid down; left out: they are not. */
  readonly files?: string;
}

export interface RestoreParts {
  readonly clock: Clock;
  /** Of all rooms of this release. */
  readonly schemas: readonly Schema[];
}

export interface Restored {
  readonly takenAt: string;
  readonly release: string;
  readonly rows: Readonly<Record<string, number>>;
  /** Paths of the files that were laid down. */
  readonly files: readonly string[];
  /** What must be brought by other means, with its path then. */
  readonly beside: Header['beside'];
}

/**
 * Makes the centre's database what a backup holds, in one transaction: until it is committed nothing has changed. The
 * backup is read through before anything is touched. Faults: BACKUP_INVALID, BACKUP_NEWER, FILE_REFUSED, STORE_NOT_EMPTY,
 * STORE_LOCKED where a centre runs, STORE_CORRUPT, STORE_FULL, STORE_FAILED, STORE_UNREACHABLE.
 */
export function restore(what: RestoreWhat, { clock, schemas }: RestoreParts): Promise<Result<Restored>> {
  const side = targetOf(what.settings, what.replace ? clock.wall() : undefined);
  return attempt([side], async () => {
    const { header, end, files } = await readThrough(what.from);
    const rooms = new Map(Object.entries(header.rooms));
    // A backup of a release that did not know restores yet.
    if (!rooms.has(backupSchema.room)) rooms.set(backupSchema.room, backupSchema.migrations.length);
    const tables = await beginAnew(side, { rooms, schemas, replace: what.replace });
    await fill(side, tables, what.from, end);
    await side.all(
      'INSERT INTO restores (restored_at, taken_at, release) VALUES (?, ?, ?) RETURNING id',
      instant(clock.wall()),
      header.at,
      header.release,
    );
    await side.commit();
    await analyse(side);
    return {
      takenAt: header.at,
      release: header.release,
      rows: end.rows,
      files: what.files === undefined ? [] : layDown(files, what.files),
      beside: header.beside,
    };
  });
}

interface ReadThrough {
  readonly header: Header;
  readonly end: EndLine;
  readonly files: readonly FileLine[];
}

async function readThrough(file: string): Promise<ReadThrough> {
  let header: Header | undefined;
  let end: EndLine | undefined;
  const files: FileLine[] = [];
  for await (const part of readDump(file)) {
    if (part.kind === 'header') ({ header } = part);
    else if (part.kind === 'file') files.push(part.file);
    else if (part.kind === 'end') ({ end } = part);
  }
  if (header === undefined || end === undefined) return refuse('BACKUP_INVALID', `${file} has no end.`);
  return { header, end, files };
}

async function fill(
  side: Side,
  tables: ReadonlyMap<string, Table>,
  file: string,
  expected: EndLine,
): Promise<void> {
  for await (const part of readDump(file)) {
    if (part.kind === 'table') {
      const { table, columns, last } = part.table;
      const into = tableFor(tables, table, columns);
      if (last !== null) await side.countOn(into, last);
    } else if (part.kind === 'rows') {
      await side.insert(tableFor(tables, part.table.table, part.table.columns), part.rows);
    } else if (part.kind === 'end' && part.end.sha256 !== expected.sha256) {
      refuse('BACKUP_INVALID', `${file} was changed while it was read.`);
    }
  }
}

/** A file that stands there already is kept: whoever restores decides which one holds. */
function layDown(files: readonly FileLine[], folder: string): string[] {
  return files.map(({ file, text }) => {
    const path = join(folder, file);
    try {
      writeFileSync(path, text, { flag: 'wx', mode: 0o600 });
      return path;
    } catch (cause) {
      return refuse(
        'FILE_REFUSED',
        `The database is restored, but ${path} cannot be written (${systemCode(cause) ?? 'unknown'}).`,
        cause,
      );
    }
  });
}
