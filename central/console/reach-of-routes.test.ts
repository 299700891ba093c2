import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Role, roles } from '#contracts/api/accounts.ts';
import type { RouteName } from '#contracts/api/calls.ts';
import type { ApiRoute } from '#contracts/api/route.ts';
import { routes } from '#contracts/api/routes.ts';
import { addAccounts, type Browser, deskPassword, type Desk, openDesk } from '#test/rigs/console-desk.ts';
import { MadeUpCentre } from '#test/rigs/made-up-centre.ts';
import {
  alertOf,
  commandRow,
  eventOf,
  hitRow,
  layerOf,
  madeUpTime,
  madeUpUuid,
  maintenanceOf,
  minutesBefore,
  siteRow,
  terminalRow,
  waveOf,
} from '#test/rigs/made-up-rows.ts';

/**
 * Every route by everybody: three roles over all bureaus, the same three of the bureau UTO, and nobody. Each route is
 * asked for something of UTO, of EXA, or of the whole fleet; the table says what an identity of UTO gets, and its role
 * and the table of routes say the rest.
 */
interface Ask {
  /** What stands in the place of `{…}`. */
  readonly place?: string | (() => Promise<string>);
  readonly query?: string;
  readonly body?: unknown;
  /** For an identity of UTO whose role is enough: `mine` is as for everybody. */
  readonly bound: 'mine' | 'hidden' | 'refused';
}

const utoScope = { layer: 'site', key: 'UTO-0001' };
const exaScope = { layer: 'site', key: 'EXA-0001' };
const layer = (scope: unknown) => ({ scope, base: 0, values: {}, note: '' });
const planned = (scope: unknown) => ({ scope, from: madeUpTime, until: minutesBefore(-60), note: '' });
const wave = (...terminals: string[]) => ({
  title: 'All',
  terminals,
  action: { kind: 'command', command: { kind: 'report-now' } },
  first: 1,
  pauseSeconds: 0,
  stopAfter: 1,
  timeoutSeconds: 60,
});
const envelope = (payload: unknown) => ({
  envelope: {
    payloadType: 'application/json',
    payload: Buffer.from(JSON.stringify(payload)).toString('base64'),
    signatures: [{ keyid: 'k', sig: 's' }],
  },
});
const command = { command: { kind: 'report-now' } };

let desk: Desk;
const centre = new MadeUpCentre();

/** Makes an account anew to be changed or removed. */
async function target(bureau: 'UTO' | 'EXA'): Promise<string> {
  const name = `${bureau.toLowerCase()}-target`;
  const there = await desk.access.accounts.get(name);
  if (there.ok && there.value !== undefined) return name;
  await desk.access.accounts.add({ name, role: 'viewer', bureau, password: deskPassword }, 'test');
  return name;
}

async function token(bureau: 'UTO' | 'EXA'): Promise<string> {
  const by = { name: `${bureau.toLowerCase()}-operator`, role: 'operator', bureau } as const;
  const made = await desk.access.tokens.make({ title: 'test', role: 'viewer', days: 1 }, by);
  return made.ok ? String(made.value.row.id) : '';
}

let fresh = 0;
const newAccount = (bureau: string | null) => ({
  get name() {
    return `made-${++fresh}`;
  },
  role: 'viewer',
  bureau,
  password: deskPassword,
});

const one: Ask = { bound: 'mine' };
const ofTerminal = (more: Omit<Ask, 'bound'> = {}): Ask[] => [
  { ...more, place: 'UTO-0001-1', bound: 'mine' },
  { ...more, place: 'EXA-0001-1', bound: 'hidden' },
];
const listed: Ask[] = [
  one,
  { query: '?terminal=UTO-0001-1', bound: 'mine' },
  { query: '?terminal=EXA-0001-1', bound: 'hidden' },
];
const ofAlert = (body: unknown): Ask[] => [
  { place: '1', body, bound: 'mine' },
  { place: '2', body, bound: 'hidden' },
  // The centre's own: seen by all, changed by those over all alone.
  { place: '3', body, bound: 'refused' },
];
const ofScope = (make: (scope: unknown) => unknown): Ask[] => [
  { body: make(utoScope), bound: 'mine' },
  { body: make({ layer: 'bureau', key: 'UTO' }), bound: 'mine' },
  { body: make({ layer: 'terminal', key: 'UTO-0001-1' }), bound: 'mine' },
  { body: make(exaScope), bound: 'refused' },
  { body: make({ layer: 'bureau', key: 'EXA' }), bound: 'refused' },
  { body: make({ layer: 'terminal', key: 'EXA-0001-1' }), bound: 'refused' },
  { body: make({ layer: 'fleet' }), bound: 'refused' },
];
const ofWave: Ask[] = [
  { place: madeUpUuid(1), bound: 'mine' },
  { place: madeUpUuid(2), bound: 'hidden' },
  // Over both bureaus.
  { place: madeUpUuid(3), bound: 'hidden' },
];

