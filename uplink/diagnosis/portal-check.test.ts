import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { fail, ok } from '#contracts/result.ts';
import { monotonic, ms } from '#contracts/units.ts';
import { systemClock } from '#runtime/clock.ts';
import { checkPortal, type PortalCheckParts } from './portal-check.ts';
import { PortalSchedule } from './portal-schedule.ts';

let servers: (Server | TcpServer)[] = [];
afterEach(() => {
  for (const server of servers) {
    if ('closeAllConnections' in server) server.closeAllConnections();
    server.close();
  }
  servers = [];
});

async function listen(server: Server | TcpServer): Promise<number> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
const web = (listener: RequestListener): Promise<number> => listen(createServer(listener));

const windows: string[] = [];
function check(port: number, more: Partial<PortalCheckParts> = {}) {
  windows.length = 0;
  return checkPortal({
    page: { url: `http://127.0.0.1:${port}/check`, expect: 'all is well' },
    localAddresses: ['127.0.0.1'],
    lookup: () => Promise.resolve([]),
    openWindow: (seconds, address, port) => {
      windows.push(`open ${seconds} s ${address}:${port}`);
      return Promise.resolve(
        ok({
          close: () => {
            windows.push('close');
            return Promise.resolve();
          },
        }),
      );
    },
    clock: systemClock,
    timeout: ms(300),
    ...more,
  });
}

describe('The portal check', () => {
  test('The page as it should be is no portal, and the firewall is open for that address and that long only', async () => {
    const port = await web((_, response) => response.end('all is well\n'));
    expect(await check(port)).toEqual({ result: 'ok' });
    expect(windows).toEqual([`open 2 s 127.0.0.1:${port}`, 'close']);
  });

  test('A redirection is a portal: its host is kept, its path and query are not, and it is not followed', async () => {
    const asked: (string | undefined)[] = [];
    const port = await web((request, response) => {
      asked.push(request.url);
      response.writeHead(302, { location: 'https://login.hotel.example/room?guest=MUELLER' }).end();
    });
    expect(await check(port)).toEqual({ result: 'portal', status: 302, host: 'login.hotel.example' });
    expect(asked).toEqual(['/check']);
  });

  test.each([
    ['another page', 200, 'welcome to our hotel'],
    ['the right text with another status', 203, 'all is well'],
    ['an error', 511, 'network authentication required'],
    ['a page without end', 200, 'x'.repeat(100_000)],
  ])('%s is a portal', async (_, status, body) => {
    const port = await web((_, response) => response.writeHead(status).end(body));
    expect(await check(port)).toEqual({ result: 'portal', status, host: null });
  });

  test('A location that is no address of the web tells no host', async () => {
    const port = await web((_, response) =>
      response.writeHead(302, { location: 'javascript:alert(1)' }).end(),
    );
    expect(await check(port)).toEqual({ result: 'portal', status: 302, host: null });
  });

  test('What answers but speaks no HTTP is a portal without a status', async () => {
    const port = await listen(createTcpServer((socket) => socket.end('SSH-2.0-something\r\n')));
    expect(await check(port)).toEqual({ result: 'portal', status: 0, host: null });
  });

  test('Silence, a page that stops in the middle and a closed port are no answer, and the firewall is shut again', async () => {
    const silent = await web(() => {});
    expect(await check(silent)).toEqual({ result: 'no-answer', asked: true, why: 'nothing within 0.3 s' });
    expect(windows.at(-1)).toBe('close');
    const half = await web((_, response) => {
      response.writeHead(200, { 'content-length': 11 });
      response.write('all is');
    });
    expect(await check(half)).toMatchObject({ result: 'no-answer', asked: true });
    const broken = await web((_, response) => {
      response.writeHead(200, { 'content-length': 11 });
      response.write('all is', () => response.destroy());
    });
    expect(await check(broken)).toMatchObject({ result: 'no-answer', asked: true });
    const closed = await web(() => {});
    servers.at(-1)?.close();
    expect(await check(closed)).toEqual({ result: 'no-answer', asked: true, why: 'ECONNREFUSED' });
  });

  test('It is asked from the address of the uplink', async () => {
    const from: (string | undefined)[] = [];
    const port = await web((request, response) => {
      from.push(request.socket.remoteAddress);
      response.end('all is well');
    });
    await check(port, { localAddresses: ['::1', '127.0.0.8'] });
    expect(from).toEqual(['127.0.0.8']);
  });

  test('A name is looked up over the uplink, and stands in the request', async () => {
    const hosts: (string | undefined)[] = [];
    const port = await web((request, response) => {
      hosts.push(request.headers.host);
      response.end('all is well');
    });
    const page = { url: `http://check.example:${port}/check`, expect: 'all is well' };
    const lookup = (name: string) => Promise.resolve(name === 'check.example' ? ['::1', '127.0.0.1'] : []);
    expect(await check(port, { page, lookup })).toEqual({ result: 'ok' });
    expect(hosts).toEqual([`check.example:${port}`]);
  });

  test('A name that is not resolved, no address of its family, a firewall that stays shut: nothing is asked', async () => {
    const page = { url: 'http://check.example/check', expect: 'all is well' };
    expect(await check(1, { page })).toMatchObject({ asked: false, why: 'its name is not resolved' });
    expect(windows).toEqual([]);
    expect(await check(1, { localAddresses: ['::1'] })).toMatchObject({ result: 'no-answer', asked: false });
    const openWindow = () => Promise.resolve(fail('FIREWALL_FAILED', 'nft is missing'));
    expect(await check(1, { openWindow })).toMatchObject({ result: 'no-answer', asked: false });
    expect(await check(1, { page: { url: 'http://:/', expect: 'x' } })).toMatchObject({ asked: false });
  });
});

describe('When to check', () => {
  const at = (seconds: number) => monotonic(seconds * 1000);
  function checksIn(seconds: number, occasion: { metered?: boolean; ready?: boolean } = {}): number[] {
    const schedule = new PortalSchedule(() => 1);
    const found: number[] = [];
    for (let now = 0; now < seconds; now++) {
      const { metered = false, ready = true } = occasion;
      if (!schedule.isDue({ ready, metered, silentSince: at(0) }, at(now))) continue;
      schedule.begun(at(now));
      found.push(now);
    }
    return found;
  }

  test('After 5 s of silence, and again with pauses from 30 s to 15 min', () => {
    expect(checksIn(3600)).toEqual([5, 35, 95, 215, 455, 935, 1835, 2735]);
  });

  test('Over a metered uplink at most once an hour', () => {
    expect(checksIn(7300, { metered: true })).toEqual([5, 3605, 7205]);
  });

  test('Never without an address and a way, and never while a hub answers', () => {
    expect(checksIn(600, { ready: false })).toEqual([]);
    const schedule = new PortalSchedule(() => 1);
    expect(schedule.isDue({ ready: true, metered: false, silentSince: undefined }, at(100))).toBe(false);
  });

  test('Once the line has worked the pauses begin anew, but a line that flaps is not checked at each flap', () => {
    const schedule = new PortalSchedule(() => 1);
    const due = (now: number, silentSince?: number): boolean =>
      schedule.isDue(
        { ready: true, metered: false, silentSince: silentSince === undefined ? undefined : at(silentSince) },
        at(now),
      );
    for (const now of [0, 100, 200, 400]) schedule.begun(at(now));
    expect(due(420)).toBe(false);
    expect(due(426, 421)).toBe(true);
    schedule.begun(at(426));
    expect(due(428)).toBe(false);
    expect(due(435, 429)).toBe(false);
    expect(due(442, 429)).toBe(true);
  });
});
