import { fail, ok, type Result } from '#contracts/result.ts';
import { type CsvRow, readCsv } from './csv.ts';
import { type CollectionRecord, type Column, optionalColumns, requiredColumns, toRecord } from './record.ts';

/** What is wrong in one place of the file, in words; it never repeats what stands there. */
export interface RowProblem {
  readonly row: number;
  readonly column?: Column;
  readonly problem: string;
}

/** One row: its record, or all that is wrong with it. */
export type CollectionRow =
  | { readonly record: CollectionRecord }
  | { readonly problems: readonly RowProblem[] };

/**
 * The rows of a collection's CSV, one by one, so that the caller may rest between them. The fault is COLLECTION_INVALID
 * where the file has no rows to speak of: it is not UTF-8, or its header is not the one of docs/collection.md.
 */
export function readCollection(bytes: Uint8Array): Result<Iterable<CollectionRow>> {
  const text = decode(bytes);
  if (!text.ok) return text;
  const rows = readCsv(text.value);
  const first = rows.next();
  if (first.done === true) return fail('COLLECTION_INVALID', 'The file is empty: it has not even a header.');
  const columns = readHeader(first.value);
  if (!columns.ok) return columns;
  return ok(readRows(rows, columns.value));
}

function* readRows(rows: Iterable<CsvRow>, columns: readonly Column[]): Generator<CollectionRow> {
  const seen = new Map<string, number>();
  for (const { number: row, fields, broken } of rows) {
    if (broken !== undefined) {
      yield { problems: [{ row, problem: `${broken}; nothing after it could be read` }] };
      continue;
    }
    if (fields.length !== columns.length) {
      const problem = `has ${fields.length} fields; the header has ${columns.length}`;
      yield { problems: [{ row, problem }] };
      continue;
    }
    const values = Object.fromEntries(columns.map((column, at) => [column, fields[at] ?? '']));
    const record = toRecord(values);
    if (!('record' in record)) {
      yield {
        problems: record.map(({ column, allowed }) => ({ row, column, problem: `allowed is ${allowed}` })),
      };
      continue;
    }
    const before = seen.get(record.record);
    if (before !== undefined) {
      yield { problems: [{ row, column: 'record', problem: `row ${before} has the same id` }] };
      continue;
    }
    seen.set(record.record, row);
    yield { record };
  }
}

function decode(bytes: Uint8Array): Result<string> {
  try {
    // A byte order mark is dropped by the decoder.
    return ok(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    return fail('COLLECTION_INVALID', 'The file is not text in UTF-8.', cause);
  }
}

function readHeader(row: CsvRow): Result<readonly Column[]> {
  const known: readonly string[] = [...requiredColumns, ...optionalColumns];
  const found = row.fields.map((field) => field.trim().toLowerCase());
  const problems = [
    ...(row.broken === undefined ? [] : [row.broken]),
    ...requiredColumns.filter((name) => !found.includes(name)).map((name) => `the column ${name} is missing`),
    ...found.flatMap((name, at) => {
      if (!known.includes(name)) return [`column ${at + 1} is none of ${known.join(', ')}`];
      return found.indexOf(name) === at ? [] : [`the column ${name} is there twice`];
    }),
  ];
  if (problems.length === 0) return ok(found as Column[]);
  return fail('COLLECTION_INVALID', `Row 1, the header: ${problems.join('; ')}.`);
}

/** Gathers what is wrong with a file: counts everything, lists the first of it. */
export class ProblemList {
  readonly #listed: string[] = [];
  #count = 0;

  add(problems: readonly RowProblem[]): void {
    for (const { row, column, problem } of problems) {
      this.#count++;
      if (this.#count > mostListed) continue;
      this.#listed.push(`row ${row}${column === undefined ? '' : `, ${column}`}: ${problem}`);
    }
  }

  /** COLLECTION_INVALID with the list, or undefined where nothing was wrong. */
  fault(file: string): Result<never> | undefined {
    if (this.#count === 0) return undefined;
    const more = this.#count - this.#listed.length;
    const rest = more === 0 ? [] : [`and ${more} more`];
    return fail('COLLECTION_INVALID', [file, ...this.#listed, ...rest].join('\n'));
  }
}

const mostListed = 50;