const table: { readonly [K in Exclude<RouteName, `${string} /api/v1/session${string}`>]: readonly Ask[] } = {
  'GET /api/v1/tokens': [one],
  'POST /api/v1/tokens': [{ body: { title: 'x', role: 'viewer', days: 1 }, bound: 'mine' }],
  'DELETE /api/v1/tokens/{id}': [],
  'GET /api/v1/accounts': [one],
  'POST /api/v1/accounts': [
    { body: newAccount('UTO'), bound: 'mine' },
    { body: newAccount('EXA'), bound: 'refused' },
    { body: newAccount(null), bound: 'refused' },
  ],
  'PATCH /api/v1/accounts/{name}': [
    { place: () => target('UTO'), body: { role: 'viewer' }, bound: 'mine' },
    { place: () => target('UTO'), body: { bureau: null }, bound: 'refused' },
    { place: () => target('EXA'), body: { role: 'viewer' }, bound: 'hidden' },
    { place: () => target('EXA'), body: { bureau: 'EXA' }, bound: 'hidden' },
  ],
  'DELETE /api/v1/accounts/{name}': [
    { place: () => target('UTO'), bound: 'mine' },
    { place: () => target('EXA'), bound: 'hidden' },
    { place: 'all-viewer', bound: 'hidden' },
  ],
  'GET /api/v1/audit': [one],
  'GET /api/v1/fleet': [one],
  'GET /api/v1/live': [one],
  'GET /api/v1/terminals/{id}': ofTerminal(),
  'GET /api/v1/terminals/{id}/series': ofTerminal({
    query: `?metric=load&from=${minutesBefore(60)}&to=${madeUpTime}`,
  }),
  'GET /api/v1/events': [...listed, { query: '?site=EXA-0001', bound: 'hidden' }],
  'GET /api/v1/hits': listed,
  'GET /api/v1/centre': [one],
  'GET /api/v1/bundles': listed,
  'GET /api/v1/bundles/{id}': [
    { place: madeUpUuid(11), bound: 'mine' },
    { place: madeUpUuid(12), bound: 'hidden' },
    // A terminal gives its bundles their ids itself: two bureaus have begun one of the same.
    { place: madeUpUuid(13), bound: 'hidden' },
  ],
  'GET /api/v1/alerts': [...listed, { query: '?site=EXA-0001', bound: 'hidden' }],
  'POST /api/v1/alerts/{id}/acknowledge': ofAlert({ note: '' }),
  'POST /api/v1/alerts/{id}/silence': ofAlert({ minutes: 5, note: '' }),
  'GET /api/v1/maintenance': [one],
  'POST /api/v1/maintenance': ofScope(planned),
  'DELETE /api/v1/maintenance/{id}': [
    { place: '1', bound: 'mine' },
    { place: '2', bound: 'hidden' },
    // Of the whole fleet: it explains what a bureau sees.
    { place: '3', bound: 'refused' },
  ],
  'GET /api/v1/layers': [one],
  'GET /api/v1/layers/schema': [one],
  'POST /api/v1/layers/preview': ofScope(layer),
  'PUT /api/v1/layers': ofScope(layer),
  'PUT /api/v1/limits': ofScope((scope) => envelope({ v: 1, scope })),
  'PUT /api/v1/uplinks': [
    { body: envelope({ terminal: 'UTO-0001-1' }), bound: 'mine' },
    { body: envelope({ terminal: 'EXA-0001-1' }), bound: 'refused' },
  ],
  'GET /api/v1/terminals/{id}/configuration': ofTerminal(),
  'POST /api/v1/terminals/{id}/commands': ofTerminal({ body: command }),
  'GET /api/v1/commands': listed,
  'GET /api/v1/waves': [one],
  'POST /api/v1/waves': [
    { body: wave('UTO-0001-1'), bound: 'mine' },
    { body: wave('UTO-0001-1', 'EXA-0001-1'), bound: 'refused' },
    { body: wave('NOBODY'), bound: 'refused' },
  ],
  'GET /api/v1/waves/{id}': ofWave,
  'POST /api/v1/waves/{id}/stop': ofWave,
  'GET /api/v1/openapi.json': [one],
};

const people = [null, 'UTO'].flatMap((bureau) =>
  roles.map((role) => ({ role, bureau, name: `${(bureau ?? 'all').toLowerCase()}-${role}` })),
);
const browsers = new Map<string, Browser>();

