import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ok } from '#contracts/result.ts';
import type { UplinkSettings } from '#contracts/settings/uplink.ts';
import { silentLog } from '#runtime/log.ts';
import { TestClock } from '#runtime/test-clock.ts';
import { KeyStore } from '../keys/key-store.ts';
import { hubsOf, type Slot, wireSlot } from '../keys/slots.ts';
import { type RotationOutcome, rotateSlot, type RotationStep } from './rotation.ts';
import { TestHub, testHubClient } from './test-hubs.ts';

let folder: string;
let clock: TestClock;
let hubs: TestHub[];
/** What the interface of the slot has been given last. */
let given: { key: string; working: readonly string[] } | undefined;
let applied: string[];
/** Called when the interface is given the old key again. */
let onBack: () => void;
/** Called before it is given the new one. */
let onNext: () => void;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-rotation-'));
  mkdirSync(join(folder, 'state'));
  clock = new TestClock();
  applied = [];
  onBack = onNext = () => {};
  given = undefined;
});
afterEach(() => rmSync(folder, { recursive: true }));

async function openStore(): Promise<KeyStore> {
  const settings = {
    state: join(folder, 'state'),
    privateKey: join(folder, 'tunnel.key'),
    hubs: [{ name: 'one' }, { name: 'two' }],
    uplinks: [{ name: 'dsl' }],
  } as Pick<UplinkSettings, 'state' | 'privateKey' | 'hubs' | 'uplinks'>;
  const store = await KeyStore.open(settings, { clock });
  if (!store.ok) throw new Error(store.fault.detail);
  return store.value;
}

class Killed extends Error {}

/** A process of the terminal: opens the store from disk, gives the interface its key, and tries once. */
async function terminal(slot: Slot, killAt?: RotationStep): Promise<RotationOutcome | 'killed'> {
  const store = await openStore();
  const names = hubsOf(slot, ['one', 'two']);
  const applyKey = async (_: Slot, which: 'current' | 'next') => {
    const before = applied.at(-1);
    applied.push(which);
    if (which === 'next') onNext();
    const view = store.view(slot);
    if (!view.ok) return view;
    const key = which === 'next' ? (view.value.next ?? '') : view.value.publicKey;
    const working = hubs.filter((hub) => {
      const psk = store.presharedKeyText(slot, hub.name, which);
      return names.includes(hub.name) && hub.handshake(key, psk.ok ? psk.value : null);
    });
    given = { key, working: working.map(({ name }) => name) };
    if (which === 'current' && before === 'next') onBack();
    return ok(undefined);
  };
  const view = store.view(slot);
  if (view.ok) await applyKey(slot, view.value.applied);
  const attempt = rotateSlot(slot, names, {
    store,
    client: testHubClient(hubs, wireSlot(slot)),
    applyKey,
    clock,
    log: silentLog,
    signal: new AbortController().signal,
    onStep: (_, step) => {
      if (step === killAt) throw new Killed();
    },
  });
  const state = { settled: false };
  const over = attempt.then(
    (outcome) => outcome,
    (thrown: unknown) => {
      if (thrown instanceof Killed) return 'killed' as const;
      throw thrown;
    },
  );
  void over.finally(() => (state.settled = true));
  // Time passes only while somebody waits for it: files are written in real time.
  while (!state.settled) {
    if (clock.waiting > 0) await clock.advance(200);
    else await new Promise((resolve) => setImmediate(resolve));
  }
  return over;
}

async function start(slot: Slot): Promise<string> {
  const view = (await openStore()).view(slot);
  if (!view.ok) throw new Error(view.fault.detail);
  const { publicKey } = view.value;
  hubs = [new TestHub('one', publicKey), new TestHub('two', publicKey)];
  return publicKey;
}

async function expectOneKey(slot: Slot, before: string): Promise<void> {
  const view = (await openStore()).view(slot);
  if (!view.ok) throw new Error(view.fault.detail);
  expect(view.value).toMatchObject({ next: null, applied: 'current' });
  expect(view.value.publicKey).not.toBe(before);
  const names = hubsOf(slot, ['one', 'two']);
  for (const hub of hubs.filter(({ name }) => names.includes(name)))
    expect(hub).toMatchObject({ current: view.value.publicKey, candidate: null });
  expect(given).toEqual({ key: view.value.publicKey, working: names });
  const left = readdirSync(join(folder, 'state/keys', slot)).filter((file) => file.endsWith('.key'));
  expect(left).toHaveLength(1);
}

const steps: readonly RotationStep[] = ['made', 'offered', 'switched', 'accepted', 'final'];

describe.each(['tunnel@one', 'probe-dsl'] as const)('A change of the key of %s', (slot) => {
  test('goes through in one attempt', async () => {
    const before = await start(slot);
    expect(await terminal(slot)).toEqual({ kind: 'final' });
    await expectOneKey(slot, before);
    expect(applied).toEqual(['current', 'next']);
  });

  test.each(steps)('that is killed after "%s" ends with one key on both sides', async (step) => {
    const before = await start(slot);
    expect(await terminal(slot, step)).toBe('killed');
    // What is in the interface works with every hub, whenever it was that the process died.
    expect(given?.working).toEqual(hubsOf(slot, ['one', 'two']));
    if (step !== 'final') expect(await terminal(slot)).toEqual({ kind: 'final' });
    else await terminal(slot, 'made');
    if (step !== 'final') await expectOneKey(slot, before);
  });

  test.each(steps.slice(1, 4))(
    'that is killed after "%s" five times in a row makes one new key only',
    async (step) => {
      const before = await start(slot);
      for (let turn = 0; turn < 5; turn++) expect(await terminal(slot, step)).toBe('killed');
      expect(await terminal(slot)).toEqual({ kind: 'final' });
      await expectOneKey(slot, before);
      expect(hubs[0]?.offers).toBe(1);
    },
  );
});

