import type { LayerScope } from '#contracts/configuration.ts';
import type { RegisteredTerminal } from '#contracts/registry.ts';

/**
 * Name of a layer in the store and in announcements: `fleet`, `bureau:UTO`, `site:UTO-0001` or `terminal:UTO-0001-1`.
 */
export function scopeName(scope: LayerScope): string {
  return scope.layer === 'fleet' ? 'fleet' : `${scope.layer}:${scope.key}`;
}

export function scopeOf(name: string): LayerScope {
  const at = name.indexOf(':');
  const key = name.slice(at + 1);
  switch (name.slice(0, Math.max(0, at))) {
    case 'bureau':
      return { layer: 'bureau', key };
    case 'site':
      return { layer: 'site', key };
    case 'terminal':
      return { layer: 'terminal', key };
    default:
      return { layer: 'fleet' };
  }
}

/** Layers that apply to a terminal, each winning over those before it. */
export function scopesFor(terminal: RegisteredTerminal): readonly string[] {
  return ['fleet', `bureau:${terminal.bureau}`, `site:${terminal.site}`, `terminal:${terminal.terminal}`];
}

export function covers(name: string, terminal: RegisteredTerminal): boolean {
  return scopesFor(terminal).includes(name);
}

/** In words. */
export function scopeTitle(name: string): string {
  const scope = scopeOf(name);
  return scope.layer === 'fleet' ? 'the whole fleet' : `${scope.layer} ${scope.key}`;
}

/** Whose bureau a layer belongs to, where it is one alone. */
export function bureauOf(
  name: string,
  find: (terminal: string) => RegisteredTerminal | undefined,
): string | null {
  const scope = scopeOf(name);
  if (scope.layer === 'fleet') return null;
  if (scope.layer === 'terminal') return find(scope.key)?.bureau ?? null;
  return scope.key.slice(0, 3);
}
