import type { LayerPreview } from '#contracts/api/orders.ts';
import type { RegisteredTerminal } from '#contracts/registry.ts';
import { scopesFor } from './scope.ts';
import { breathe, slices } from './sql.ts';
import { flatten } from './values.ts';

const mostExamples = 5;
/** Between two turns of the loop: far below what anybody would notice. */
const terminalsAtOnce = 500;

/**
 * Which setting of which terminals goes from what to what when layer `name` holds `after`. `bodies`: every layer that sets
 * something, as JSON by its name. A value that a later layer sets as well does not change.
 */
export async function previewChange(
  name: string,
  bodies: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, unknown>,
  terminals: readonly RegisteredTerminal[],
): Promise<LayerPreview> {
  const none: ReadonlyMap<string, unknown> = new Map();
  // Those of terminals are each used once; the others are worth keeping.
  const kept = new Map<string, ReadonlyMap<string, unknown>>();
  const valuesOf = (scope: string): ReadonlyMap<string, unknown> => {
    const found = kept.get(scope);
    if (found !== undefined) return found;
    const body = bodies.get(scope);
    const values = body === undefined ? none : flatten(JSON.parse(body));
    if (!scope.startsWith('terminal:')) kept.set(scope, values);
    return values;
  };
  const before = valuesOf(name);
  const paths = [...new Set([...before.keys(), ...after.keys()])].filter(
    (path) => JSON.stringify(before.get(path)) !== JSON.stringify(after.get(path)),
  );
  const changes = new Map<string, LayerPreview['changes'][number]>();
  const touched = new Set<string>();
  for (const slice of slices(terminals, terminalsAtOnce)) {
    for (const terminal of slice) {
      const scopes = scopesFor(terminal);
      const at = scopes.indexOf(name);
      const below = scopes.slice(0, at).map(valuesOf);
      const above = scopes.slice(at + 1).map(valuesOf);
      for (const path of paths) {
        if (above.some((layer) => layer.has(path))) continue;
        const under: unknown = below.findLast((layer) => layer.has(path))?.get(path) ?? null;
        const was = before.has(path) ? before.get(path) : under;
        const will = after.has(path) ? after.get(path) : under;
        const key = JSON.stringify([path, was, will]);
        if (JSON.stringify(was) === JSON.stringify(will)) continue;
        touched.add(terminal.terminal);
        const change = changes.get(key);
        if (change === undefined) {
          changes.set(key, { path, before: was, after: will, terminals: 1, examples: [terminal.terminal] });
          continue;
        }
        change.terminals++;
        if (change.examples.length < mostExamples) change.examples.push(terminal.terminal);
      }
    }
    await breathe();
  }
  return {
    terminals: touched.size,
    changes: [...changes.values()].toSorted(
      (a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0) || b.terminals - a.terminals,
    ),
  };
}
