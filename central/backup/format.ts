import Type, { type Static, type TSchema } from 'typebox';
import { Instant } from '#contracts/names.ts';
import { parseJson } from '#runtime/parse.ts';
import type { SqlValue } from '../store/index.ts';
import { refuse, type Row } from './side.ts';

/**
 * A backup: gzip of lines of JSON. First the header; then for each table a line with its columns, and a list of values
 * for each row; then the files that were asked for; last the end, with the number of rows of every table and the SHA-256
 * of all the lines before it. It says nothing of the database that it came from but which kind it was.
 */
export const formatVersion = 1;
/** Most bytes of one line: far above what the rooms store in a row. */
export const longestLine = 64 * 1024 * 1024;

const count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const name = Type.String({ minLength: 1, maxLength: 128 });

/** Enough of a header to see whether it is one, of any version. */
export const AnyHeader = Type.Object({ checkpost: Type.Literal('backup'), v: Type.Integer({ minimum: 1 }) });

export const Header = Type.Object(
  {
    checkpost: Type.Literal('backup'),
    v: Type.Literal(formatVersion),
    /** When what it holds was so. */
    at: Instant,
    /** Of Checkpost. */
    release: Type.String(),
    kind: Type.Union([Type.Literal('sqlite'), Type.Literal('postgres')]),
    /** Schema version of each room. */
    rooms: Type.Record(Type.String(), Type.Integer({ minimum: 1 })),
    /** What a centre also needs and what must be kept by other means, with its path then. */
    beside: Type.Array(
      Type.Object({ what: Type.String(), path: Type.String() }, { additionalProperties: false }),
    ),
  },
  { additionalProperties: false },
);
export type Header = Static<typeof Header>;

export const TableLine = Type.Object(
  {
    table: name,
    columns: Type.Array(name, { minItems: 1 }),
    /** The highest number that the column which counts up ever gave; null where there is none. */
    last: Type.Union([Type.Null(), count]),
  },
  { additionalProperties: false },
);
export type TableLine = Static<typeof TableLine>;

export const FileLine = Type.Object(
  { file: Type.String({ pattern: '^[a-z][a-z0-9.-]{0,63}$' }), text: Type.String() },
  { additionalProperties: false },
);
export type FileLine = Static<typeof FileLine>;

export const EndLine = Type.Object(
  {
    end: Type.Literal(true),
    /** Rows of each table. */
    rows: Type.Record(Type.String(), count),
    sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  },
  { additionalProperties: false },
);
export type EndLine = Static<typeof EndLine>;

/** JSON has no word for these numbers, which a database may hold. */
const endless: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
};

/** The line of a row. Throws STORE_FAILED where a number is too large to be carried without loss. */
export function rowLine(row: Row, table: string): string {
  const line = JSON.stringify(
    row.map((value) => {
      if (typeof value !== 'number') return value;
      if (!Number.isFinite(value)) return { n: String(value) };
      if (Number.isInteger(value) && Math.abs(value) > Number.MAX_SAFE_INTEGER && Math.abs(value) < 2 ** 64)
        refuse('STORE_FAILED', `A row of ${table} holds a number above 2^53, which a backup cannot carry.`);
      return value;
    }),
  );
  if (line.length * 3 > longestLine && Buffer.byteLength(line) > longestLine)
    refuse('STORE_FAILED', `A row of ${table} is longer than ${longestLine} bytes.`);
  return line;
}

/** The values of a row's line, or undefined where it is not one of so many values. */
export function parseRow(line: string, columns: number): SqlValue[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!Array.isArray(value) || value.length !== columns) return undefined;
  const row: SqlValue[] = [];
  for (const one of value as unknown[]) {
    if (one === null || typeof one === 'string' || typeof one === 'number') row.push(one);
    else {
      const word = (one as { n?: unknown }).n;
      const number = typeof word === 'string' && Object.hasOwn(endless, word) ? endless[word] : undefined;
      if (number === undefined) return undefined;
      row.push(number);
    }
  }
  return row;
}

export function parseLine<S extends TSchema>(schema: S, line: string, what: string): Static<S> {
  const parsed = parseJson(schema, line, 'BACKUP_INVALID');
  return parsed.ok ? parsed.value : refuse('BACKUP_INVALID', `${what}: ${parsed.fault.detail}`);
}
