import { AgentSettings } from '#contracts/settings/agent.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { parseValue } from '#runtime/parse.ts';
import { withAuthority } from '../authority/open.ts';
import type { AuthorityAt } from '../ports.ts';

const { central, fleet } = AgentSettings.properties;

/** Addresses of the centre that bundles get: by their names in the authority's database. */
const forms = {
  'central-url': central.properties.url,
  'fleet-url': fleet.properties.url,
  'enrolment-url': central.properties.url,
} as const;
export type UrlName = keyof typeof forms;

export interface UrlsOrder extends AuthorityAt {
  readonly urls: { readonly [N in UrlName]?: string | undefined };
}

/** Sets those that are given, for the bundles that are made from now on, and gives all. Faults: USAGE. */
export function setUrls(order: UrlsOrder): Promise<Result<{ readonly [N in UrlName]?: string }>> {
  return withAuthority(order, async ({ store }) =>
    store.exclusively(async () => {
      const names = Object.keys(forms) as UrlName[];
      for (const name of names) {
        const url = order.urls[name];
        if (url === undefined) continue;
        const parsed = parseValue(forms[name], url, 'USAGE');
        if (!parsed.ok) return fail('USAGE', `--${name}: ${url} is no address of this kind.`);
        store.setMeta(name, url);
      }
      const all = names.flatMap((name) => {
        const url = store.meta(name);
        return url === undefined ? [] : [[name, url] as const];
      });
      return ok(Object.fromEntries(all));
    }),
  );
}
