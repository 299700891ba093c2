import { mkdtempSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TerminalDetail } from '#contracts/api/fleet.ts';
import type { UplinkStatus } from '#contracts/uplink.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { removeFolder, type Stack, startStack } from '#test/rigs/stack.ts';
import { wellStatus } from '#test/rigs/uplink-status.ts';

// A whole terminal whose helper of the uplink comes and goes: what the operators see of it at the centre.

let folder: string;
let stack: Stack;
let helper: Server | undefined;
const sockets = new Set<Socket>();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-helper-'));
  stack = await startStack({
    folder,
    agent: {
      uplink: { socket: join(folder, 'control.sock') },
      fleet: { sampleMillis: 500 },
    },
  });
}, 60_000);
afterAll(async () => {
  await helperEnds();
  await stack.close();
  removeFolder(folder);
});

async function helperSays(status: UplinkStatus): Promise<void> {
  await helperEnds();
  helper = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', () => socket.write(`${JSON.stringify({ id: 1, ok: true, status })}\n`));
  });
  await new Promise<void>((done) => helper?.listen(join(folder, 'control.sock'), done));
}

async function helperEnds(): Promise<void> {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  await new Promise<void>((done) => (helper === undefined ? done() : helper.close(() => done())));
  helper = undefined;
}

async function detail(): Promise<TerminalDetail> {
  const response = await fetch(`${stack.consoleUrl}/api/v1/terminals/${stack.terminal}`);
  return (await response.json()) as TerminalDetail;
}

/** Waits until the centre knows just these conditions of the uplink. */
async function conditions(...codes: readonly string[]): Promise<TerminalDetail> {
  return eventually(
    async () => {
      const now = await detail();
      const found = (now.health.conditions ?? []).map(({ code, subject }) =>
        `${code} ${subject ?? ''}`.trim(),
      );
      const ofUplink = found.filter((code) => /^(uplink|line|hub|firewall)/.test(code));
      return ofUplink.join() === codes.join() && now;
    },
    { timeoutMs: 40_000, what: `the conditions ${codes.join()}` },
  );
}

test('The centre sees the uplinks, and that the helper is gone; documents are answered all the while', async () => {
  await helperSays(wellStatus);
  await eventually(() => stack.linkIsUp());
  const well = await eventually(async () => (await detail()).health.uplink, { timeoutMs: 20_000 });
  await conditions();
  expect(well).toMatchObject({ state: 'up', uplink: 'dsl', hub: 'hub-one' });

  await helperSays({
    ...wellStatus,
    uplinks: wellStatus.uplinks.map((line) => (line.name === 'lte' ? { ...line, state: 'no-data' } : line)),
  });
  expect((await conditions('line-no-data lte')).health.uplink?.uplinks[1]).toMatchObject({
    state: 'no-data',
  });

  await helperEnds();
  expect((await conditions('uplink-helper-absent')).health.uplink).toBeNull();
  expect(await stack.linkIsUp()).toBe(true);

  await helperSays(wellStatus);
  await conditions();
}, 120_000);
