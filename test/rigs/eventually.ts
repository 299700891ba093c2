interface Patience {
  readonly timeoutMs?: number;
  readonly everyMs?: number;
  /** What was waited for, for the message. */
  readonly what?: string;
  /** True where waiting any longer is in vain. */
  readonly failAtOnce?: () => boolean;
}

/** Asks again and again until `check` gives a value other than undefined, null and false; fails loudly at the deadline. */
export async function eventually<T>(
  check: () => T | Promise<T>,
  { timeoutMs = 10_000, everyMs = 20, what = 'what was waited for', failAtOnce = () => false }: Patience = {},
): Promise<NonNullable<Exclude<T, false>>> {
  const end = performance.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await check();
      if (value !== undefined && value !== null && value !== false)
        return value as NonNullable<Exclude<T, false>>;
    } catch (thrown) {
      last = thrown;
    }
    if (performance.now() > end || failAtOnce()) {
      const why = last instanceof Error ? `: ${last.message}` : '';
      throw new Error(`${what} did not happen within ${timeoutMs} ms${why}`, { cause: last });
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
