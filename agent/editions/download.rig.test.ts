import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { NamedTarget } from '#contracts/edition-target.ts';
import type { Result } from '#contracts/result.ts';
import { systemClock } from '#runtime/clock.ts';
import { TestClock } from '#runtime/test-clock.ts';
import {
  type Answer,
  type EditionServer,
  makeBase,
  makeDelta,
  startEditionServer,
  wellBehaved,
} from '#test/rigs/edition-server.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { seeded } from '#test/rigs/random.ts';
import { requires } from '#test/rigs/requirements.ts';
import { startTcpProxy, type TcpProxy } from '#test/rigs/tcp-proxy.ts';
import { Budget } from './budget.ts';
import { type DownloadParts, downloadTarget, tidyDownloads } from './download.ts';
import { type EditionTransport, HttpsEditionTransport } from './transport.ts';

const leaf = 65_536;
/** 40 leaves, the last one short. */
const base = makeBase(39 * leaf + 12_345);
const delta = makeDelta(200_000);
const tailBytes = base.bytes.length - base.target.about.leavesAt;

let server: EditionServer;
let proxy: TcpProxy;
let https: HttpsEditionTransport;
let folder: string;
/** Bytes of files that arrived, of all attempts. */
let arrived: number;
const counting: Pick<EditionTransport, 'fetchRange'> = {
  fetchRange: (path, order, take, signal) =>
    https.fetchRange(
      path,
      order,
      (piece) => {
        arrived += piece.length;
        return take(piece);
      },
      signal,
    ),
};

beforeEach(async () => {
  server = await startEditionServer();
  proxy = await startTcpProxy(server.port);
  https = new HttpsEditionTransport({
    url: `https://127.0.0.1:${proxy.port}`,
    tls: { ...server.terminal, authority: server.authority },
    clock: systemClock,
  });
  folder = join(mkdtempSync(join(tmpdir(), 'checkpost-download-')), 'downloads');
  arrived = 0;
  server.put(base);
  server.put(delta);
});
afterEach(async () => {
  https.close();
  await proxy.close();
  await server.close();
  rmSync(join(folder, '..'), { recursive: true, force: true });
});

function fetch(target: NamedTarget, over: Partial<DownloadParts> = {}): Promise<Result<string>> {
  const { signal } = new AbortController();
  const budget = new Budget(systemClock, 0);
  return downloadTarget(target, { transport: counting, folder, budget, signal, ...over });
}

const part = ({ target }: { target: NamedTarget } = base): string => join(folder, `${target.sha256}.part`);
const codeOf = (result: Result<unknown>): string => (result.ok ? 'ok' : result.fault.code);

function expectWhole(result: Result<string>, file: { target: NamedTarget; bytes: Buffer } = base): void {
  expect(result).toEqual({ ok: true, value: part(file) });
  expect(readFileSync(part(file)).equals(file.bytes)).toBe(true);
  expect(existsSync(join(folder, `${file.target.sha256}.leaves`))).toBe(false);
}

function flipped(bytes: Buffer, at: number): Buffer {
  const other = Buffer.from(bytes);
  other[at] = (other[at] ?? 0) ^ 1;
  return other;
}

describe('a file that nothing disturbs', () => {
  test.each([
    ['a part of a base', base],
    ['a delta', delta],
    ['a base of exactly one leaf', makeBase(leaf, 3)],
    ['a base of more leaves than are joined at once', makeBase(1030 * leaf + 1, 4)],
    ['an empty base', makeBase(0)],
  ])('%s arrives whole, each byte once, and tells how far it is', async (_, file) => {
    server.put(file);
    const told: number[] = [];
    expectWhole(await fetch(file.target, { progress: (bytes) => told.push(bytes) }), file);
    expect(arrived).toBe(file.bytes.length);
    expect(told.at(-1)).toBe(file.bytes.length);
    expect(told).toEqual([...told].sort((a, b) => a - b));
    expect(statSync(part(file)).mode & 0o777).toBe(0o600);
  });

  test('is not fetched again when it is there', async () => {
    await fetch(base.target);
    const asked = server.asked.length;
    expectWhole(await fetch(base.target));
    expect(server.asked).toHaveLength(asked);
  });

  test('holds no file open afterwards', async () => {
    await fetch(base.target);
    server.put(delta, flipped(delta.bytes, 5));
    await fetch(delta.target);
    const open = readdirSync('/proc/self/fd').filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder);
      } catch {
        return false;
      }
    });
    expect(open).toEqual([]);
  });
});

