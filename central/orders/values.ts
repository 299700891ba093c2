/** Values of a layer as data: groups of settings, in which a list is one value. */

function isGroup(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The same with the names of every object in order and empty groups left out, so that equal content is equal text. */
export function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (!isGroup(value)) return value;
  const entries = Object.entries(value)
    .filter(([, held]) => held !== undefined)
    .map(([name, held]) => [name, canonical(held)] as const)
    .filter(([, held]) => !isGroup(held) || Object.keys(held).length > 0)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries);
}

/** Every value by its dotted path. */
export function flatten(values: unknown): Map<string, unknown> {
  const found = new Map<string, unknown>();
  const walk = (value: unknown, path: string): void => {
    if (!isGroup(value)) found.set(path, value);
    else for (const [name, held] of Object.entries(value)) walk(held, path === '' ? name : `${path}.${name}`);
  };
  walk(values, '');
  return found;
}

/** `over` laid over `under`, value by value. */
export function merged(under: unknown, over: unknown): unknown {
  if (!isGroup(under) || !isGroup(over)) return over;
  const result: Record<string, unknown> = { ...under };
  for (const [name, value] of Object.entries(over)) {
    result[name] = name in under ? merged(under[name], value) : value;
  }
  return result;
}