test('While one of the hubs does not know the key of a probe, the interface keeps the old one', async () => {
  const before = await start('probe-dsl');
  const [, two] = hubs as [TestHub, TestHub];
  two.answers = false;
  expect(await terminal('probe-dsl')).toMatchObject({ kind: 'waiting', fault: { code: 'HUB_UNREACHABLE' } });
  expect(given).toEqual({ key: before, working: ['one', 'two'] });
  two.answers = true;
  expect(await terminal('probe-dsl')).toEqual({ kind: 'final' });
  await expectOneKey('probe-dsl', before);
});

test('A hub that goes down after the offer keeps the change open, and it is finished when the hub is back', async () => {
  const before = await start('probe-dsl');
  const [, two] = hubs as [TestHub, TestHub];
  // It dies at the moment of the switch: asked, told, and then gone.
  expect(await terminal('probe-dsl', 'offered')).toBe('killed');
  onNext = () => (two.answers = two.shakes = false);
  expect(await terminal('probe-dsl')).toMatchObject({ kind: 'waiting', fault: { code: 'HUB_UNREACHABLE' } });
  // There is no way back, since the other has nothing but the new key; both stay on disk.
  expect(given?.working).toEqual(['one']);
  expect(await terminal('probe-dsl')).toMatchObject({ kind: 'waiting' });
  expect(given?.working).toEqual(['one']);
  onNext = () => {};
  two.answers = two.shakes = true;
  expect(await terminal('probe-dsl')).toEqual({ kind: 'final' });
  await expectOneKey('probe-dsl', before);
});

test('A hub that sees no handshake of the new key within ten seconds gets the old one back, and the fault is ROTATION_FAILED', async () => {
  const before = await start('tunnel@one');
  const [one] = hubs as [TestHub];
  expect(await terminal('tunnel@one', 'offered')).toBe('killed');
  one.shakes = false;
  const began = clock.monotonic();
  const outcome = await terminal('tunnel@one');
  expect(outcome).toMatchObject({ kind: 'failed', fault: { code: 'ROTATION_FAILED' } });
  expect(clock.monotonic() - began).toBeLessThan(13_000);
  expect(given?.key).toBe(before);
  expect(applied.at(-1)).toBe('current');
  // The hub takes the old one still, and the same new one later.
  one.shakes = true;
  expect(one.handshake(before, null)).toBe(true);
  expect(await terminal('tunnel@one')).toEqual({ kind: 'final' });
  await expectOneKey('tunnel@one', before);
  expect(one.offers).toBe(1);
});

test('A handshake that arrives while the terminal goes back is found out at once and not after hours', async () => {
  const before = await start('tunnel@one');
  const [one] = hubs as [TestHub];
  expect(await terminal('tunnel@one', 'offered')).toBe('killed');
  one.shakes = false;
  const { candidate } = one;
  // As from a line that holds packets back: just after the last question of the ten seconds.
  given = undefined;
  onBack = () => {
    one.shakes = true;
    one.handshake(candidate?.publicKey ?? '', candidate?.presharedKey ?? null);
  };
  expect(await terminal('tunnel@one')).toMatchObject({ kind: 'waiting' });
  expect(await terminal('tunnel@one')).toEqual({ kind: 'final' });
  await expectOneKey('tunnel@one', before);
});

test('A tunnel whose hub does not answer after the switch keeps the new key: the hub may have nothing else any more', async () => {
  const before = await start('tunnel@one');
  const [one] = hubs as [TestHub];
  expect(await terminal('tunnel@one', 'switched')).toBe('killed');
  one.answers = false;
  expect(await terminal('tunnel@one')).toMatchObject({ kind: 'waiting' });
  expect(given?.working).toEqual(['one']);
  one.answers = true;
  expect(await terminal('tunnel@one')).toEqual({ kind: 'final' });
  await expectOneKey('tunnel@one', before);
});

test('A probe that no hub answers over tries both keys by turns, so that neither side can shut the other out', async () => {
  const before = await start('probe-dsl');
  expect(await terminal('probe-dsl', 'switched')).toBe('killed');
  // The hubs lost the candidate and have the old key: asked through the probe itself, they hear nothing.
  for (const hub of hubs) Object.assign(hub, { current: before, presharedKey: null, answers: false });
  expect(await terminal('probe-dsl')).toMatchObject({ kind: 'waiting' });
  expect(given).toEqual({ key: before, working: ['one', 'two'] });
  for (const hub of hubs) hub.answers = true;
  expect(await terminal('probe-dsl')).toEqual({ kind: 'final' });
  await expectOneKey('probe-dsl', before);
});

test('A hub that does not know the slot is a fault that says so', async () => {
  await start('tunnel@one');
  const store = await openStore();
  const outcome = await rotateSlot('tunnel@one', ['one'], {
    store,
    client: testHubClient(hubs, 'probe-other'),
    applyKey: async () => ok(undefined),
    clock,
    log: silentLog,
    signal: new AbortController().signal,
  });
  expect(outcome).toMatchObject({ kind: 'waiting', fault: { code: 'HUB_REFUSED' } });
});
