import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Budget, type DownloadParts, downloadTarget, HttpsEditionTransport } from '#agent/editions/index.ts';
import { targetPath } from '#contracts/edition-target.ts';
import type { Result } from '#contracts/result.ts';
import { systemClock } from '#runtime/clock.ts';
import { TestClock } from '#runtime/test-clock.ts';
import { type EditionCentre, startEditionCentre } from '../rigs/edition-centre.ts';
import { makeBase, makeDelta } from '../rigs/edition-server.ts';
import { eventually } from '../rigs/eventually.ts';
import { seeded } from '../rigs/random.ts';
import { startTcpProxy, type TcpProxy } from '../rigs/tcp-proxy.ts';

/** A terminal's downloads from the centre's own service, over a line that a test breaks. */
const leaf = 65_536;
const base = makeBase(100 * leaf + 777);
const delta = makeDelta(100_000);

let folder: string;
let clock: TestClock;
let centre: EditionCentre;
let proxy: TcpProxy;
let transport: HttpsEditionTransport;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-edition-download-'));
  clock = new TestClock(new Date().toISOString());
  centre = await startEditionCentre({ folder, clock });
  for (const { target, bytes } of [base, delta]) centre.put(targetPath(target), bytes);
  centre.put('metadata/timestamp.json', JSON.stringify({ signed: 'x'.repeat(3000) }));
  proxy = await startTcpProxy(centre.port);
  transport = new HttpsEditionTransport({
    url: `https://localhost:${proxy.port}`,
    tls: {
      authority: centre.authority.certificate,
      certificate: centre.terminal.certificate,
      key: centre.terminal.key,
    },
    clock: systemClock,
  });
});
afterEach(async () => {
  transport.close();
  await proxy.close();
  await centre.service.close();
  rmSync(folder, { recursive: true, force: true });
});

function fetch(file: typeof base | typeof delta, over: Partial<DownloadParts> = {}): Promise<Result<string>> {
  return downloadTarget(file.target, {
    transport,
    folder: join(folder, 'downloads'),
    budget: new Budget(systemClock, 0),
    signal: new AbortController().signal,
    ...over,
  });
}

function pathOf(result: Result<string>): string {
  if (!result.ok) throw new Error(result.fault.detail);
  return result.value;
}

test('A base arrives whole over a line that breaks all the time, with little fetched twice', async () => {
  const random = seeded(21);
  let broken = 0;
  for (;;) {
    proxy.cutAfter(10_000 + Math.floor(random() ** 2 * 1_000_000));
    const result = await fetch(base);
    if (result.ok) {
      expect(readFileSync(result.value).equals(base.bytes)).toBe(true);
      break;
    }
    expect(result.fault.code).toBe('EDITION_UNREACHABLE');
    expect(++broken).toBeLessThan(200);
  }
  expect(broken).toBeGreaterThan(5);
  expect(proxy.passed).toBeLessThan(base.bytes.length * 1.01 + broken * (leaf + 5000));
});

test('Metadata and a delta come on one connection, and unchanged metadata costs a few hundred bytes', async () => {
  const first = await transport.fetchSmall('metadata/timestamp.json', 10_000);
  if (!first.ok || typeof first.value !== 'object') throw new Error('It did not come.');
  expect(first.value.bytes).toHaveLength(3013);
  const { etag = '' } = first.value;
  const before = proxy.passed;
  expect(await transport.fetchSmall('metadata/timestamp.json', 10_000, { etag })).toEqual({
    ok: true,
    value: 'unchanged',
  });
  expect(proxy.passed - before).toBeLessThan(400);
  expect(await transport.fetchSmall('metadata/2.root.json', 10_000)).toEqual({ ok: true, value: 'absent' });
  expect(readFileSync(pathOf(await fetch(delta))).equals(delta.bytes)).toBe(true);
  expect(proxy.accepted).toBe(1);
});

test('A file that is damaged at the centre costs one leaf, and goes on when it has been put right', async () => {
  const bad = Buffer.from(base.bytes);
  bad[50 * leaf] = (bad[50 * leaf] ?? 0) ^ 0x80;
  centre.put(targetPath(base.target), bad);
  expect(await fetch(base)).toMatchObject({ fault: { code: 'EDITION_DAMAGED' } });
  centre.put(targetPath(base.target), base.bytes);
  // What was under way when the damage was found is not what the next attempt costs.
  await eventually(() => proxy.open === 0, { what: 'the broken download ending' });
  const before = proxy.passed;
  expect(readFileSync(pathOf(await fetch(base))).equals(base.bytes)).toBe(true);
  expect(proxy.passed - before).toBeLessThan(51.5 * leaf);
});

test('A terminal that is revoked in the middle of a download is cut off, and told why when it asks again', async () => {
  // More than the buffers between them hold; and its leaf hashes are within the first second of the budget.
  const large = makeBase(640 * leaf);
  centre.put(targetPath(large.target), large.bytes);
  const budget = new Budget(clock, 100_000);
  const fetched = fetch(large, { budget });
  await eventually(() => proxy.passed > leaf);
  centre.register({ revokedAt: '2026-11-24T08:00:00.000Z' });
  let result: Result<string> | undefined;
  void fetched.then((ended) => (result = ended));
  // What is in the buffers between them still comes, at the budget's pace.
  await eventually(async () => {
    await clock.advance(10_000);
    return result;
  });
  expect(result).toMatchObject({ fault: { code: 'EDITION_UNREACHABLE' } });
  const again = await fetch(large);
  expect(again).toMatchObject({ fault: { code: 'CENTRAL_REFUSED' } });
  expect(!again.ok && again.fault.detail).toContain('TERMINAL_UNKNOWN');
});