describe('a line that breaks', () => {
  /** Tries until it is there; a try that brings nothing fails the test. */
  async function persist(file = base, over: Partial<DownloadParts> = {}, cuts = seeded(11)): Promise<number> {
    for (let broken = 0; ; broken++) {
      // From within a handshake to several leaves.
      proxy.cutAfter(Math.floor(3000 + cuts() ** 2 * 300_000));
      const result = await fetch(file.target, over);
      if (result.ok) {
        expectWhole(result, file);
        return broken;
      }
      expect(codeOf(result)).toBe('EDITION_UNREACHABLE');
      expect(broken).toBeLessThan(200);
    }
  }

  test('again and again still brings the file whole, and no byte that arrived is fetched twice', async () => {
    const broken = await persist();
    expect(broken).toBeGreaterThan(10);
    expect(arrived).toBe(base.bytes.length);
    // On the wire: handshakes, and what was on its way in a record that was cut.
    expect(proxy.passed).toBeLessThan(base.bytes.length * 1.02 + broken * 25_000);
  });

  test('does the same while the process remembers what it verified, and for a delta', async () => {
    const verified = new Map<string, number>();
    await persist(base, { verified });
    expect(verified.size).toBe(0);
    await persist(delta as never, {}, () => 0.3);
    expect(arrived).toBe(base.bytes.length + delta.bytes.length);
  });

  test('before a single leaf is whole still gets on', async () => {
    const file = makeBase(3 * leaf, 9);
    server.put(file);
    for (let tries = 0; ; tries++) {
      proxy.cutAfter(24_000);
      const result = await fetch(file.target);
      if (result.ok) {
        expect(tries).toBeGreaterThan(3);
        return expectWhole(result, file);
      }
      expect(tries).toBeLessThan(60);
    }
  });

  test('says why in words', async () => {
    proxy.cutAfter(100_000);
    const result = await fetch(base.target);
    expect(!result.ok && result.fault.detail).toBe(
      'sltd/12/base.fingerprints: The centre: the connection was cut (ECONNRESET).',
    );
  });
});

describe('a disk that was not as it was left', () => {
  /** An earlier attempt that got so far. */
  async function begun(bytes: number): Promise<void> {
    mkdirSync(folder);
    writeFileSync(part(), base.bytes.subarray(0, bytes));
  }

  test.each([
    ['a damaged leaf', 20 * leaf, (file: Buffer) => flipped(file, 7 * leaf + 5), 7 * leaf],
    [
      'zeros where a tail was not written',
      20 * leaf,
      (file: Buffer) => file.fill(0, 15 * leaf + 9),
      15 * leaf,
    ],
    ['a half leaf at its end', 20 * leaf + 999, (file: Buffer) => file, 20 * leaf + 999],
    [
      'rubbish behind the end',
      base.bytes.length,
      (file: Buffer) => Buffer.concat([file, file]),
      base.target.about.leavesAt,
    ],
    [
      'a damaged last leaf in a whole file',
      base.bytes.length,
      (file: Buffer) => flipped(file, 39 * leaf + 1),
      39 * leaf,
    ],
    ['nothing in it', 0, (file: Buffer) => file, 0],
  ])('with %s: the longest right beginning is kept, the rest is fetched', async (_, bytes, spoil, kept) => {
    await begun(0);
    writeFileSync(part(), spoil(Buffer.from(base.bytes.subarray(0, bytes))));
    expectWhole(await fetch(base.target));
    expect(arrived).toBe(base.bytes.length - kept);
  });

  test('with a half leaf that is wrong: that leaf is fetched again, and nobody is blamed', async () => {
    await begun(0);
    writeFileSync(part(), flipped(base.bytes.subarray(0, 5 * leaf + 40_000), 5 * leaf + 8));
    expectWhole(await fetch(base.target));
    expect(arrived).toBeLessThan(base.bytes.length - 5 * leaf + leaf);
  });

  test('with leaf hashes that are wrong: they are fetched again', async () => {
    await begun(20 * leaf);
    writeFileSync(join(folder, `${base.target.sha256}.leaves`), Buffer.alloc(tailBytes));
    expectWhole(await fetch(base.target));
    expect(arrived).toBe(base.bytes.length - 20 * leaf);
  });

  test('although this process had verified it: it is found in the end, and healed by the next attempt', async () => {
    await begun(20 * leaf);
    writeFileSync(part(), flipped(base.bytes.subarray(0, 20 * leaf), 3));
    const verified = new Map([[base.target.sha256, 20 * leaf]]);
    expect(codeOf(await fetch(base.target, { verified }))).toBe('EDITION_DAMAGED');
    expectWhole(await fetch(base.target, { verified }));
  });

  test('with a delta that is wrong, in part or whole: it is fetched again, and nobody is blamed', async () => {
    mkdirSync(folder);
    for (const length of [1000, 150_000, delta.bytes.length, delta.bytes.length + 5]) {
      writeFileSync(part(delta), Buffer.alloc(length, 7));
      expectWhole(await fetch(delta.target), delta);
      expect(server.asked.at(-1)).toMatch(/bytes=0-199999$/);
    }
  });
});

