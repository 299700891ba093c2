import { fail, ok, type Result } from '#contracts/result.ts';
import type { Places } from './edition-row.ts';
import { type Column, optionalColumns, requiredColumns } from './record.ts';
import { fieldsKept, fieldText, type RowBytes, type RowSource } from './rows.ts';

const known: readonly Column[] = [...requiredColumns, ...optionalColumns];

/** Where the columns of a collection stand, and how many there are. */
export interface Heading {
  readonly places: Places;
  /** In the order of the rows. */
  readonly columns: readonly Column[];
}

/** Reads the first row. Faults: COLLECTION_INVALID where it does not name the columns of docs/collection.md. */
export async function readHeading(source: RowSource): Promise<Result<Heading>> {
  for (;;) {
    const row = source.next();
    if (row !== undefined) return headingOf(row, source.heading);
    if (!(await source.more())) {
      return fail('COLLECTION_INVALID', 'The file is empty: it has not even a header.');
    }
  }
}

function headingOf(row: RowBytes, called: string): Result<Heading> {
  const [wrong] = row.wrong;
  if (wrong !== undefined) return fail('COLLECTION_INVALID', `${called}: ${wrong.problem}.`);
  // One with more columns than are kept has wrong ones among the first.
  const count = row.broken === undefined ? Math.min(row.count, fieldsKept) : 0;
  const found = Array.from({ length: count }, (_, at) => fieldText(row, at).trim().toLowerCase());
  const problems =
    row.broken === undefined
      ? [
          ...requiredColumns
            .filter((name) => !found.includes(name))
            .map((name) => `the column ${name} is missing`),
          ...found.flatMap((name, at) => {
            if (!known.some((column) => column === name)) {
              return [`column ${at + 1} is none of ${known.join(', ')}`];
            }
            return found.indexOf(name) === at ? [] : [`the column ${name} is there twice`];
          }),
        ]
      : [row.broken];
  if (problems.length > 0) return fail('COLLECTION_INVALID', `${called}: ${problems.join('; ')}.`);
  const places = Object.fromEntries(known.map((name) => [name, found.indexOf(name)]));
  return ok({ places: places as Places, columns: found as Column[] });
}
