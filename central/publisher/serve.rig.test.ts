import { createHash } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { editionsPath } from '#contracts/edition-target.ts';
import { lookupPath, Refusal } from '#contracts/lookup.ts';
import { parseJson } from '#runtime/parse.ts';
import { TestClock } from '#runtime/test-clock.ts';
import { startEditionCentre, type EditionCentre } from '#test/rigs/edition-centre.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { seeded } from '#test/rigs/random.ts';

const random = seeded(5);
const big = Buffer.from(Array.from({ length: 300_000 }, () => Math.floor(random() * 256)));
const hash = createHash('sha256').update(big).digest('hex');
const bigPath = `targets/sltd/12/${hash}.base.fingerprints`;
const metadata = JSON.stringify({ signed: { targets: 'x'.repeat(5000) } });

let folder: string;
let clock: TestClock;
let centre: EditionCentre;
let agent: Agent;
let logged: string[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-serve-'));
  clock = new TestClock(new Date().toISOString());
  logged = [];
  centre = await startEditionCentre({ folder, clock, log: (line) => logged.push(line) });
  centre.put(bigPath, big);
  centre.put('metadata/timestamp.json', metadata);
  agent = agentOf(centre);
});

afterEach(async () => {
  agent.destroy();
  await centre.service.close();
  rmSync(folder, { recursive: true, force: true });
});

function agentOf({ authority, terminal }: EditionCentre): Agent {
  const { certificate: cert, key } = terminal;
  return new Agent({ keepAlive: true, maxSockets: 1, ca: authority.certificate, cert, key });
}

interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly reused: boolean;
}

/** Asks for exactly this path: nothing on the way tidies it up. */
function open(
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<{ response: IncomingMessage; reused: boolean }> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: 'localhost', family: 4, port: centre.port, path: editionsPath + path, method, headers, agent },
      (response) => resolve({ response, reused: sent.reusedSocket }),
    );
    sent.on('error', reject).end();
  });
}

async function get(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Reply> {
  const { response, reused } = await open(path, headers, method);
  const body = await buffer(response);
  return { status: response.statusCode ?? 0, headers: response.headers, body, reused };
}

function codeIn({ body }: Reply): string {
  const refusal = parseJson(Refusal, body.toString(), 'INTERNAL');
  return refusal.ok ? refusal.value.code : refusal.fault.detail;
}

/** Files of the repository that this process has open. */
function openFiles(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const file = readlinkSync(`/proc/self/fd/${fd}`);
      return file.startsWith(centre.repository) ? [file] : [];
    } catch {
      return [];
    }
  });
}

