import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ms } from '#contracts/units.ts';
import { type Clock, systemClock } from '#runtime/clock.ts';
import { silentLog } from '#runtime/log.ts';
import { type EditionCentre, startEditionCentre } from '#test/rigs/edition-centre.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { seeded } from '#test/rigs/random.ts';
import { startTcpProxy } from '#test/rigs/tcp-proxy.ts';
import { uploadBundle } from './upload.ts';

// The real client against the centre's real lookup service, over real TLS.

const id = '019bc000-0000-7000-8000-000000000001';
let folder: string;
let centre: EditionCentre;
let closers: (() => void | Promise<void>)[] = [];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-upload-'));
  centre = await startEditionCentre({ folder, clock: systemClock });
});
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
  await centre.service.close();
  rmSync(folder, { recursive: true });
});

/** Pauses pass ten times as fast. */
const fast: Clock = { ...systemClock, after: (delay, act) => systemClock.after(ms(delay / 10), act) };

function upload(bytes: Buffer, port = centre.port, signal = new AbortController().signal) {
  return uploadBundle({
    url: `https://localhost:${port}`,
    tls: { authority: centre.authority.certificate, ...centre.terminal },
    id,
    bytes,
    clock: fast,
    random: () => 0,
    log: silentLog,
    signal,
  });
}

async function arrived(): Promise<Buffer> {
  const read = await centre.service.bundles.read(id);
  if (!read.ok) throw new Error(read.fault.detail);
  return read.value.bytes;
}

/** A line that breaks for good after so many bytes towards the centre or from it, each time anew. */
async function startBadLine(target: number, limits: () => { up: number; down: number }) {
  let connections = 0;
  let sent = 0;
  const sockets = new Set<Socket>();
  const server: Server = createServer((near) => {
    connections++;
    const far = connect(target, '127.0.0.1');
    const left = limits();
    for (const [from, to, way] of [
      [near, far, 'up'],
      [far, near, 'down'],
    ] as const) {
      sockets.add(from);
      from.on('error', () => {});
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      from.on('data', (chunk: Buffer) => {
        const part = chunk.subarray(0, left[way]);
        left[way] -= part.length;
        if (way === 'up') sent += part.length;
        to.write(part, () => {
          if (left[way] > 0) return;
          near.destroy();
          far.destroy();
        });
      });
    }
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    port: (server.address() as { port: number }).port,
    connections: () => connections,
    sent: () => sent,
  };
}

describe('a diagnostic bundle', () => {
  test('arrives whole, and once more is harmless', async () => {
    const bytes = randomBytes(2_000_000);
    expect((await upload(bytes)).ok).toBe(true);
    expect((await arrived()).equals(bytes)).toBe(true);
    expect((await upload(bytes)).ok).toBe(true);
    expect(await centre.service.bundles.list('UTO-0001-1')).toMatchObject([
      { id, terminal: 'UTO-0001-1', bytes: 2_000_000, complete: true },
    ]);
  });

  test.each([1, 2, 3, 4])(
    'arrives over a line that breaks at random bytes, without beginning anew (seed %d)',
    async (seed) => {
      const random = seeded(seed);
      const bytes = randomBytes(400_000);
      const line = await startBadLine(centre.port, () => {
        const up = 4000 + Math.floor(random() * 120_000);
        return { up, down: random() < 0.3 ? 2000 + Math.floor(random() * 2500) : Number.POSITIVE_INFINITY };
      });
      expect((await upload(bytes, line.port)).ok).toBe(true);
      expect((await arrived()).equals(bytes)).toBe(true);
      expect(line.connections()).toBeGreaterThan(3);
      // Handshakes and what was on its way when the line broke; beginning anew each time would never have ended.
      expect(line.sent()).toBeLessThan(bytes.length * 3);
    },
  );

  test('waits for a line that is dead, and goes on when it is back', async () => {
    const proxy = await startTcpProxy(centre.port);
    closers.push(() => proxy.close());
    const bytes = randomBytes(300_000);
    proxy.blackHole(true);
    const sending = upload(bytes, proxy.port);
    await eventually(() => proxy.accepted > 0);
    proxy.blackHole(false);
    proxy.cut();
    expect((await sending).ok).toBe(true);
    expect((await arrived()).equals(bytes)).toBe(true);
  });

  test('is given up when nobody waits for it any more', async () => {
    const proxy = await startTcpProxy(centre.port);
    closers.push(() => proxy.close());
    proxy.blackHole(true);
    const end = new AbortController();
    const sending = upload(randomBytes(1000), proxy.port, end.signal);
    await eventually(() => proxy.accepted > 0);
    end.abort();
    expect(await sending).toMatchObject({ ok: false, fault: { code: 'STOPPED' } });
    await eventually(() => proxy.open === 0);
  });

  test('that the centre does not take is not sent again and again', async () => {
    expect(await upload(randomBytes(5_000_000))).toMatchObject({
      ok: false,
      fault: { code: 'CENTRAL_REFUSED' },
    });
    expect(centre.service.counts().refused).toBe(1);
    expect(await centre.service.bundles.list()).toEqual([]);
  });
});
