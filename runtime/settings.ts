import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Static, TSchema } from 'typebox';
import { Check, Clone, Default, Errors } from 'typebox/value';
import { fail, ok, type Result } from '#contracts/result.ts';
import { systemCode } from './errors.ts';

/**
 * Reads a configuration file by its schema: defaults filled in, relative paths resolved from the file's own folder.
 * The fault lists every wrong setting at once: the file, the setting, what was found and what is allowed.
 */
export function loadSettings<S extends TSchema>(schema: S, file: string): Result<Static<S>> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    return fail('SETTINGS_UNREADABLE', `${file}: ${systemCode(cause) ?? 'cannot be read'}`, cause);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    return fail('SETTINGS_NOT_JSON', `${file}: ${(cause as Error).message}`, cause);
  }
  return parseSettings(schema, value, file);
}

/** The same for a value that is already parsed; `file` is named in faults and is where relative paths begin. */
export function parseSettings<S extends TSchema>(schema: S, given: unknown, file: string): Result<Static<S>> {
  const value = Default(schema, Clone(given));
  const choices = choicesIn(schema, value, []);
  for (const { chosen, value: group } of choices) {
    if (chosen !== undefined) Object.assign(group as object, Default(chosen as TSchema, group));
  }
  if (Check(schema, value)) return ok(resolvePaths(schema, value, dirname(resolve(file))) as Static<S>);
  const lines = new Set<string>();
  for (const error of Errors(schema, value)) {
    // What is wrong inside a choice is said of the alternative that was chosen, not of all the others.
    if (choices.some(({ path }) => `${error.instancePath}/`.startsWith(`/${path.join('/')}/`))) continue;
    for (const line of describe(schema, value, error, [])) lines.add(line);
  }
  for (const choice of choices) for (const line of describeChoice(choice)) lines.add(line);
  return fail('SETTINGS_INVALID', `${file}\n${[...lines].join('\n')}`);
}

export interface SchemaNode {
  readonly type?: string;
  readonly format?: string;
  readonly description?: string;
  readonly unit?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
  readonly const?: unknown;
  /** What is allowed, in words, where the pattern says it badly. */
  readonly words?: string;
}

interface Complaint {
  readonly keyword: string;
  readonly instancePath: string;
  readonly message: string;
  readonly params: object;
}

/** A group of the settings that may be of several kinds, told apart by its member `kind`. */
interface Choice {
  readonly path: readonly string[];
  readonly node: SchemaNode;
  readonly value: unknown;
  /** The alternative of that kind; undefined where there is none. */
  readonly chosen: SchemaNode | undefined;
}

function choicesIn(node: SchemaNode, value: unknown, path: readonly string[]): Choice[] {
  if (node.items !== undefined && Array.isArray(value)) {
    const { items } = node;
    return value.flatMap((item, at) => choicesIn(items, item, [...path, String(at)]));
  }
  if (node.anyOf?.some((one) => kindOf(one) !== undefined)) {
    const kind = (value as { kind?: unknown } | null | undefined)?.kind;
    const chosen = kind === undefined ? undefined : node.anyOf.find((one) => kindOf(one) === kind);
    return [{ path, node, value, chosen }, ...(chosen === undefined ? [] : choicesIn(chosen, value, path))];
  }
  if (node.properties === undefined || typeof value !== 'object' || value === null) return [];
  const members = value as Readonly<Record<string, unknown>>;
  return Object.entries(node.properties).flatMap(([name, inner]) =>
    members[name] === undefined ? [] : choicesIn(inner, members[name], [...path, name]),
  );
}

function kindOf(node: SchemaNode): string | undefined {
  const kind = node.properties?.['kind']?.const;
  return typeof kind === 'string' ? kind : undefined;
}

function describeChoice({ path, node, value, chosen }: Choice): string[] {
  if (chosen !== undefined) {
    return [...Errors(chosen as TSchema, value)].flatMap((error) => describe(chosen, value, error, path));
  }
  const kind = (value as { kind?: unknown } | null)?.kind;
  const kinds = node.anyOf?.map(kindOf).join(', ');
  return [`${dotted([...path, 'kind'])}: found ${show(kind)}; allowed: one of ${kinds}`];
}

function describe(schema: SchemaNode, value: unknown, error: Complaint, prefix: readonly string[]): string[] {
  const path = error.instancePath.split('/').filter((part) => part !== '');
  const named = (...more: readonly string[]): string => dotted([...prefix, ...path, ...more]);
  const params = error.params as { requiredProperties?: string[]; additionalProperties?: string[] };
  if (error.keyword === 'required') {
    return (params.requiredProperties ?? []).map((name) => {
      return `${named(name)}: is missing; allowed: ${allowed(nodeAt(schema, [...path, name]))}`;
    });
  }
  if (error.keyword === 'additionalProperties') {
    const known = Object.keys(nodeAt(schema, path)?.properties ?? {});
    return (params.additionalProperties ?? []).map((name) => {
      return `${named(name)}: is not a setting; settings here: ${known.join(', ')}`;
    });
  }
  // A property that is unknown makes `additionalProperties: false` complain at its own place too.
  const node = nodeAt(schema, path);
  if (node === undefined) return [];
  return [`${named()}: found ${show(valueAt(value, path))}; allowed: ${allowed(node)}`];
}

function nodeAt(schema: SchemaNode, path: readonly string[]): SchemaNode | undefined {
  let node: SchemaNode | undefined = schema;
  for (const part of path)
    node = node?.items !== undefined && /^\d+$/.test(part) ? node.items : node?.properties?.[part];
  return node;
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((at, part) => (at as Record<string, unknown> | undefined)?.[part], value);
}

function dotted(path: readonly string[]): string {
  return path.length === 0 ? 'the whole file' : path.join('.');
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** What a setting may be, in words: also what docs/settings.md says. */
export function allowed(node: SchemaNode | undefined): string {
  if (node === undefined) return 'a value';
  const unit = node.unit === undefined ? '' : ` ${node.unit}`;
  if (node.words !== undefined) return node.words;
  if (node.enum !== undefined) return `one of ${node.enum.join(', ')}`;
  if (node.const !== undefined) return show(node.const);
  if (node.anyOf !== undefined) return `one of ${node.anyOf.map(alternative).join(', ')}`;
  switch (node.type) {
    case 'integer':
      return `a whole number from ${node.minimum} to ${node.maximum}${unit}`;
    case 'string':
      if (node.format === 'checkpost-path') return 'a path';
      return node.pattern === undefined ? 'text' : `text of the form ${node.pattern}`;
    case 'boolean':
      return 'true or false';
    case 'array':
      return `a list${node.maxItems === undefined ? '' : ` of at most ${node.maxItems}`}`;
    default:
      return `a group with ${Object.keys(node.properties ?? {}).join(', ')}`;
  }
}

/** A group in a choice is named by the kind that tells it from the others. */
function alternative(node: SchemaNode): string {
  const kind = kindOf(node);
  return kind === undefined ? allowed(node) : `a group of kind ${kind}`;
}

function resolvePaths(node: SchemaNode, value: unknown, base: string): unknown {
  if (node.format === 'checkpost-path' && typeof value === 'string') return resolve(base, value);
  if (node.items !== undefined && Array.isArray(value))
    return value.map((item) => resolvePaths(node.items ?? {}, item, base));
  if (node.properties === undefined || typeof value !== 'object' || value === null) return value;
  const known = node.properties;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, resolvePaths(known[name] ?? {}, inner, base)]),
  );
}
