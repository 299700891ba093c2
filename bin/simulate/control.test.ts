import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { FleetAnswer, FleetHands, FleetOrder } from '#test/rigs/fleet/orders.ts';
import { type ControlSocket, listenForOrders, order } from './control.ts';

let folder: string;
let path: string;
let obeyed: FleetOrder[];
let socket: ControlSocket | undefined;

const hands: FleetHands = {
  async obey(what): Promise<FleetAnswer> {
    obeyed.push(what);
    if (what.do === 'stop') throw new Error('The hands are tied.');
    return 'terminal' in what && what.terminal === 'XAA-0999-1'
      ? { ok: false, detail: 'There is no played terminal XAA-0999-1.' }
      : { ok: true };
  },
  close: async () => {},
};

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-control-'));
  path = join(folder, 'orders');
  obeyed = [];
  const listening = await listenForOrders(path, hands);
  socket = listening.ok ? listening.value : undefined;
});
afterEach(async () => {
  await socket?.close();
  rmSync(folder, { recursive: true });
});

/** What is answered to a line, whatever it is; nothing where it is hung up. */
function say(line: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const client = connect(path, () => client.write(`${line}\n`));
    client.on('data', (piece: Buffer) => {
      answer += piece.toString();
      client.end();
    });
    client.on('error', () => {});
    client.on('close', () => resolve(answer));
  });
}

test('An order is obeyed and answered, on a socket that nobody else can reach', async () => {
  const hurt = { do: 'hurt', terminal: 'XAA-0101-1', what: 'unplug-reader' } as const;
  expect(await order(path, hurt)).toEqual({ ok: true, value: { ok: true } });
  expect(obeyed).toEqual([hurt]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('An order for a terminal that there is not, or that cannot be done, is refused with the reason', async () => {
  const unknown = await order(path, { do: 'heal', terminal: 'XAA-0999-1' });
  expect(unknown).toMatchObject({
    ok: false,
    fault: { code: 'USAGE', detail: expect.stringContaining('XAA-0999-1') },
  });
  const tied = await order(path, { do: 'stop', terminal: 'XAA-0101-1' });
  expect(tied).toMatchObject({ ok: false, fault: { detail: expect.stringContaining('tied') } });
});

test.each([
  'no JSON',
  '{"do":"burn"}',
  '{"do":"hurt","terminal":"XAA-0101-1","what":"drown"}',
  '{"do":"count","x":1}',
])('The line %s is refused, and the socket goes on', async (line) => {
  expect(JSON.parse(await say(line))).toMatchObject({ ok: false });
  expect(obeyed).toEqual([]);
  expect((await order(path, { do: 'count' })).ok).toBe(true);
});

test('Whoever sends a line without an end is hung up on', async () => {
  expect(await say('x'.repeat(100_000))).toBe('');
  expect((await order(path, { do: 'count' })).ok).toBe(true);
});

test('Two fleets do not share a socket, but what a dead one left behind is taken over', async () => {
  expect(await listenForOrders(path, hands)).toMatchObject({ ok: false, fault: { code: 'ADDRESS_REFUSED' } });
  await socket?.close();
  writeFileSync(path, '');
  const again = await listenForOrders(path, hands);
  expect(again.ok).toBe(true);
  if (again.ok) socket = again.value;
});

test('Where no fleet listens, that is said', async () => {
  expect(await order(join(folder, 'none'), { do: 'count' })).toMatchObject({
    ok: false,
    fault: { code: 'SIMULATOR_SILENT' },
  });
});
