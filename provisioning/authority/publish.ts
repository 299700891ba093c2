import type { Registry } from '#contracts/registry.ts';
import type { Site } from '#contracts/enrolment.ts';
import { ok, type Result } from '#contracts/result.ts';
import { writeChanged } from '../files.ts';
import type { AuthorityFiles } from './layout.ts';
import type { AuthorityStore } from './store.ts';

interface TerminalRow {
  readonly terminal: string;
  readonly site: string;
  readonly data: string;
  readonly certificate: string;
  readonly enrolled_at: string;
  readonly revoked_at: string | null;
}

/**
 * Writes the files that others read, registry and revocation list, as the database has them. The database decides; a
 * command killed in between leaves files that the next command brings up to date.
 */
export async function publish(store: AuthorityStore, files: AuthorityFiles): Promise<Result<void>> {
  return store.exclusively(async () => {
    writeChanged(files.registry, `${JSON.stringify(registryOf(store), null, 2)}\n`);
    const revoked = store.meta('revoked');
    if (revoked !== undefined) writeChanged(files.revoked, revoked);
    return ok(undefined);
  });
}

function registryOf(store: AuthorityStore): Registry {
  const bureau = store.meta('bureau') ?? '';
  const rows = store.all<TerminalRow>(
    `SELECT terminal, site, data, certificate, enrolled_at, revoked_at
     FROM terminals JOIN sites ON sites.id = terminals.site ORDER BY terminal`,
  );
  const sites = store
    .all<{ readonly data: string }>('SELECT data FROM sites ORDER BY id')
    .map(({ data }) => JSON.parse(data) as Site);
  return {
    v: 1,
    sites: sites.map(({ id, name, timeZone, latitude, longitude }) => ({
      site: id,
      bureau,
      name,
      timeZone,
      latitude,
      longitude,
    })),
    terminals: rows.map((row) => ({
      terminal: row.terminal,
      bureau,
      site: row.site,
      siteName: (JSON.parse(row.data) as Site).name,
      certificate: row.certificate,
      enrolledAt: row.enrolled_at,
      ...(row.revoked_at === null ? {} : { revokedAt: row.revoked_at }),
    })),
  };
}
