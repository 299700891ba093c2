import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ok, type Result } from '#contracts/result.ts';
import { ms } from '#contracts/units.ts';
import { systemClock } from '#runtime/clock.ts';
import { TestClock } from '#runtime/test-clock.ts';
import { makeAuthority } from '#test/rigs/certificates.ts';
import { type EditionServer, startEditionServer } from '#test/rigs/edition-server.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { startTcpProxy, type TcpProxy } from '#test/rigs/tcp-proxy.ts';
import { HttpsEditionTransport, type HttpsTransportParts } from './transport.ts';

let server: EditionServer;
let transport: HttpsEditionTransport;
let proxy: TcpProxy | undefined;
const path = 'metadata/timestamp.json';
const whole = Buffer.from('x'.repeat(1000));

beforeEach(async () => {
  server = await startEditionServer();
  transport = make();
});
afterEach(async () => {
  transport.close();
  await proxy?.close();
  proxy = undefined;
  await server.close();
});

function make(over: Partial<HttpsTransportParts> = {}): HttpsEditionTransport {
  const tls = { ...server.terminal, authority: server.authority };
  return new HttpsEditionTransport({ url: server.url, tls, clock: systemClock, ...over });
}

/** Answers every request with this. */
function says(status: number, headers: Record<string, string | number>, body: Buffer | string = ''): void {
  server.answer = (_, response) => void response.writeHead(status, headers).end(body);
}

/** What came of a range, and how it ended. */
async function range(from: number, to: number, size: number): Promise<[string, Result<void>]> {
  const pieces: Buffer[] = [];
  const result = await transport.fetchRange('targets/x', { from, to, size }, async (piece) => {
    pieces.push(Buffer.from(piece));
    return ok(undefined);
  });
  return [Buffer.concat(pieces).toString(), result];
}

const codeOf = (result: Result<unknown>): string => (result.ok ? 'ok' : result.fault.code);

describe('a small file', () => {
  test('comes whole, with its tag, and next time only word that it did not change', async () => {
    server.answer = (request, response) => {
      const same = request.headers['if-none-match'] === '"1"';
      response.writeHead(same ? 304 : 200, { etag: '"1"' }).end(same ? undefined : whole);
    };
    expect(await transport.fetchSmall(path, 1000)).toEqual(ok({ bytes: whole, etag: '"1"' }));
    expect(await transport.fetchSmall(path, 1000, { etag: '"1"' })).toEqual(ok('unchanged'));
    expect(await transport.fetchSmall(path, 1000, { etag: '"0"' })).toMatchObject({ ok: true });
  });

  test('that is not there is absent, and all of it is one connection', async () => {
    proxy = await startTcpProxy(server.port);
    transport = make({ url: `https://127.0.0.1:${proxy.port}` });
    expect(await transport.fetchSmall(path, 1000)).toEqual(ok('absent'));
    server.files.set(path, whole);
    for (let times = 0; times < 3; times++) {
      expect(await transport.fetchSmall(path, 1000)).toEqual(ok({ bytes: whole }));
    }
    expect(proxy.accepted).toBe(1);
  });

  test('may come compressed, and may not be longer than allowed, packed or unpacked', async () => {
    says(200, { 'content-encoding': 'gzip' }, gzipSync(whole));
    expect(await transport.fetchSmall(path, 1000)).toEqual(ok({ bytes: whole }));
    expect(codeOf(await transport.fetchSmall(path, 999))).toBe('EDITION_DAMAGED');
    says(200, { 'content-encoding': 'gzip' }, gzipSync(Buffer.alloc(50_000_000)));
    expect(codeOf(await transport.fetchSmall(path, 100_000))).toBe('EDITION_DAMAGED');
    says(200, { 'content-encoding': 'gzip' }, 'no gzip');
    expect(codeOf(await transport.fetchSmall(path, 1000))).toBe('EDITION_DAMAGED');
    says(200, { 'content-encoding': 'br' }, 'x');
    expect(codeOf(await transport.fetchSmall(path, 1000))).toBe('CENTRAL_NONSENSE');
    says(200, {}, whole);
    expect(codeOf(await transport.fetchSmall(path, 999))).toBe('EDITION_DAMAGED');
  });

  test('that never ends is left when it is longer than allowed', async () => {
    let left = false;
    server.answer = (_, response) => {
      response.on('close', () => (left = true));
      const more = (): void => {
        if (!left) response.write(Buffer.alloc(10_000), more);
      };
      more();
    };
    expect(codeOf(await transport.fetchSmall(path, 100_000))).toBe('EDITION_DAMAGED');
    await eventually(() => left);
  });
});