describe('a file that is wrong at the centre', () => {
  test('by one bit is found within that leaf, and comes when it has been put right', async () => {
    server.put(base, flipped(base.bytes, 30 * leaf + 100));
    const result = await fetch(base.target);
    expect(codeOf(result)).toBe('EDITION_DAMAGED');
    expect(!result.ok && result.fault.detail).toContain(`from ${30 * leaf} on`);
    expect(statSync(part()).size).toBe(30 * leaf);
    expect(arrived).toBeLessThan(31 * leaf + tailBytes + leaf);
    expect(codeOf(await fetch(base.target))).toBe('EDITION_DAMAGED');
    expect(statSync(part()).size).toBe(30 * leaf);
    server.put(base);
    arrived = 0;
    expectWhole(await fetch(base.target));
    expect(arrived).toBe(10 * leaf - (40 * leaf - base.target.about.leavesAt));
  });

  test('in its leaf hashes is found before anything else comes', async () => {
    server.put(base, flipped(base.bytes, base.bytes.length - 1));
    expect(codeOf(await fetch(base.target))).toBe('EDITION_DAMAGED');
    expect(arrived).toBe(tailBytes);
    server.put(base);
    expectWhole(await fetch(base.target));
  });

  test('being a delta is found at its end and leaves nothing', async () => {
    server.put(delta, flipped(delta.bytes, 77_777));
    expect(codeOf(await fetch(delta.target))).toBe('EDITION_DAMAGED');
    expect(statSync(part(delta)).size).toBe(0);
    server.put(delta);
    expectWhole(await fetch(delta.target), delta);
  });

  test.each([base, delta])('and cut off or too long is refused before anything comes', async (file) => {
    for (const other of [
      file.bytes.subarray(0, -1),
      file.bytes.subarray(0, 10),
      Buffer.alloc(0),
      Buffer.concat([file.bytes, Buffer.alloc(1)]),
    ]) {
      server.put(file, other);
      expect(codeOf(await fetch(file.target))).toBe('EDITION_DAMAGED');
    }
    expect(arrived).toBe(0);
  });

  test('and missing is refused with its name', async () => {
    server.files.clear();
    const result = await fetch(delta.target);
    expect(result).toMatchObject({ fault: { code: 'CENTRAL_REFUSED' } });
    expect(!result.ok && result.fault.detail).toContain('sltd/13/delta');
  });

  test('and described by lengths that do not fit each other is not asked for', async () => {
    const about = { ...base.target.about, leavesAt: base.target.about.leavesAt - leaf };
    expect(codeOf(await fetch({ ...base.target, about }))).toBe('EDITION_DAMAGED');
    expect(server.asked).toEqual([]);
  });
});

describe('a server that does not know ranges', () => {
  const whole: Answer = (_, response, file) => void response.end(file);

  test('brings a file all the same where little comes in vain', async () => {
    mkdirSync(folder);
    server.answer = whole;
    writeFileSync(part(delta), delta.bytes.subarray(0, 60_000));
    expectWhole(await fetch(delta.target), delta);
    expect(arrived).toBe(140_000);
  });

  test('is refused where hours would be spent on nothing', async () => {
    server.answer = whole;
    expect(codeOf(await fetch(base.target))).toBe('CENTRAL_NONSENSE');
    expect(arrived).toBe(0);
    server.answer = wellBehaved;
    expectWhole(await fetch(base.target));
  });
});