beforeAll(async () => {
  desk = await openDesk({ centre });
  await addAccounts(desk.access, ['UTO', 'EXA']);
  for (const { name } of people) browsers.set(name, await desk.signIn(name));
  for (const [n, site] of [
    [1, 'UTO-0001'],
    [2, 'EXA-0001'],
  ] as const) {
    centre.show(terminalRow(site), siteRow(site));
    centre.hitRows.push(hitRow(n, site));
    centre.eventRows.push(eventOf(n, site));
    centre.alertRows.set(n, alertOf(n, site));
    centre.maintenanceRows.set(n, maintenanceOf(n, { layer: 'site', key: site }));
    centre.commandRows.push(commandRow(n + 20, site));
    centre.layerRows.push(layerOf({ layer: 'site', key: site }));
    centre.waveRows.set(madeUpUuid(n), { wave: waveOf(n, { title: site }), bureau: site.slice(0, 3) });
    const complete = { at: madeUpTime, bytes: 6, complete: true };
    centre.bundleRows.push({ id: madeUpUuid(n + 10), terminal: `${site}-1`, ...complete });
    centre.bundleRows.push({ id: madeUpUuid(13), terminal: `${site}-1`, ...complete });
  }
  centre.alertRows.set(3, alertOf(3, null));
  centre.maintenanceRows.set(3, maintenanceOf(3, { layer: 'fleet' }));
  centre.layerRows.push(layerOf({ layer: 'fleet' }));
  centre.waveRows.set(madeUpUuid(3), { wave: waveOf(3, { title: 'EXA and UTO' }), bureau: null });
});
afterAll(() => desk.close());

const asks = Object.entries(table).flatMap(([name, given]) =>
  given.map((ask, n) => ({ name, ask, title: `${name} (${n + 1})` })),
);

describe.each(people)('$name', ({ name: who, role, bureau }) => {
  test.each(asks)('$title', async ({ name, ask }) => {
    const route: ApiRoute = routes[name as RouteName];
    const before = centre.done.length;
    const { status, text } = await send(browsers.get(who), name, ask);
    const expected = !enough(role, route.role)
      ? 403
      : bureau === null || ask.bound === 'mine'
        ? route.status
        : ask.bound === 'hidden'
          ? 404
          : 403;
    expect([status, text.slice(0, 300)]).toEqual([expected, expect.anything()]);
    if (status >= 400) expect(centre.done).toHaveLength(before);
    // Not one word of another bureau, wherever it stands in an answer.
    if (bureau === 'UTO' && name !== 'GET /api/v1/openapi.json') expect(text).not.toMatch(/\bEXA\b|\bexa-/);
    if (bureau === null && status === 200 && lists.has(name) && ask.query === undefined)
      expect(text).toMatch(/\bEXA\b|\bexa-/);
  });
});

/** Lists that hold rows of both bureaus. */
const lists = new Set([
  'GET /api/v1/fleet',
  'GET /api/v1/events',
  'GET /api/v1/hits',
  'GET /api/v1/alerts',
  'GET /api/v1/maintenance',
  'GET /api/v1/layers',
  'GET /api/v1/commands',
  'GET /api/v1/waves',
  'GET /api/v1/bundles',
  'GET /api/v1/accounts',
  'GET /api/v1/audit',
]);

describe('nobody', () => {
  test.each(asks)('$title', async ({ name, ask }) => {
    const route: ApiRoute = routes[name as RouteName];
    const { status } = await send(undefined, name, ask);
    expect(status).toBe(route.role === 'anybody' ? 200 : 401);
  });
});

test('a token of another bureau is not there, and one of the own bureau is revoked by its administrator', async () => {
  const revoke = async (who: string, id: string) =>
    (await browsers.get(who)?.ask('DELETE', `/api/v1/tokens/${id}`))?.status;
  expect(await revoke('uto-administrator', await token('EXA'))).toBe(404);
  expect(await revoke('uto-viewer', await token('UTO'))).toBe(404);
  expect(await revoke('uto-administrator', await token('UTO'))).toBe(204);
  expect(await revoke('all-administrator', await token('EXA'))).toBe(204);
});

function enough(role: Role, needed: ApiRoute['role']): boolean {
  return needed === 'anybody' || roles.indexOf(role) >= roles.indexOf(needed);
}

async function send(
  browser: Browser | undefined,
  name: string,
  { place = '', query = '', body }: Ask,
): Promise<{ status: number; text: string }> {
  const [method = '', path = ''] = name.split(' ');
  const value = typeof place === 'string' ? place : await place();
  const address = `${path.replace(/\{\w+\}/, encodeURIComponent(value))}${query}`;
  const answer =
    browser === undefined
      ? await fetch(`${desk.url}${address}`, {
          method,
          headers: { ...(body !== undefined && { 'content-type': 'application/json' }) },
          ...(body !== undefined && { body: JSON.stringify(body) }),
        })
      : await browser.ask(method, address, body);
  if (answer.headers.get('content-type')?.startsWith('text/event-stream')) {
    await answer.body?.cancel();
    return { status: answer.status, text: 'live' };
  }
  return { status: answer.status, text: `${await answer.text()} ` };
}
