import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ok } from '#contracts/result.ts';
import type { UplinkSettings } from '#contracts/settings/uplink.ts';
import { silentLog } from '#runtime/log.ts';
import { TestClock } from '#runtime/test-clock.ts';
import { KeyStore } from '../keys/key-store.ts';
import { hubOf, type Slot, wireSlot } from '../keys/slots.ts';
import { createRotations, type Rotations } from './rotations.ts';
import { TestHub, testHubClient } from './test-hubs.ts';

let folder: string;
let clock: TestClock;
let store: KeyStore;
let hubs: TestHub[];
let rotations: Rotations;
let order: string[];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-rotations-'));
  clock = new TestClock();
  order = [];
  await open();
  const view = store.view('tunnel@one');
  const first = view.ok ? view.value.publicKey : '';
  hubs = ['one', 'two'].map((name) => new TestHub(name, first));
});
afterEach(async () => {
  await rotations?.close();
  rmSync(folder, { recursive: true });
});

async function open(): Promise<void> {
  const settings = {
    state: join(folder, 'state'),
    privateKey: join(folder, 'tunnel.key'),
    hubs: [{ name: 'one' }, { name: 'two' }],
    uplinks: [],
  } as unknown as Pick<UplinkSettings, 'state' | 'privateKey' | 'hubs' | 'uplinks'>;
  const opened = await KeyStore.open(settings, { clock });
  if (!opened.ok) throw new Error(opened.fault.detail);
  store = opened.value;
}

function create(): Rotations {
  rotations = createRotations({
    store,
    hubs: ['one', 'two'],
    client: testHubClient(hubs, 'tunnel'),
    applyKey: async (slot: Slot, which) => {
      order.push(`${slot} ${which}`);
      const view = store.view(slot);
      const hub = hubs.find(({ name }) => name === hubOf(slot));
      if (!view.ok || hub === undefined) return ok(undefined);
      const psk = store.presharedKeyText(slot, hub.name, which);
      hub.handshake(
        (which === 'next' ? view.value.next : view.value.publicKey) ?? '',
        psk.ok ? psk.value : null,
      );
      return ok(undefined);
    },
    prepare: async (slot) => void order.push(`${wireSlot(slot)} of ${hubOf(slot)} is left`),
    clock,
    log: silentLog,
    random: () => 1,
  });
  return rotations;
}

test('Slots are changed one after the other, each after the traffic was moved away from it', async () => {
  const outcomes = await create().rotate(['tunnel@two', 'tunnel@one']);
  expect([...outcomes.values()]).toEqual([{ kind: 'final' }, { kind: 'final' }]);
  expect(order).toEqual([
    'tunnel of two is left',
    'tunnel@two next',
    'tunnel of one is left',
    'tunnel@one next',
  ]);
  expect(rotations.state('tunnel@one')).toEqual({ state: 'current', detail: '' });
});

test('A hub that is down is asked again with longer and longer pauses, says why, and the change goes through when it is back', async () => {
  const [one] = hubs as [TestHub];
  one.answers = false;
  const outcomes = await create().rotate(['tunnel@one']);
  expect(outcomes.get('tunnel@one')).toMatchObject({ kind: 'waiting' });
  expect(rotations.state('tunnel@one')).toMatchObject({ state: 'rotating', detail: 'one: ECONNREFUSED.' });
  await expect.poll(() => clock.waiting).toBe(1);
  await clock.advance(999);
  expect(order.filter((what) => what.includes('left'))).toHaveLength(1);
  await clock.advance(1);
  await expect.poll(() => order.filter((what) => what.includes('left')).length).toBe(2);
  one.answers = true;
  await expect.poll(() => clock.waiting).toBe(1);
  // Told that a line is back, it does not wait for the end of the pause.
  rotations.retry();
  await expect.poll(() => rotations.state('tunnel@one')).toEqual({ state: 'current', detail: '' });
});

test('After the start, what lies unfinished on disk is gone on with, and nothing else', async () => {
  await store.makeNext('tunnel@two', ['two']);
  await open();
  create().resume();
  await expect.poll(() => hubs[1]?.offers).toBe(1);
  await expect.poll(() => rotations.state('tunnel@two').state).toBe('current');
  expect(hubs[0]?.offers).toBe(0);
});

test('A key that is not accepted is failed, and is tried again after an hour at most', async () => {
  const [one] = hubs as [TestHub];
  one.shakes = false;
  const running = create().rotate(['tunnel@one']);
  const state = { over: false };
  void running.then(() => (state.over = true));
  while (!state.over) {
    if (clock.waiting > 0) await clock.advance(200);
    else await new Promise((resolve) => setImmediate(resolve));
  }
  expect((await running).get('tunnel@one')).toMatchObject({ kind: 'failed' });
  await expect.poll(() => rotations.state('tunnel@one').state).toBe('failed');
  one.shakes = true;
  await expect.poll(() => clock.waiting).toBe(1);
  await clock.advance(3_600_000);
  await expect.poll(() => rotations.state('tunnel@one').state).toBe('current');
});

test('What throws on the way is told as a fault and tried again', async () => {
  create();
  const broken = createRotations({
    store,
    hubs: ['one', 'two'],
    client: testHubClient(hubs, 'tunnel'),
    applyKey: async () => ok(undefined),
    prepare: async () => {
      throw new TypeError('nowhere to go');
    },
    clock,
    log: silentLog,
    random: () => 1,
  });
  const outcomes = await broken.rotate(['tunnel@one']);
  expect(outcomes.get('tunnel@one')).toMatchObject({ kind: 'waiting', fault: { code: 'INTERNAL' } });
  await broken.close();
});

test('Closed while it waits, it ends at once and leaves no timer', async () => {
  const [one] = hubs as [TestHub];
  one.answers = false;
  await create().rotate(['tunnel@one']);
  await rotations.close();
  expect(clock.waiting).toBe(0);
});