describe('a terminal fetches', () => {
  test('a file whole, on a connection that it keeps', async () => {
    const reply = await get(bigPath);
    expect(reply.status).toBe(200);
    expect(reply.body.equals(big)).toBe(true);
    expect(reply.headers).toMatchObject({
      'content-length': '300000',
      'accept-ranges': 'bytes',
      etag: `"${hash}-300000"`,
      'cache-control': 'private, max-age=31536000, immutable',
    });
    expect((await get(bigPath)).reused).toBe(true);
    expect(openFiles()).toEqual([]);
  });

  test('a piece of it, to the end, from the end, and a single byte', async () => {
    for (const [range, first, last] of [
      ['bytes=65536-131071', 65_536, 131_071],
      ['bytes=299000-', 299_000, 299_999],
      ['bytes=-32', 299_968, 299_999],
      ['bytes=7-7', 7, 7],
      ['bytes=299999-400000', 299_999, 299_999],
    ] as const) {
      const reply = await get(bigPath, { range });
      expect(reply.status).toBe(206);
      expect(reply.headers['content-range']).toBe(`bytes ${first}-${last}/300000`);
      expect(reply.body.equals(big.subarray(first, last + 1))).toBe(true);
    }
  });

  test('the whole where a range is nonsense or several, and 416 where it lies behind the end', async () => {
    for (const range of ['bytes=9-2', 'bytes=0-1,4-5', 'lines=1-2']) {
      expect(await get(bigPath, { range })).toMatchObject({ status: 200 });
    }
    const beyond = await get(bigPath, { range: 'bytes=300000-' });
    expect(beyond.status).toBe(416);
    expect(beyond.headers['content-range']).toBe('bytes */300000');
    expect(codeIn(beyond)).toBe('REQUEST_INVALID');
    expect((await get(bigPath)).reused).toBe(true);
  });

  test('the rest of a file only if it is still the same, else the whole', async () => {
    const rest = { range: 'bytes=299990-' };
    expect(await get(bigPath, { ...rest, 'if-range': `"${hash}-300000"` })).toMatchObject({ status: 206 });
    expect(await get(bigPath, { ...rest, 'if-range': '"other"' })).toMatchObject({ status: 200 });
    expect(await get(bigPath, { ...rest, 'if-range': 'Tue, 24 Nov 2026 08:00:00 GMT' })).toMatchObject({
      status: 200,
    });
  });

  test('word that nothing changed, without the file', async () => {
    for (const path of [bigPath, 'metadata/timestamp.json']) {
      const { etag = '' } = (await get(path)).headers;
      const reply = await get(path, { 'if-none-match': etag });
      expect(reply).toMatchObject({ status: 304, headers: { etag }, body: Buffer.alloc(0) });
    }
  });

  test('metadata that was written again within the same tick and length, as another', async () => {
    const { etag = '' } = (await get('metadata/timestamp.json')).headers;
    centre.put('metadata/timestamp.json', metadata.replace('x', 'y'));
    const reply = await get('metadata/timestamp.json', { 'if-none-match': etag });
    expect(reply.status).toBe(200);
    expect(reply.body.toString()).toContain('y');
  });

  test('metadata compressed where it takes that, each form with its own tag', async () => {
    const plain = await get('metadata/timestamp.json');
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(plain.body.toString()).toBe(metadata);
    const packed = await get('metadata/timestamp.json', { 'accept-encoding': 'gzip' });
    expect(packed.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'accept-encoding' });
    expect(packed.body.length).toBeLessThan(200);
    expect(gunzipSync(packed.body).toString()).toBe(metadata);
    expect(packed.headers.etag).not.toBe(plain.headers.etag);
    const again = { 'accept-encoding': 'gzip', 'if-none-match': packed.headers.etag ?? '' };
    expect(await get('metadata/timestamp.json', again)).toMatchObject({ status: 304 });
    // Targets are dense, and a range of a compressed file is of no use.
    expect((await get(bigPath, { 'accept-encoding': 'gzip' })).headers['content-encoding']).toBeUndefined();
    const part = await get('metadata/timestamp.json', { 'accept-encoding': 'gzip', range: 'bytes=0-9' });
    expect(part).toMatchObject({ status: 206, body: Buffer.from(metadata.slice(0, 10)) });
  });

  test('the head alone of each', async () => {
    for (const path of [bigPath, 'metadata/timestamp.json']) {
      const whole = await get(path);
      const head = await get(path, { range: 'bytes=0-3' }, 'HEAD');
      expect(head).toMatchObject({ status: 200, body: Buffer.alloc(0) });
      expect(head.headers['content-length']).toBe(String(whole.body.length));
      expect(head.headers.etag).toBe(whole.headers.etag);
    }
  });

  test('an empty file', async () => {
    centre.put('targets/empty', '');
    expect(await get('targets/empty')).toMatchObject({ status: 200, body: Buffer.alloc(0) });
    expect(await get('targets/empty', { range: 'bytes=0-' })).toMatchObject({ status: 416 });
    expect(await get('targets/empty', { range: 'bytes=-1' })).toMatchObject({ status: 200 });
  });
});

describe('a terminal never fetches', () => {
  test.each([
    '../registry.json',
    '../../v1/editions/metadata/timestamp.json',
    'metadata/../../registry.json',
    'targets/../../key.pem',
    'targets/%2e%2e/%2e%2e/key.pem',
    'targets/..%2f..%2fkey.pem',
    'targets/%00',
    'metadata/timestamp.json%00.txt',
    'metadata/.timestamp.json.new',
    'metadata',
    'metadata/',
    'targets/sltd',
    'lock',
    '/etc/passwd',
    '',
  ])('%s', async (path) => {
    centre.put('lock', '');
    centre.put('metadata/.timestamp.json.new', 'half');
    const reply = await get(path);
    expect([reply.status, codeIn(reply)]).toEqual([404, 'NOT_FOUND']);
  });

  test('a name or a path that is too long', async () => {
    for (const path of [`targets/${'x'.repeat(300)}`, `targets/${'x/'.repeat(600)}y`]) {
      expect(await get(path)).toMatchObject({ status: 404 });
    }
  });

  test('what a symbolic link leads to, out of the repository or within it', async () => {
    writeFileSync(join(folder, 'secret'), 'secret');
    mkdirSync(join(folder, 'outside'));
    writeFileSync(join(folder, 'outside/x'), 'secret');
    symlinkSync(join(folder, 'secret'), join(centre.repository, 'targets/link'));
    symlinkSync('../../outside', join(centre.repository, 'targets/folder'));
    symlinkSync('timestamp.json', join(centre.repository, 'metadata/alias.json'));
    symlinkSync('loop', join(centre.repository, 'targets/loop'));
    for (const path of ['targets/link', 'targets/folder/x', 'metadata/alias.json', 'targets/loop']) {
      expect(await get(path), path).toMatchObject({ status: 404 });
    }
  });

  test('anything with another method, and its body is not read', async () => {
    const reply = await get('metadata/timestamp.json', { 'content-length': '0' }, 'PUT');
    expect(reply).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
  });

  test('anything when it has been revoked, not even the rest of what it was fetching', async () => {
    centre.put('targets/huge', Buffer.alloc(40_000_000));
    const { response } = await open('targets/huge');
    response.pause();
    centre.register({ revokedAt: '2026-11-24T08:00:00.000Z' });
    const broken = new Promise((resolve) => response.once('error', resolve));
    await eventually(async () => {
      await clock.advance(10_000);
      return logged.some((line) => line.includes('TERMINAL_UNKNOWN'));
    });
    response.resume();
    await broken;
    const reply = await get('metadata/timestamp.json');
    expect([reply.status, codeIn(reply)]).toEqual([403, 'TERMINAL_UNKNOWN']);
    await eventually(() => openFiles().length === 0);
  });
});