describe('a piece of a file', () => {
  const text = 'abcdefghij';
  beforeEach(() => server.files.set('targets/x', Buffer.from(text)));

  test('comes as it was asked for, to its end where no end is said', async () => {
    expect(await range(2, 4, 10)).toEqual(['cde', ok(undefined)]);
    expect(await range(9, 9, 10)).toEqual(['j', ok(undefined)]);
    expect(await range(0, 500, 10)).toEqual([text, ok(undefined)]);
  });

  test('is cut out of the whole where the server sends that', async () => {
    says(200, {}, text);
    expect(await range(2, 4, 10)).toEqual(['cde', ok(undefined)]);
    expect(await range(8, 9, 10)).toEqual(['ij', ok(undefined)]);
  });

  test('is not waited for where far too much would come before it', async () => {
    says(200, {}, Buffer.alloc(3_000_000));
    const [came, result] = await range(2_000_000, 2_999_999, 3_000_000);
    expect([came, codeOf(result)]).toEqual(['', 'CENTRAL_NONSENSE']);
  });

  test('of a file of another length is refused before anything comes', async () => {
    for (const size of [9, 11, 5000]) {
      expect((await range(2, 4, size))[0]).toBe('');
      expect(codeOf((await range(2, 4, size))[1])).toBe('EDITION_DAMAGED');
    }
    expect(codeOf((await range(20, 30, 100))[1])).toBe('EDITION_DAMAGED');
    says(200, { 'content-length': 4 }, 'abcd');
    expect(codeOf((await range(0, 9, 10))[1])).toBe('EDITION_DAMAGED');
  });

  test('of which more, less or another part comes than was said is not believed', async () => {
    says(206, { 'content-range': 'bytes 2-4/10', 'transfer-encoding': 'chunked' }, 'cdefgh');
    expect(codeOf((await range(2, 4, 10))[1])).toBe('EDITION_DAMAGED');
    says(206, { 'content-range': 'bytes 2-4/10', 'transfer-encoding': 'chunked' }, 'c');
    expect(codeOf((await range(2, 4, 10))[1])).toBe('EDITION_DAMAGED');
    says(206, { 'content-range': 'bytes 3-5/10' }, 'def');
    expect(codeOf((await range(2, 4, 10))[1])).toBe('CENTRAL_NONSENSE');
    says(206, {}, 'cde');
    expect(codeOf((await range(2, 4, 10))[1])).toBe('CENTRAL_NONSENSE');
  });

  test('is held back at the server while the taker is busy', async () => {
    const size = 30_000_000;
    let sent = 0;
    server.answer = (_, response) => {
      response.writeHead(206, { 'content-range': `bytes 0-${size - 1}/${size}` });
      const more = (): void => {
        while (sent < size) {
          sent += 10_000;
          if (!response.write(Buffer.alloc(10_000))) return void response.once('drain', more);
        }
        response.end();
      };
      more();
    };
    let taken = 0;
    let go: () => void = () => {};
    const held = new Promise<void>((resolve) => (go = resolve));
    const fetched = transport.fetchRange('targets/x', { from: 0, size }, async (piece) => {
      taken += piece.length;
      if (taken === piece.length) await held;
      return ok(undefined);
    });
    await eventually(() => taken > 0);
    let before = -1;
    await eventually(() => {
      const still = before === sent;
      before = sent;
      return still;
    });
    expect(sent).toBeLessThan(15_000_000);
    go();
    expect(await fetched).toEqual(ok(undefined));
    expect(taken).toBe(size);
  });
});

describe('in words', () => {
  const refusal = { code: 'TERMINAL_UNKNOWN', what: 'Unknown.', detail: 'Revoked.', remedy: 'None.' };

  test('a refusal says what the centre said', async () => {
    says(403, {}, JSON.stringify(refusal));
    const result = await transport.fetchSmall(path, 1000);
    expect(codeOf(result)).toBe('CENTRAL_REFUSED');
    expect(!result.ok && result.fault.detail).toContain('TERMINAL_UNKNOWN: Unknown. Revoked.');
    expect(codeOf((await range(0, 9, 10))[1])).toBe('CENTRAL_REFUSED');
    says(404, {}, JSON.stringify({ ...refusal, code: 'REPOSITORY_ABSENT' }));
    expect(codeOf(await transport.fetchSmall(path, 1000))).toBe('CENTRAL_REFUSED');
    says(404, {}, JSON.stringify({ ...refusal, code: 'NOT_FOUND' }));
    expect(await transport.fetchSmall(path, 1000)).toEqual(ok('absent'));
    expect(codeOf((await range(0, 9, 10))[1])).toBe('CENTRAL_REFUSED');
  });

  test.each([
    [500, 'EDITION_UNREACHABLE'],
    [503, 'EDITION_UNREACHABLE'],
    [301, 'CENTRAL_NONSENSE'],
    [204, 'CENTRAL_NONSENSE'],
    [304, 'CENTRAL_NONSENSE'],
    [401, 'CENTRAL_REFUSED'],
  ])('HTTP status %i is %s', async (status, code) => {
    says(status, {});
    expect(codeOf(await transport.fetchSmall(path, 1000))).toBe(code);
    expect(codeOf((await range(0, 9, 10))[1])).toBe(code);
  });

  test('a centre that is not there, or cuts the line, cannot be reached', async () => {
    proxy = await startTcpProxy(server.port);
    transport = make({ url: `https://127.0.0.1:${proxy.port}` });
    server.answer = () => proxy?.cut();
    expect(codeOf(await transport.fetchSmall(path, 1000))).toBe('EDITION_UNREACHABLE');
    await proxy.close();
    const gone = await transport.fetchSmall(path, 1000);
    expect(codeOf(gone)).toBe('EDITION_UNREACHABLE');
    expect(!gone.ok && gone.fault.detail).toContain('nothing answers at its address (ECONNREFUSED)');
  });

  test('a certificate of another authority is refused as one', async () => {
    const { certificate } = await makeAuthority('Another');
    transport = make({ tls: { ...server.terminal, authority: certificate } });
    expect(codeOf(await transport.fetchSmall(path, 1000))).toBe('CERTIFICATE_REFUSED');
  });
});

