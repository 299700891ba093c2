import { readFileSync } from 'node:fs';
import type { Result } from '#contracts/result.ts';
import type { CentralSettings } from '#contracts/settings/central.ts';
import { type Clock, instant } from '#runtime/clock.ts';
import { systemCode } from '#runtime/errors.ts';
import { sourceOf } from './ends.ts';
import { copiedRooms } from './fill.ts';
import { type FileLine, formatVersion, type Header } from './format.ts';
import { writeDump } from './dump.ts';
import { withoutPassword } from './postgres-side.ts';
import { attempt, refuse } from './side.ts';

export interface BackupWhat {
  readonly settings: CentralSettings;
  /** The configuration file itself, where it and the registry are to be in the backup. */
  readonly withFiles?: string;
  readonly out: string;
}

export interface BackedUp {
  readonly file: string;
  readonly at: string;
  /** Rows of each table. */
  readonly rows: Readonly<Record<string, number>>;
  /** What must be kept by other means. */
  readonly beside: Header['beside'];
}

/**
 * Writes all that the centre's database holds at this moment into one file, while the centre runs. Faults: FILE_REFUSED,
 * STORE_CORRUPT, STORE_FAILED, STORE_UNREACHABLE, BACKUP_INVALID where the file cannot be read again.
 */
export function backup(
  { settings, withFiles, out }: BackupWhat,
  parts: { readonly clock: Clock; readonly release: string; readonly signal?: AbortSignal },
): Promise<Result<BackedUp>> {
  const side = sourceOf(settings);
  return attempt([side], async () => {
    const files = withFiles === undefined ? [] : filesOf(withFiles, settings);
    await side.begin('read');
    const rooms = await copiedRooms(side);
    const header: Header = {
      checkpost: 'backup',
      v: formatVersion,
      at: instant(parts.clock.wall()),
      release: parts.release,
      kind: side.kind,
      rooms: Object.fromEntries(rooms),
      beside: besideOf(settings),
    };
    const rows = await writeDump(side, header, files, out, parts.signal);
    return { file: out, at: header.at, rows, beside: header.beside };
  });
}

function besideOf(settings: CentralSettings): Header['beside'] {
  const { registry, moreRegistries, tls, lookup, editions, controller, console, orders } = settings;
  const paths: readonly (readonly [string, string | undefined])[] = [
    ['registry of terminals', registry],
    ...moreRegistries.map((path) => ['registry of terminals', path] as const),
    ['collection', lookup.collection],
    ['repository of editions', editions?.repository],
    ['authority’s certificates', tls.authority],
    ['certificate of the lookup service', tls.certificate],
    ['private key of the lookup service', tls.key],
    ['certificate of the controller', controller.certificate],
    ['private key of the controller', controller.key],
    ['certificate of the operators’ page', console.tls?.certificate],
    ['private key of the operators’ page', console.tls?.key],
    ['private key of configuration and commands', orders.key],
    ['public keys', orders.trusted],
  ];
  return paths.flatMap(([what, path]) => (path === undefined ? [] : [{ what, path }]));
}

/** Never a private key, and of the configuration never the password of the database. */
function filesOf(config: string, settings: CentralSettings): FileLine[] {
  let text = read(config);
  const { url } = settings.store;
  if (url !== undefined) text = text.replaceAll(JSON.stringify(url), JSON.stringify(withoutPassword(url)));
  return [
    { file: 'central.json', text },
    { file: 'registry.json', text: read(settings.registry) },
    ...settings.moreRegistries.map((path, n) => ({ file: `registry-${n + 2}.json`, text: read(path) })),
  ];
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    return refuse('FILE_REFUSED', `${file} cannot be read (${systemCode(cause) ?? 'unknown'}).`, cause);
  }
}
