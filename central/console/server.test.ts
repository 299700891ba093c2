import { gunzipSync } from 'node:zlib';
import { get } from 'node:http';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EventReader } from '#test/rigs/event-source.ts';
import { alertOf, hitRow, siteRow, terminalRow } from '#test/rigs/made-up-rows.ts';
import { MadeUpCentre } from '#test/rigs/made-up-centre.ts';
import { type Desk, openDesk } from '#test/rigs/console-desk.ts';

let centre: MadeUpCentre;
let desk: Desk;
let folder: string;

beforeEach(async () => {
  centre = new MadeUpCentre();
  for (const site of ['UTO-0001', 'EXA-0001']) centre.show(terminalRow(site), siteRow(site));
  folder = mkdtempSync(join(tmpdir(), 'checkpost-page-'));
  mkdirSync(join(folder, 'assets'));
  writeFileSync(join(folder, 'index.html'), '<p>page</p>');
  writeFileSync(join(folder, 'assets/a.js'), `// ${'x'.repeat(5000)}`);
  desk = await openDesk({ centre, pageDir: folder, settings: { access: 'open' } });
});
afterEach(async () => {
  await desk.close();
  rmSync(folder, { recursive: true });
});

test('the fleet is one answer, compressed where the client takes it', async () => {
  for (let n = 2; n < 40; n++) centre.show(terminalRow(`UTO-00${n + 10}`), siteRow(`UTO-00${n + 10}`));
  const plain = await raw(`${desk.url}/api/v1/fleet`, {});
  const packed = await raw(`${desk.url}/api/v1/fleet`, { 'accept-encoding': 'br, gzip;q=0.5' });
  expect(plain.headers['content-encoding']).toBeUndefined();
  expect(packed.headers['content-encoding']).toBe('gzip');
  expect(packed.body.length).toBeLessThan(plain.body.length / 4);
  expect(JSON.parse(gunzipSync(packed.body).toString())).toEqual(JSON.parse(plain.body.toString()));
  expect(JSON.parse(plain.body.toString())).toMatchObject({
    sites: { length: 40 },
    terminals: { length: 40 },
  });
});

test('a client that refuses gzip gets none', async () => {
  const answer = await raw(`${desk.url}/assets/a.js`, { 'accept-encoding': 'gzip;q=0, br' });
  expect(answer.headers['content-encoding']).toBeUndefined();
});

test('files of the page are compressed, and not sent again to whoever has them', async () => {
  const first = await raw(`${desk.url}/assets/a.js`, { 'accept-encoding': 'gzip' });
  expect(first.body.length).toBeLessThan(200);
  expect(gunzipSync(first.body).toString()).toContain('xxx');
  const again = await fetch(`${desk.url}/assets/a.js`, {
    headers: { 'if-none-match': String(first.headers['etag']) },
  });
  expect(again.status).toBe(304);
});

test('the page may run nothing but what this server sent', async () => {
  const page = await fetch(desk.url);
  expect(await page.text()).toBe('<p>page</p>');
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'");
});

describe('what does not fit is refused with a code, what it is and what to do', () => {
  test.each([
    ['an unknown route', 'GET', '/api/v1/nothing', undefined, 404, 'NOT_FOUND'],
    ['another method', 'PUT', '/api/v1/fleet', undefined, 405, 'REQUEST_INVALID'],
    ['an unknown member of the query', 'GET', '/api/v1/hits?colour=red', undefined, 400, 'REQUEST_INVALID'],
    ['a limit that is no number', 'GET', '/api/v1/hits?limit=many', undefined, 400, 'REQUEST_INVALID'],
    ['a limit that is too high', 'GET', '/api/v1/hits?limit=1001', undefined, 400, 'REQUEST_INVALID'],
    ['an id that is none', 'POST', '/api/v1/alerts/first/acknowledge', '{"note":""}', 400, 'REQUEST_INVALID'],
    ['a name that is broken', 'GET', '/api/v1/terminals/%E0%A4%A', undefined, 400, 'REQUEST_INVALID'],
    ['a body that is not JSON', 'POST', '/api/v1/maintenance', '{', 400, 'REQUEST_INVALID'],
    ['a body that does not fit', 'POST', '/api/v1/maintenance', '{}', 400, 'REQUEST_INVALID'],
    [
      'a body that is too long',
      'POST',
      '/api/v1/maintenance',
      `{"note":"${'x'.repeat(300_000)}"}`,
      400,
      'REQUEST_INVALID',
    ],
    ['a row that is not there', 'GET', '/api/v1/terminals/NOBODY', undefined, 404, 'NOT_FOUND'],
  ])('%s', async (_, method, path, body, status, code) => {
    const answer = await fetch(`${desk.url}${path}`, {
      method,
      ...(body !== undefined && { body, headers: { 'content-type': 'application/json' } }),
    });
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({
      code,
      what: expect.any(String),
      detail: expect.any(String),
      remedy: expect.any(String),
    });
  });

  test('a change that another page made in the browser', async () => {
    const answer = await fetch(`${desk.url}/api/v1/alerts/1/acknowledge`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: 'http://elsewhere.example' },
      body: '{"note":""}',
    });
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ code: 'REQUEST_CROSS_SITE' });
  });

  test('a name that is not of this server', async () => {
    const answer = await raw(`${desk.url}/api/v1/fleet`, { host: 'elsewhere.example' });
    expect(answer.status).toBe(403);
  });
});

test('live events begin with a heartbeat, and tell each row that changes from then on', async () => {
  const reader = await EventReader.connect(`${desk.url}/api/v1/live`);
  try {
    await reader.next('heartbeat', () => true);
    centre.raise(hitRow(3, 'UTO-0001'));
    centre.tell({ event: 'alert', data: alertOf(1, 'UTO-0001') });
    await reader.next('alert', () => true);
    expect(reader.events.map(({ event }) => event)).toEqual(['heartbeat', 'hit', 'alert']);
    expect(reader.events[1]?.data).toEqual(hitRow(3, 'UTO-0001'));
  } finally {
    reader.close();
  }
});

test('closing ends the live events of every page', async () => {
  const reader = await EventReader.connect(`${desk.url}/api/v1/live`);
  await reader.next('heartbeat', () => true);
  await desk.server.close();
  await expect(fetch(`${desk.url}/api/v1/fleet`)).rejects.toThrow();
  reader.close();
});

test('the metrics are text that Prometheus takes', async () => {
  const response = await fetch(`${desk.url}/metrics`);
  expect(response.headers.get('content-type')).toContain('text/plain; version=0.0.4');
  expect(await response.text()).toBe('checkpost_terminals 2\n');
});

test('an open console is refused on an address that other machines reach', async () => {
  await expect(
    openDesk({ centre, pageDir: folder, settings: { access: 'open', host: '0.0.0.0' } }),
  ).rejects.toThrow('SETTINGS_INVALID');
});

test('an open console is refused where a proxy brings in other machines', async () => {
  await expect(
    openDesk({ centre, pageDir: folder, settings: { access: 'open', publicUrl: 'https://ops.example' } }),
  ).rejects.toThrow('SETTINGS_INVALID');
});

function raw(
  url: string,
  headers: Record<string, string>,
): Promise<{ status: number | undefined; headers: Record<string, unknown>; body: Buffer }> {
  return new Promise((resolve, reject) => {
    get(url, { headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    }).on('error', reject);
  });
}
