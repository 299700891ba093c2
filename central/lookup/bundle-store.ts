import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Check } from 'typebox/value';
import type { BundleRow } from '#contracts/api/fleet.ts';
import { TerminalId, Uuid } from '#contracts/names.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { instant } from '#runtime/clock.ts';
import { systemCode } from '#runtime/errors.ts';
import { wall } from '#contracts/units.ts';

/** Diagnostic bundles that terminals have sent, as the console lists and hands them out. */
export interface BundleStore {
  /** Newest first; of one terminal, or of all. Also those whose upload has not come to its end. */
  list(terminal?: TerminalId): Promise<BundleRow[]>;
  /** A whole bundle: gzip'd JSON (contracts/bundle.ts). Faults: NOT_FOUND, FILE_REFUSED. */
  read(id: Uuid): Promise<Result<{ readonly row: BundleRow; readonly bytes: Buffer }>>;
}

/** While it is being uploaded; without it, it is whole. */
export const partial = '.part';

export function bundleFile(
  folder: string,
  { terminal, id, complete }: Omit<BundleRow, 'at' | 'bytes'>,
): string {
  return join(folder, terminal, complete ? id : `${id}${partial}`);
}

/** What lies in a folder of bundles: one folder a terminal, one file a bundle. */
export async function scanBundles(folder: string): Promise<BundleRow[]> {
  const rows: BundleRow[] = [];
  for (const terminal of await names(folder))
    if (Check(TerminalId, terminal)) rows.push(...(await rowsOf(folder, terminal)));
  return rows;
}

/** The store on a folder: `rows` gives what lies there. */
export function bundleStore(folder: string, rows: () => Promise<readonly BundleRow[]>): BundleStore {
  return {
    async list(terminal) {
      const chosen = (await rows()).filter((row) => terminal === undefined || row.terminal === terminal);
      return chosen.sort((a, b) => (a.at < b.at ? 1 : -1));
    },
    async read(id) {
      const row = (await rows()).find((one) => one.id === id && one.complete);
      if (row === undefined) return fail('NOT_FOUND', 'There is no whole bundle of this id.');
      const file = bundleFile(folder, row);
      try {
        return ok({ row, bytes: await readFile(file) });
      } catch (cause) {
        return fail('FILE_REFUSED', `${file} cannot be read (${systemCode(cause) ?? 'unknown'}).`, cause);
      }
    },
  };
}

/** The store for a process that does not take bundles itself: it looks into the folder every time. */
export function openBundleStore(state: string): BundleStore {
  const folder = bundlesFolder(state);
  return bundleStore(folder, () => scanBundles(folder));
}

/** The folder of bundles below the folder of the databases. */
export function bundlesFolder(state: string): string {
  return join(state, 'bundles');
}

async function rowsOf(folder: string, terminal: TerminalId): Promise<BundleRow[]> {
  const rows: BundleRow[] = [];
  for (const name of await names(join(folder, terminal))) {
    const complete = !name.endsWith(partial);
    const id = complete ? name : name.slice(0, -partial.length);
    if (!Check(Uuid, id)) continue;
    // One that is removed just now is no fault.
    const found = await stat(join(folder, terminal, name)).catch(() => undefined);
    if (found === undefined) continue;
    rows.push({ id, terminal, at: instant(wall(Math.floor(found.mtimeMs))), bytes: found.size, complete });
  }
  return rows;
}

async function names(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
