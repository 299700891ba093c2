import type { Result } from '#contracts/result.ts';

/** For `IN (…)`. Filled up with the last value to a round number, so that few different statements are prepared. */
export function within(values: readonly string[]): { readonly marks: string; readonly values: string[] } {
  const last = values.at(-1) ?? '';
  const size = Math.max(8, 2 ** Math.ceil(Math.log2(Math.max(1, values.length))));
  const filled = [...values, ...Array.from({ length: size - values.length }, () => last)];
  return { marks: filled.map(() => '?').join(', '), values: filled };
}

/** Rows in one statement. */
const rowsAtOnce = 50;

/** Slices for statements of many rows. */
export function* slices<T>(rows: readonly T[], size = rowsAtOnce): Generator<readonly T[]> {
  for (let from = 0; from < rows.length; from += size) yield rows.slice(from, from + size);
}

/** What a transaction answered: its own fault, or the fault of what it did. */
export function inner<T>(result: Result<Result<T>>): Result<T> {
  return result.ok ? result.value : result;
}

/** Lets other work of the process go on. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
