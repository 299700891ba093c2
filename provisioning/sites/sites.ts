import { Site } from '#contracts/enrolment.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { instant } from '#runtime/clock.ts';
import { parseValue } from '#runtime/parse.ts';
import { withAuthority } from '../authority/open.ts';
import type { AuthorityStore } from '../authority/store.ts';
import type { AuthorityAt, Parts } from '../ports.ts';

/** A terminal of a site: enrolled, revoked, or not yet. */
export interface SiteTerminal {
  readonly terminal: string;
  readonly state: 'not-enrolled' | 'bundle-made' | 'enrolled' | 'revoked';
  readonly enrolledAt: string | null;
  readonly revokedAt: string | null;
}

export interface SiteDetails extends Site {
  readonly stands: readonly SiteTerminal[];
}

/** Adds a site. SITE_EXISTS where there is one under this id, unless it is the very same. */
export function addSite(order: AuthorityAt & { readonly site: Site }, parts: Parts): Promise<Result<Site>> {
  return withAuthority(order, async ({ bureau, store }) => {
    const parsed = parseValue(Site, order.site, 'USAGE');
    if (!parsed.ok) return parsed;
    const site = parsed.value;
    const wrong = complaint(site, bureau);
    if (wrong !== undefined) return fail('USAGE', wrong);
    return store.exclusively(async () => {
      const before = findSite(store, site.id);
      if (before !== undefined && JSON.stringify(before) === JSON.stringify(site)) return ok(site);
      if (before !== undefined) return fail('SITE_EXISTS', `${site.id} is there with other data.`);
      const at = instant(parts.clock.wall());
      store.run('INSERT INTO sites (id, data, added_at) VALUES (?, ?, ?)', site.id, JSON.stringify(site), at);
      return ok(site);
    });
  });
}

function complaint(site: Site, bureau: string): string | undefined {
  if (!site.id.startsWith(`${bureau}-`))
    return `This is the authority of ${bureau}: its sites are ${bureau}-0001 and so on.`;
  if (site.name.trim() === '') return 'The name of the site is blank.';
  if ((site.latitude === null) !== (site.longitude === null))
    return 'Give both --latitude and --longitude, or neither.';
  return isTimeZone(site.timeZone)
    ? undefined
    : `${site.timeZone} is not an IANA time zone, for example Asia/Bishkek.`;
}

function isTimeZone(name: string): boolean {
  try {
    return Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

export function listSites(at: AuthorityAt): Promise<Result<SiteDetails[]>> {
  return withAuthority(at, async ({ store }) => {
    const rows = store.all<{ data: string }>('SELECT data FROM sites ORDER BY id');
    return ok(rows.map((row) => details(store, JSON.parse(row.data) as Site)));
  });
}

export function showSite(order: AuthorityAt & { readonly id: string }): Promise<Result<SiteDetails>> {
  return withAuthority(order, async ({ store }) => {
    const site = findSite(store, order.id);
    return site === undefined
      ? fail('SITE_UNKNOWN', 'See the list for those that there are.')
      : ok(details(store, site));
  });
}

export function findSite(store: AuthorityStore, id: string): Site | undefined {
  const row = store.get<{ data: string }>('SELECT data FROM sites WHERE id = ?', id);
  return row === undefined ? undefined : (JSON.parse(row.data) as Site);
}

/** The id of a site's n-th terminal, from 1. */
export function terminalId(site: string, n: number): string {
  return `${site}-${n}`;
}

function details(store: AuthorityStore, site: Site): SiteDetails {
  const stands = Array.from({ length: site.terminals }, (_, i) => stand(store, terminalId(site.id, i + 1)));
  return { ...site, stands };
}

function stand(store: AuthorityStore, terminal: string): SiteTerminal {
  const row = store.get<{ enrolled_at: string; revoked_at: string | null }>(
    'SELECT enrolled_at, revoked_at FROM terminals WHERE terminal = ?',
    terminal,
  );
  const made = store.get(
    'SELECT 1 FROM tokens WHERE terminal = ? AND used_at IS NULL AND voided_at IS NULL',
    terminal,
  );
  if (row === undefined) {
    return {
      terminal,
      state: made === undefined ? 'not-enrolled' : 'bundle-made',
      enrolledAt: null,
      revokedAt: null,
    };
  }
  const state = row.revoked_at === null ? 'enrolled' : 'revoked';
  return { terminal, state, enrolledAt: row.enrolled_at, revokedAt: row.revoked_at };
}
