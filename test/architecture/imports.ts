import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

/** The imports of the whole tree, as its files state them: what the rules of the house are checked against. */
export const root = resolve(import.meta.dirname, '../..');

export const rooms = [
  'contracts',
  'formats',
  'runtime',
  'agent',
  'uplink',
  'central',
  'provisioning',
  'bin',
  'bench',
  'test',
];
/** Folders of checks and files for the machine; they hold tests only. */
export const shelves = ['systemd', 'firmware-config'];

export interface Import {
  /** The importing file, from the root. */
  readonly from: string;
  /** The imported file from the root, `node:x`, or a package's name. */
  readonly to: string;
  /** Whether only types are imported. */
  readonly typeOnly: boolean;
}

export function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

const statement =
  /(?:^|\n)\s*(?:import|export)\s+(type\s+)?(?:[^'"();]*?\s+from\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

export function importsOf(file: string, text = readFileSync(join(root, file), 'utf8')): Import[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  return [...code.matchAll(statement)].map((match) => ({
    from: file,
    to: target(file, match[2] ?? match[3] ?? ''),
    typeOnly: match[1] !== undefined,
  }));
}

function target(from: string, specifier: string): string {
  if (specifier.startsWith('#')) return specifier.slice(1);
  if (specifier.startsWith('.')) return relative(root, resolve(root, dirname(from), specifier));
  if (specifier.startsWith('node:')) return specifier;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** The first folder of a file of ours: its room; a package has none. */
export function roomOf(file: string): string | undefined {
  const first = file.split('/')[0] ?? '';
  return file.includes('/') && !file.startsWith('node:') && [...rooms, ...shelves].includes(first)
    ? first
    : undefined;
}

export function isTest(file: string): boolean {
  return /\.test\.tsx?$/.test(file) || file.startsWith('test/');
}