describe('the line', () => {
  test('that is silent for a minute is given up, and tried anew the next time', async () => {
    const clock = new TestClock();
    transport = make({ clock });
    let asked = false;
    server.answer = () => (asked = true);
    const fetched = transport.fetchSmall(path, 1000);
    await eventually(() => asked && clock.waiting === 1);
    await clock.advance(60_000);
    const result = await fetched;
    expect(codeOf(result)).toBe('EDITION_UNREACHABLE');
    expect(!result.ok && result.fault.detail).toContain('60 s');
    expect(clock.waiting).toBe(0);
    says(200, {}, whole);
    expect(await transport.fetchSmall(path, 1000)).toEqual(ok({ bytes: whole }));
  });

  test('that sends a byte now and then is never given up', async () => {
    const clock = new TestClock();
    transport = make({ clock });
    let send: ((bytes: string) => void) | undefined;
    server.answer = (_, response) => {
      response.writeHead(206, { 'content-range': 'bytes 0-9/10', 'content-length': 10 });
      response.flushHeaders();
      send = (bytes) => response.write(bytes);
    };
    let came = '';
    const fetched = transport.fetchRange('targets/x', { from: 0, size: 10 }, async (piece) => {
      came += piece.toString();
      return ok(undefined);
    });
    await eventually(() => send !== undefined);
    for (let times = 1; times <= 10; times++) {
      await clock.advance(59_000);
      send?.('x');
      await eventually(() => came.length === times);
    }
    expect(await fetched).toEqual(ok(undefined));
  });

  test('that was closed while it was kept is opened again without a word', async () => {
    server.files.set(path, whole);
    proxy = await startTcpProxy(server.port);
    transport = make({ url: `https://127.0.0.1:${proxy.port}` });
    for (let times = 0; times < 3; times++) {
      expect(await transport.fetchSmall(path, 1000)).toEqual(ok({ bytes: whole }));
      proxy.cut();
    }
  });

  test('is left at once when the signal is aborted, at any moment', async () => {
    const stop = new AbortController();
    stop.abort();
    expect(codeOf(await transport.fetchSmall(path, 1000, { signal: stop.signal }))).toBe(
      'EDITION_UNREACHABLE',
    );
    expect(server.asked).toEqual([]);

    const before = new AbortController();
    server.answer = () => before.abort();
    expect(codeOf(await transport.fetchSmall(path, 1000, { signal: before.signal }))).toBe(
      'EDITION_UNREACHABLE',
    );

    const within = new AbortController();
    server.answer = (_, response) => {
      response.writeHead(206, { 'content-range': 'bytes 0-9/10', 'content-length': 10 }).write('abc');
    };
    const result = await transport.fetchRange(
      'targets/x',
      { from: 0, size: 10 },
      async () => {
        within.abort();
        return ok(undefined);
      },
      within.signal,
    );
    expect(codeOf(result)).toBe('EDITION_UNREACHABLE');
  });

  test('serves one request after the other, and one that waits can be called off', async () => {
    let end: (() => void) | undefined;
    server.answer = (_, response) => (end = () => void response.end(whole));
    const first = transport.fetchSmall(path, 1000);
    await eventually(() => end !== undefined);
    const stop = new AbortController();
    const second = transport.fetchSmall('metadata/2', 1000, { signal: stop.signal });
    const third = transport.fetchSmall('metadata/3', 1000);
    stop.abort();
    expect(codeOf(await second)).toBe('EDITION_UNREACHABLE');
    expect(server.asked).toHaveLength(1);
    server.answer = (_, response) => void response.end(whole);
    end?.();
    expect([codeOf(await first), codeOf(await third)]).toEqual(['ok', 'ok']);
    expect(server.asked).toEqual([path, 'metadata/3']);
  });

  test('is silent in its own way: an idle limit of a test’s own holds too', async () => {
    transport = make({ idle: ms(50) });
    server.answer = () => {};
    expect(codeOf(await transport.fetchSmall(path, 1000))).toBe('EDITION_UNREACHABLE');
  });
});