describe('whoever downloads', () => {
  test('keeps to the budget', async () => {
    const clock = new TestClock();
    const budget = new Budget(clock, 100_000);
    const done = fetch(base.target, { budget });
    const ended = new AbortController();
    void done.then(() => ended.abort());
    let seconds = 0;
    while (!ended.signal.aborted) {
      // Whatever has come is paid for before more is taken: only then does time go on.
      await eventually(() => clock.waiting === 1 || ended.signal.aborted);
      expect(arrived).toBeLessThanOrEqual((seconds + 1) * 100_000 + leaf);
      await clock.advance(1000);
      seconds++;
    }
    expectWhole(await done);
    expect(seconds).toBeGreaterThanOrEqual(Math.floor(base.bytes.length / 100_000) - 1);
    expect(seconds).toBeLessThanOrEqual(Math.ceil(base.bytes.length / 100_000) + 1);
  });

  test('can be told to stop at any moment, and what has come is kept', async () => {
    for (const after of [0, tailBytes, 10 * leaf, 25 * leaf + 7]) {
      const stop = new AbortController();
      const before = arrived;
      if (after === 0) stop.abort();
      const result = await fetch(base.target, {
        signal: stop.signal,
        transport: {
          fetchRange: (path, order, take, signal) =>
            counting.fetchRange(
              path,
              order,
              (piece) => {
                if (arrived - before >= after) stop.abort();
                return take(piece);
              },
              signal,
            ),
        },
      });
      expect(codeOf(result)).toBe('EDITION_UNREACHABLE');
    }
    expectWhole(await fetch(base.target));
    expect(arrived).toBe(base.bytes.length);
  });

  test('is not held up by a budget when told to stop', async () => {
    const stop = new AbortController();
    const clock = new TestClock();
    const fetched = fetch(base.target, { budget: new Budget(clock, 1), signal: stop.signal });
    await eventually(() => clock.waiting === 1);
    stop.abort();
    expect(codeOf(await fetched)).toBe('EDITION_UNREACHABLE');
  });

  test('is told where it cannot write', async () => {
    mkdirSync(join(folder, '..'), { recursive: true });
    writeFileSync(folder, 'a file, not a folder');
    expect(codeOf(await fetch(base.target))).toBe('FILE_REFUSED');
    rmSync(folder);
    mkdirSync(part(), { recursive: true });
    expect(codeOf(await fetch(base.target))).toBe('FILE_REFUSED');
  });

  test('removes what was begun for other files, and nothing else', async () => {
    proxy.cutAfter(500_000);
    await fetch(base.target);
    await fetch(delta.target);
    writeFileSync(join(folder, 'notes.part'), '');
    expect(await tidyDownloads(folder, new Set([delta.target.sha256]))).toEqual({ ok: true, value: 2 });
    expect(readdirSync(folder).sort()).toEqual([`${delta.target.sha256}.part`, 'notes.part'].sort());
    expect(await tidyDownloads(join(folder, 'none'), new Set())).toEqual({ ok: true, value: 0 });
  });
});

describe('a disk that is full', () => {
  const reason = requires({ test: 'a download to a full disk', root: true, tools: ['mount', 'umount'] });
  beforeEach(() => {
    if (reason !== undefined) return;
    mkdirSync(folder);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder]);
  });
  afterEach(() => {
    if (reason === undefined) execFileSync('umount', [folder]);
  });

  test.skipIf(reason !== undefined)('is seen before hours are spent on what will not fit', async () => {
    writeFileSync(join(folder, 'others'), Buffer.alloc(3_000_000));
    const result = await fetch(base.target);
    expect(codeOf(result)).toBe('STORE_FULL');
    expect(arrived).toBe(0);
    rmSync(join(folder, 'others'));
    expectWhole(await fetch(base.target));
  });

  test.skipIf(reason !== undefined)(
    'while it downloads stops it, and what was written is gone on with when there is room',
    async () => {
      let filled = false;
      const result = await fetch(base.target, {
        progress: (bytes) => {
          if (bytes < 10 * leaf || filled) return;
          filled = true;
          try {
            writeFileSync(join(folder, 'others'), Buffer.alloc(4_000_000));
          } catch {
            // What fitted of it is there.
          }
        },
      });
      expect(codeOf(result)).toBe('STORE_FULL');
      truncateSync(join(folder, 'others'), 0);
      const before = arrived;
      expectWhole(await fetch(base.target));
      expect(arrived - before).toBeLessThan(base.bytes.length - 8 * leaf);
    },
  );
});
