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
  if (Check(schema, value)) return ok(resolvePaths(schema, value, dirname(resolve(file))) as Static<S>);
  const lines = new Set<string>();
  for (const error of Errors(schema, value)) {
    for (const line of describe(schema, value, error)) lines.add(line);
  }
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
}

interface Complaint {
  readonly keyword: string;
  readonly instancePath: string;
  readonly message: string;
  readonly params: object;
}

function describe(schema: TSchema, value: unknown, error: Complaint): string[] {
  const path = error.instancePath.split('/').filter((part) => part !== '');
  const params = error.params as { requiredProperties?: string[]; additionalProperties?: string[] };
  if (error.keyword === 'required') {
    return (params.requiredProperties ?? []).map((name) => {
      return `${dotted([...path, name])}: is missing; allowed: ${allowed(nodeAt(schema, [...path, name]))}`;
    });
  }
  if (error.keyword === 'additionalProperties') {
    const known = Object.keys(nodeAt(schema, path)?.properties ?? {});
    return (params.additionalProperties ?? []).map((name) => {
      return `${dotted([...path, name])}: is not a setting; settings here: ${known.join(', ')}`;
    });
  }
  // A property that is unknown makes `additionalProperties: false` complain at its own place too.
  const node = nodeAt(schema, path);
  if (node === undefined) return [];
  return [`${dotted(path)}: found ${show(valueAt(value, path))}; allowed: ${allowed(node)}`];
}

function nodeAt(schema: TSchema, path: readonly string[]): SchemaNode | undefined {
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
  if (node.enum !== undefined) return `one of ${node.enum.join(', ')}`;
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
