import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { syncFolder } from '#runtime/durable-file.ts';
import { CheckpostError, systemCode } from '#runtime/errors.ts';
import { type FileLine, type Header, rowLine } from './format.ts';
import { readDump } from './read-dump.ts';
import { refuse, type Side } from './side.ts';

/** Text that is handed to the compressor at a time, in characters. */
const piece = 64 * 1024;

/**
 * Writes what a side holds into a file: beside its place, synced, read through again, and only then renamed over what
 * stood there. The answer is the number of rows of each table. Throws FILE_REFUSED, and what the side throws.
 */
export async function writeDump(
  side: Side,
  header: Header,
  files: readonly FileLine[],
  file: string,
  signal?: AbortSignal,
): Promise<Readonly<Record<string, number>>> {
  const beside = join(dirname(file), `.${basename(file)}.${process.pid}.new`);
  try {
    await pipeline(
      Readable.from(dumpOf(side, header, files)),
      createGzip(),
      createWriteStream(beside, { mode: 0o600, flags: 'wx', flush: true }),
      signal === undefined ? {} : { signal },
    );
    // What cannot be read again is no backup.
    const rows = await readThrough(beside);
    await rename(beside, file);
    await syncFolder(dirname(file));
    return rows;
  } catch (cause) {
    await unlink(beside).catch(() => {});
    if (cause instanceof CheckpostError) throw cause;
    const why = signal?.aborted === true ? 'stopped' : (systemCode(cause) ?? 'unknown');
    return refuse('FILE_REFUSED', `${file} cannot be written (${why}).`, cause);
  }
}

async function readThrough(file: string): Promise<Readonly<Record<string, number>>> {
  let rows: Readonly<Record<string, number>> = {};
  for await (const part of readDump(file)) if (part.kind === 'end') ({ rows } = part.end);
  return rows;
}

/** The lines of a dump in pieces of text. */
export async function* dumpOf(
  side: Side,
  header: Header,
  files: readonly FileLine[],
): AsyncGenerator<string> {
  const hash = createHash('sha256');
  const counts: Record<string, number> = {};
  let waiting = '';
  const add = (line: string): void => {
    waiting += `${line}\n`;
  };
  const take = (): string => {
    const text = waiting;
    waiting = '';
    hash.update(text);
    return text;
  };
  add(JSON.stringify(header));
  for (const table of await side.tables()) {
    const { name, columns, counted } = table;
    add(JSON.stringify({ table: name, columns, last: counted?.last ?? null }));
    let count = 0;
    for await (const rows of side.rows(table)) {
      count += rows.length;
      for (const row of rows) {
        add(rowLine(row, name));
        if (waiting.length >= piece) yield take();
      }
    }
    counts[name] = count;
  }
  for (const one of files) add(JSON.stringify(one));
  yield take();
  yield `${JSON.stringify({ end: true, rows: counts, sha256: hash.digest('hex') })}\n`;
}