describe('the centre', () => {
  test('answers look-ups on the same port as ever', async () => {
    const reply = await get('../lookups');
    expect(reply.status).toBe(404);
    const options = {
      host: 'localhost',
      family: 4,
      port: centre.port,
      path: lookupPath,
      method: 'POST',
      agent,
    };
    const status = await new Promise((resolve, reject) => {
      const sent = request(options, (response) => resolve(response.resume().statusCode));
      sent.on('error', reject).end('noise');
    });
    expect(status).toBe(400);
  });

  test('says that there is no repository, not that a file is missing', async () => {
    renameSync(centre.repository, `${centre.repository}.old`);
    const reply = await get('metadata/timestamp.json');
    expect([reply.status, codeIn(reply)]).toEqual([404, 'REPOSITORY_ABSENT']);
    expect(logged.join('')).toContain('REPOSITORY_ABSENT');
  });

  test('does not count a file that is not there yet as refused, but an address that is none', async () => {
    await get('metadata/2.root.json');
    expect(centre.service.counts().refused).toBe(0);
    await get('../registry.json');
    expect(centre.service.counts().refused).toBe(1);
  });

  test('closes a file when the client goes away in the middle of it', async () => {
    centre.put('targets/huge', Buffer.alloc(40_000_000));
    for (let times = 0; times < 5; times++) {
      const { response } = await open('targets/huge');
      expect(openFiles()).toHaveLength(1);
      response.on('error', () => {}).destroy();
      await eventually(() => openFiles().length === 0);
    }
  });

  test('lets a client go that takes no byte for too long', async () => {
    await centre.service.close();
    centre = await startEditionCentre({ folder: join(folder, 'other'), clock, idleMillis: 100 });
    agent.destroy();
    agent = agentOf(centre);
    centre.put('targets/huge', Buffer.alloc(40_000_000));
    const { response } = await open('targets/huge');
    response.pause().on('error', () => {});
    expect(openFiles()).toHaveLength(1);
    await eventually(() => openFiles().length === 0);
  });

  test('ends the connection when the file becomes shorter while it is sent', async () => {
    centre.put('targets/huge', Buffer.alloc(40_000_000));
    const { response } = await open('targets/huge');
    truncateSync(join(centre.repository, 'targets/huge'), 1000);
    let received = 0;
    const ended = await new Promise((resolve) => {
      response.on('data', (chunk: Buffer) => (received += chunk.length));
      response.on('error', resolve);
      response.on('end', () => resolve('whole'));
    });
    expect(ended).toMatchObject({ code: 'ECONNRESET' });
    expect(received).toBeLessThan(40_000_000);
    expect(openFiles()).toEqual([]);
  });

  test('keeps little in memory for a client that reads slowly, and stops while it answers', async () => {
    centre.put('targets/huge', Buffer.alloc(100_000_000));
    const before = process.memoryUsage().rss;
    const { response } = await open('targets/huge');
    response.pause();
    await fetchBeside(centre.port);
    expect(process.memoryUsage().rss - before).toBeLessThan(60_000_000);
    const broken = new Promise((resolve) => response.once('error', resolve));
    const closed = centre.service.close();
    await clock.advance(1000);
    await closed;
    response.resume();
    await broken;
    expect(openFiles()).toEqual([]);
  });
});

/** Something else, on another connection, to its end. */
async function fetchBeside(port: number): Promise<void> {
  const { ca, cert, key } = agent.options;
  await new Promise<void>((resolve, reject) => {
    const options = { host: 'localhost', family: 4, port, path: `${editionsPath}${bigPath}`, agent: false };
    const sent = request({ ...options, ca, cert, key } as object, (response) => {
      response.resume().on('end', () => resolve());
    });
    sent.on('error', reject).end();
  });
}
