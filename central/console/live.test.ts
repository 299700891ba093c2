import { afterEach, beforeEach, expect, test } from 'vitest';
import { addAccounts, type Desk, deskPassword, openDesk } from '#test/rigs/console-desk.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { MadeUpCentre } from '#test/rigs/made-up-centre.ts';
import {
  alertOf,
  centreState,
  commandRow,
  eventOf,
  hitRow,
  maintenanceOf,
  siteRow,
  terminalRow,
  waveOf,
} from '#test/rigs/made-up-rows.ts';

let centre: MadeUpCentre;
let desk: Desk;
const opened: AbortController[] = [];

beforeEach(async () => {
  centre = new MadeUpCentre();
  for (const site of ['UTO-0001', 'EXA-0001']) centre.show(terminalRow(site), siteRow(site));
  desk = await openDesk({ centre });
  await addAccounts(desk.access, ['UTO']);
});
afterEach(async () => {
  for (const one of opened.splice(0)) one.abort();
  await desk.close();
});

/** What an account hears: names of events with the ids that they are of, until the stream ends. */
async function listen(headers: Record<string, string>): Promise<{ text: string; ended: boolean }> {
  const abort = new AbortController();
  opened.push(abort);
  const answer = await fetch(`${desk.url}/api/v1/live`, { headers, signal: abort.signal });
  const heard = { text: '', ended: false };
  const read = async (): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const chunk of answer.body ?? []) heard.text += decoder.decode(chunk, { stream: true });
  };
  void read().then(
    () => (heard.ended = true),
    () => (heard.ended = true),
  );
  await eventually(() => heard.text.includes('event: heartbeat'));
  return heard;
}

const cookieOf = async (name: string) => ({ cookie: (await desk.signIn(name)).cookie });

test('each hears what is of its bureau, and nothing of another', async () => {
  const all = await listen(await cookieOf('all-viewer'));
  const uto = await listen(await cookieOf('uto-viewer'));
  for (const site of ['EXA-0001', 'UTO-0001']) {
    const n = site === 'UTO-0001' ? 1 : 2;
    centre.tell({ event: 'terminal', data: terminalRow(site) });
    centre.tell({ event: 'site', data: siteRow(site) });
    centre.tell({ event: 'hit', data: hitRow(n, site) });
    centre.tell({ event: 'alert', data: alertOf(n, site) });
    centre.tell({ event: 'maintenance', data: maintenanceOf(n, { layer: 'site', key: site }) });
    centre.tell({ event: 'command', data: commandRow(n, site) });
    centre.tell({ event: 'wave', data: waveOf(n, { title: site }), bureau: site.slice(0, 3) });
    centre.tell({ event: 'event', data: eventOf(n, site) });
  }
  centre.tell({ event: 'wave', data: waveOf(3, { title: 'UTO and EXA' }), bureau: null });
  centre.tell({ event: 'wave', data: waveOf(4, { title: 'of EXA, it is not said' }) });
  centre.tell({ event: 'event', data: { ...eventOf(9, null), text: 'of the centre, EXA' } });
  centre.tell({ event: 'centre', data: centreState() });
  await eventually(() => uto.text.includes('event: centre') && all.text.includes('event: centre'));
  expect(names(uto.text)).toEqual(
    ['terminal', 'site', 'hit', 'alert', 'maintenance', 'command', 'wave', 'event', 'centre'].sort(),
  );
  expect(uto.text).not.toMatch(/\bEXA\b/);
  expect(names(all.text)).toHaveLength(20);
  // Numbers of the whole fleet are not for a bureau.
  expect(uto.text).toContain('"terminals":{"online":1,');
  expect(all.text).toContain('"terminals":{"online":2,');
});

test('when changes were missed, everybody is cut off and comes back for the whole', async () => {
  const heard = await listen(await cookieOf('all-viewer'));
  centre.gap();
  await eventually(() => heard.ended);
  expect(heard.ended).toBe(true);
});

test('whoever loses the right to listen is cut off at once', async () => {
  const cookie = await listen(await cookieOf('uto-operator'));
  const other = await listen(await cookieOf('uto-viewer'));
  await desk.access.accounts.change('uto-operator', { role: 'viewer' }, 'test');
  await eventually(() => cookie.ended);
  expect(other.ended).toBe(false);
});

test('a token listens too, until it is revoked', async () => {
  const by = { name: 'uto-viewer', role: 'viewer', bureau: 'UTO' } as const;
  const made = await desk.access.tokens.make({ title: 'wall', role: 'viewer', days: 1 }, by);
  if (!made.ok) throw new Error(made.fault.detail);
  const heard = await listen({ authorization: `Bearer ${made.value.token}` });
  centre.tell({ event: 'hit', data: hitRow(1, 'UTO-0001') });
  await eventually(() => heard.text.includes('event: hit'));
  await desk.access.tokens.revoke(made.value.row.id, by);
  await eventually(() => heard.ended);
  expect(heard.ended).toBe(true);
});

test('a change with the cookie needs the header, and a token does not', async () => {
  const { cookie } = await desk.signIn('uto-operator');
  const change = async (headers: Record<string, string>): Promise<number> => {
    const answer = await fetch(`${desk.url}/api/v1/maintenance`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({
        scope: { layer: 'bureau', key: 'UTO' },
        from: '2026-01-01T00:00:00Z',
        until: '2026-01-02T00:00:00Z',
        note: '',
      }),
    });
    return answer.status;
  };
  expect(await change({ cookie })).toBe(403);
  expect(await change({ cookie, 'x-checkpost-csrf': 'guessed' })).toBe(403);
  const by = { name: 'uto-operator', role: 'operator', bureau: 'UTO' } as const;
  const made = await desk.access.tokens.make({ title: 'x', role: 'operator', days: 1 }, by);
  expect(await change({ authorization: `Bearer ${made.ok ? made.value.token : ''}` })).toBe(201);
  expect(centre.done).toEqual(['plan by uto-operator']);
});

test('the cookie is for this site, for TLS where others may listen, and no script reads it', async () => {
  const answer = await fetch(`${desk.url}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'uto-viewer', password: deskPassword }),
  });
  const [cookie = ''] = answer.headers.getSetCookie();
  expect(cookie).toMatch(/^checkpost-session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
  const proxied = await openDesk({ centre, settings: { publicUrl: 'https://ops.example' } });
  expect(proxied.access.secure).toBe(true);
  await proxied.close();
  const wide = await openDesk({ centre, settings: { host: '0.0.0.0' } });
  expect(wide.access.secure).toBe(true);
  await wide.close();
});

test('signing in says after how long to try again', async () => {
  const attempt = () =>
    fetch(`${desk.url}/api/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'uto-viewer', password: 'wrong' }),
    });
  for (let n = 0; n < 5; n++) expect((await attempt()).status).toBe(401);
  const refused = await attempt();
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '2']);
});

/** Names of the events but for heartbeats, sorted. */
function names(text: string): string[] {
  return [...text.matchAll(/^event: (\w+)$/gm)]
    .map((found) => found[1] ?? '')
    .filter((name) => name !== 'heartbeat')
    .sort();
}
