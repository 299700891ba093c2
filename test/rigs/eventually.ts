/** Asks again and again until `check` gives a value other than undefined, null and false; fails loudly at the deadline. */
export async function eventually<T>(
  check: () => T | Promise<T>,
  { timeoutMs = 10_000, everyMs = 20, what = 'what was waited for' } = {},
): Promise<NonNullable<Exclude<T, false>>> {
  const end = performance.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await check();
      if (value !== undefined && value !== null && value !== false) return value as NonNullable<Exclude<T, false>>;
    } catch (thrown) {
      last = thrown;
    }
    if (performance.now() > end) throw new Error(`${what} did not happen within ${timeoutMs} ms`, { cause: last });
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
