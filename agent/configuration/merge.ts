import {
  layerNames,
  type LayerScope,
  type LayerValues,
  type LimitValues,
  type SettingSource,
} from '#contracts/configuration.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { AgentSettings } from '#contracts/settings/agent.ts';
import { parseSettings } from '#runtime/settings.ts';

/** Who this terminal is, as enrolment wrote it: the layers and limits of others are refused. */
export interface Identity {
  readonly terminal: string;
  readonly bureau: string;
  readonly site: string;
}

export interface Layer {
  readonly scope: LayerScope;
  readonly values: LayerValues;
}

export interface Limits {
  readonly version: number;
  readonly scope: LayerScope;
  readonly values: LimitValues;
}

/** The settings that are to run, and who set each that is not a default, by its dotted path. */
export interface Effective {
  readonly settings: AgentSettings;
  readonly sources: ReadonlyMap<string, SettingSource>;
}

/** What enrolment wrote: the settings with their defaults, and the dotted paths that stand in the file. */
export interface Enrolled {
  readonly settings: AgentSettings;
  readonly given: readonly string[];
}

export function covers(scope: LayerScope, { terminal, bureau, site }: Identity): boolean {
  switch (scope.layer) {
    case 'fleet':
      return true;
    case 'bureau':
      return scope.key === bureau;
    case 'site':
      return scope.key === site;
    case 'terminal':
    default:
      return scope.key === terminal;
  }
}

/** A scope in words: `the fleet`, `site UTO-0001`. */
export function scopeWords(scope: LayerScope): string {
  return scope.layer === 'fleet' ? 'the fleet' : `${scope.layer} ${scope.key}`;
}

/** `fleet`, `bureau:UTO` …: the same for the same scope. */
export function scopeKey(scope: LayerScope): string {
  return scope.layer === 'fleet' ? 'fleet' : `${scope.layer}:${scope.key}`;
}

/** The dotted paths of the values in a tree of groups; a list is one value. */
export function pathsIn(tree: unknown): string[] {
  return leaves(tree).map(([path]) => path.join('.'));
}

/**
 * Lays layers over what enrolment wrote, from the fleet to the terminal, and the limits over all, the narrowest last;
 * value by value. The whole is checked as if it stood in the file. Fault: CONFIGURATION_INVALID.
 */
export function merge(
  enrolled: Enrolled,
  layers: readonly Layer[],
  limits: readonly Limits[],
  check: (settings: AgentSettings) => Result<unknown>,
): Result<Effective> {
  const merged: unknown = structuredClone(enrolled.settings);
  const sources = new Map<string, SettingSource>(enrolled.given.map((path) => [path, 'enrolled']));
  const lay = (values: unknown, source: SettingSource): void => {
    for (const [path, value] of leaves(values)) {
      put(merged, path, value);
      sources.set(path.join('.'), source);
    }
  };
  for (const { scope, values } of narrowestLast(layers)) lay(values, scope.layer);
  for (const { values } of narrowestLast(limits)) lay(values, 'limits');
  const parsed = parseSettings(AgentSettings, merged, 'the merged settings');
  if (!parsed.ok) return invalid(parsed.fault.detail);
  const checked = check(parsed.value);
  if (!checked.ok) return invalid(checked.fault.detail);
  return ok({ settings: parsed.value, sources });
}

export function valueAt(settings: AgentSettings, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((at, name) => (at as Readonly<Record<string, unknown>> | undefined)?.[name], settings);
}

function invalid(detail: string): Result<never> {
  return fail('CONFIGURATION_INVALID', detail);
}

function narrowestLast<T extends { readonly scope: LayerScope }>(all: readonly T[]): T[] {
  const rank = ({ scope }: T): number => layerNames.indexOf(scope.layer);
  return all.toSorted((a, b) => rank(a) - rank(b));
}

function leaves(tree: unknown, prefix: readonly string[] = []): [readonly string[], unknown][] {
  if (!isGroup(tree)) return prefix.length === 0 ? [] : [[prefix, tree]];
  return Object.entries(tree).flatMap(([name, inner]) => leaves(inner, [...prefix, name]));
}

function put(tree: unknown, path: readonly string[], value: unknown): void {
  const [name, ...rest] = path;
  if (!isGroup(tree) || name === undefined) return;
  if (rest.length === 0) tree[name] = value;
  else put((tree[name] ??= {}), rest, value);
}

function isGroup(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
