import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { CheckpostError, systemCode } from '#runtime/errors.ts';
import { LineCutter } from '#runtime/lines.ts';
import {
  AnyHeader,
  EndLine,
  FileLine,
  formatVersion,
  Header,
  longestLine,
  parseLine,
  parseRow,
  TableLine,
} from './format.ts';
import { Batch, refuse, type Row } from './side.ts';

/** The parts of a backup in their order. */
export type Part =
  | { readonly kind: 'header'; readonly header: Header }
  | { readonly kind: 'table'; readonly table: TableLine }
  | { readonly kind: 'rows'; readonly table: TableLine; readonly rows: readonly Row[] }
  | { readonly kind: 'file'; readonly file: FileLine }
  | { readonly kind: 'end'; readonly end: EndLine };

/**
 * Reads a backup part by part; `end` comes only where every line and every count was as it was written. Throws
 * BACKUP_INVALID, BACKUP_NEWER, FILE_REFUSED.
 */
export async function* readDump(file: string): AsyncGenerator<Part> {
  const reader = new Reader(file);
  const cutter = new LineCutter(longestLine);
  const bytes = createReadStream(file);
  const plain = createGunzip();
  // A failure of the file reaches whoever iterates through the end of the chain.
  pipeline(bytes, plain, () => {});
  try {
    for await (const piece of plain) {
      for (const line of cutter.push(piece as Buffer)) yield* reader.line(line);
      if (cutter.overlong) reader.damaged('a line without an end');
    }
  } catch (cause) {
    if (cause instanceof CheckpostError) throw cause;
    const code = systemCode(cause) ?? '';
    if (/^E[A-Z]+$/.test(code)) refuse('FILE_REFUSED', `${file} cannot be read (${code}).`, cause);
    reader.damaged(`it cannot be unpacked (${code})`, cause);
  } finally {
    bytes.destroy();
    plain.destroy();
  }
  if (!reader.ended) reader.damaged('its end is missing');
}

class Reader {
  readonly #file: string;
  readonly #hash = createHash('sha256');
  readonly #counts = new Map<string, number>();
  readonly #batch = new Batch();
  #number = 0;
  #table: TableLine | undefined;
  ended = false;

  constructor(file: string) {
    this.#file = file;
  }

  *line(line: string): Generator<Part> {
    this.#number++;
    if (this.ended) this.damaged('something follows its end');
    if (this.#number === 1) {
      this.#hash.update(`${line}\n`);
      yield { kind: 'header', header: this.#header(line) };
      return;
    }
    if (line.startsWith('{"end":')) {
      yield* this.#rest();
      yield { kind: 'end', end: this.#end(line) };
      return;
    }
    this.#hash.update(`${line}\n`);
    if (line.startsWith('[')) {
      yield* this.#row(line);
      return;
    }
    yield* this.#rest();
    if (line.startsWith('{"table":')) {
      const table = parseLine(TableLine, line, this.#place);
      if (this.#counts.has(table.table)) this.damaged(`table ${table.table} comes twice`);
      this.#table = table;
      this.#counts.set(table.table, 0);
      yield { kind: 'table', table };
    } else {
      this.#table = undefined;
      yield { kind: 'file', file: parseLine(FileLine, line, this.#place) };
    }
  }

  damaged(why: string, cause?: unknown): never {
    return refuse('BACKUP_INVALID', `${this.#file}, line ${this.#number}: ${why}.`, cause);
  }

  get #place(): string {
    return `${this.#file}, line ${this.#number}`;
  }

  #header(line: string): Header {
    const { v } = parseLine(AnyHeader, line, this.#place);
    if (v > formatVersion)
      refuse('BACKUP_NEWER', `${this.#file} has version ${v}; this release reads ${formatVersion}.`);
    return parseLine(Header, line, this.#place);
  }

  *#row(line: string): Generator<Part> {
    const table = this.#table ?? this.damaged('a row without a table');
    const row = parseRow(line, table.columns.length) ?? this.damaged(`it is no row of ${table.table}`);
    this.#counts.set(table.table, (this.#counts.get(table.table) ?? 0) + 1);
    const rows = this.#batch.add(row);
    if (rows !== undefined) yield { kind: 'rows', table, rows };
  }

  *#rest(): Generator<Part> {
    const rows = this.#batch.take();
    if (this.#table !== undefined && rows.length > 0) yield { kind: 'rows', table: this.#table, rows };
  }

  #end(line: string): EndLine {
    const end = parseLine(EndLine, line, this.#place);
    if (end.sha256 !== this.#hash.digest('hex')) this.damaged('what it holds is not what was written');
    const written = Object.entries(end.rows);
    if (
      written.length !== this.#counts.size ||
      written.some(([name, rows]) => this.#counts.get(name) !== rows)
    )
      this.damaged('it has not as many rows as were written');
    this.ended = true;
    return end;
  }
}
