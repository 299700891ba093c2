import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from './clock.ts';
import { createLog } from './log.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { type PageServer, readText, sendFault, sendJson, startPageServer } from './page.ts';

describe('a server of a page', () => {
  let folder: string;
  let server: PageServer;
  let logged: string[];
  const start = (port = 0, pageDir = join(folder, 'page')) =>
    startPageServer({
      host: '127.0.0.1',
      port,
      pageDir,
      routes: [
        {
          method: 'POST',
          path: /^\/api\/echo$/,
          async answer({ request, response }) {
            const text = await readText(request, 100);
            if (text.ok) sendJson(response, { length: text.value.length });
            else sendFault(response, text.fault);
          },
        },
        {
          method: 'GET',
          path: /^\/api\/broken$/,
          answer() {
            throw new Error('secret');
          },
        },
      ],
      log: createLog('debug', 'test', { write: (line) => logged.push(line) }),
      clock: systemClock,
      onClose() {},
    });

  beforeEach(async () => {
    logged = [];
    folder = mkdtempSync(join(tmpdir(), 'checkpost-page-'));
    mkdirSync(join(folder, 'page/assets'), { recursive: true });
    writeFileSync(join(folder, 'page/index.html'), '<!doctype html>');
    writeFileSync(join(folder, 'page/assets/a.js'), '1');
    writeFileSync(join(folder, 'secret.html'), 'secret');
    const started = await start();
    if (!started.ok) throw new Error(started.fault.detail);
    server = started.value;
  });
  afterEach(async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** As the bytes are, without a client that tidies paths and headers. */
  const ask = (path: string, headers: Record<string, string> = {}, method = 'GET', body?: string) =>
    new Promise<{ status: number; headers: Record<string, unknown>; text: string }>((done, failed) => {
      const { port } = new URL(server.url);
      const asked = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => done({ status: response.statusCode ?? 0, headers: response.headers, text }));
      });
      asked.on('error', failed);
      asked.end(body);
    });
  const json = { 'content-type': 'application/json' };

  test('serves the page with a policy that lets nothing run but what it sent', async () => {
    const { status, headers, text } = await ask('/');
    expect([status, text]).toEqual([200, '<!doctype html>']);
    expect(headers['content-security-policy']).toContain("default-src 'none'; script-src 'self'");
    expect(headers['content-security-policy']).not.toContain('unsafe');
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect((await ask('/', { 'if-none-match': String(headers['etag']) })).status).toBe(304);
    expect((await ask('/assets/a.js')).headers['cache-control']).toContain('immutable');
  });

  test.each(['/../secret.html', '/%2e%2e/secret.html', '/assets/../../secret.html', '//secret.html', '/x'])(
    'has nothing at %s',
    async (path) => {
      const { status, text } = await ask(path);
      expect(status).toBe(404);
      expect(JSON.parse(text)).toMatchObject({ code: 'NOT_FOUND', remedy: 'Check the address.' });
    },
  );

  test.each(['evil.example', 'evil.example:8700', 'localhost.evil.example', 'evil example'])(
    'refuses the name %j, which is not its own, so that no other page can pass as this one',
    async (host) => {
      const { status, text } = await ask('/', { host });
      expect([status, JSON.parse(text).code]).toEqual([403, 'REQUEST_CROSS_SITE']);
    },
  );

  test.each(['localhost', 'LOCALHOST:1', '127.0.0.1:80', '[::1]:80', '192.0.2.7'])(
    'answers to %s',
    async (host) => {
      expect((await ask('/', { host })).status).toBe(200);
    },
  );

  test('refuses a change that another page asked for', async () => {
    const echo = (headers: Record<string, string>) =>
      ask('/api/echo', { ...json, host: 'localhost:8700', ...headers }, 'POST', '{}');
    expect((await echo({})).status).toBe(200);
    expect((await echo({ origin: 'http://localhost:8700' })).status).toBe(200);
    expect((await echo({ origin: 'http://localhost:9999' })).status).toBe(403);
    expect((await echo({ origin: 'null' })).status).toBe(403);
    expect((await echo({ 'sec-fetch-site': 'same-site' })).status).toBe(403);
    expect((await echo({ 'content-type': 'text/plain' })).status).toBe(400);
  });

  test('refuses a body that is too long with an answer that arrives', async () => {
    const { status, text } = await ask('/api/echo', json, 'POST', 'x'.repeat(300_000));
    expect(status).toBe(400);
    expect(JSON.parse(text).detail).toBe('The body is longer than 100 bytes.');
  });

  test('takes whoever goes away in the middle of a question for no defect', async () => {
    const { port } = new URL(server.url);
    const headers = { ...json, 'content-length': '50' };
    const asked = request({
      host: '127.0.0.1',
      port,
      path: '/api/echo',
      method: 'POST',
      agent: false,
      headers,
    });
    asked.on('error', () => {});
    asked.write('half');
    await eventually(() => asked.socket?.bytesWritten);
    asked.destroy();
    await eventually(() => logged.some((line) => line.includes('broke off')));
    expect(logged.join('')).not.toContain('INTERNAL');
  });

  test('names the method that an address takes', async () => {
    const { status, headers } = await ask('/api/echo');
    expect([status, headers['allow']]).toEqual([405, 'POST']);
  });

  test('tells nobody what broke inside', async () => {
    const { status, text } = await ask('/api/broken');
    expect([status, JSON.parse(text).code]).toEqual([500, 'INTERNAL']);
    expect(text).not.toContain('secret');
  });

  test('answers its API without a built page, and says what to do about the page', async () => {
    await server.close();
    const started = await start(0, join(folder, 'none'));
    if (!started.ok) throw new Error(started.fault.detail);
    server = started.value;
    const { status, text } = await ask('/');
    expect([status, JSON.parse(text).code]).toEqual([503, 'PAGE_ABSENT']);
    expect((await ask('/api/echo', json, 'POST', '{}')).status).toBe(200);
  });

  test('says that its port is taken', async () => {
    const second = await start(Number(new URL(server.url).port));
    expect(second).toMatchObject({ ok: false, fault: { code: 'PORT_IN_USE' } });
  });
});
