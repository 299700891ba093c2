import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { UplinkSettings } from '#contracts/settings/uplink.ts';
import { TestClock } from '#runtime/test-clock.ts';
import { newPrivateKey } from './key-file.ts';
import { KeyStore } from './key-store.ts';

let folder: string;
let clock: TestClock;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-keys-'));
  clock = new TestClock();
  mkdirSync(join(folder, 'psk'));
  for (const hub of ['one', 'two']) writeSecret(`psk/${hub}.psk`);
});
afterEach(() => rmSync(folder, { recursive: true }));

function writeSecret(name: string): string {
  const text = newPrivateKey();
  writeFileSync(join(folder, name), `${text}\n`, { mode: 0o600 });
  return text;
}

function settings(presharedKeys = true) {
  return {
    state: join(folder, 'state'),
    privateKey: join(folder, 'tunnel.key'),
    ...(presharedKeys && { presharedKeys: join(folder, 'psk') }),
    hubs: [{ name: 'one' }, { name: 'two' }],
    uplinks: [{ name: 'dsl' }],
  } as Pick<UplinkSettings, 'state' | 'privateKey' | 'presharedKeys' | 'hubs' | 'uplinks'>;
}

async function open(presharedKeys = true): Promise<KeyStore> {
  const store = await KeyStore.open(settings(presharedKeys), { clock });
  if (!store.ok) throw new Error(store.fault.detail);
  return store.value;
}

function view(store: KeyStore, slot: 'tunnel@one' | 'tunnel@two' | 'probe-dsl') {
  const seen = store.view(slot);
  if (!seen.ok) throw new Error(seen.fault.detail);
  return seen.value;
}

/** Every file of the store with its mode. */
function files(): Record<string, number> {
  const found = readdirSync(join(folder, 'state'), { recursive: true, encoding: 'utf8' });
  const plain = found.map((name) => join(folder, 'state', name)).filter((file) => statSync(file).isFile());
  return Object.fromEntries(plain.map((file) => [file, statSync(file).mode & 0o777]));
}

test('The first key of every tunnel is that of the enrolment, where it lies, and a probe gets one of its own', async () => {
  const store = await open();
  expect(store.slots).toEqual(['tunnel@one', 'tunnel@two', 'probe-dsl']);
  expect(store.keyFile('tunnel@one')).toBe(join(folder, 'tunnel.key'));
  expect(store.keyFile('tunnel@two')).toBe(join(folder, 'tunnel.key'));
  expect(store.presharedKeyFile('tunnel@two', 'two')).toBe(join(folder, 'psk/two.psk'));
  expect(store.presharedKeyFile('probe-dsl', 'one')).toBe(join(folder, 'psk/one.psk'));
  const keys = store.publicKeys();
  if (!keys.ok) throw new Error(keys.fault.detail);
  const { tunnel, tunnels, probes } = keys.value;
  expect(tunnels).toEqual({ one: tunnel, two: tunnel });
  expect(Object.keys(probes)).toEqual(['dsl']);
  expect(probes['dsl']).not.toBe(tunnel);
  expect((await open()).publicKeys()).toEqual(keys);
});

test('Where there are no preshared keys, there are none', async () => {
  const store = await open(false);
  expect(store.presharedKeyFile('tunnel@one', 'one')).toBeNull();
  expect(store.presharedKeyText('tunnel@one', 'one')).toEqual({ ok: true, value: null });
});

test('A new key outlasts a restart at every step, and is the same', async () => {
  const first = await open();
  expect(await first.makeNext('tunnel@one', ['one'])).toMatchObject({ ok: true });
  const { next } = view(first, 'tunnel@one');
  expect(next).not.toBeNull();
  const second = await open();
  expect(view(second, 'tunnel@one')).toMatchObject({ next, offered: false, applied: 'current' });
  // Made once only.
  await second.makeNext('tunnel@one', ['one']);
  expect(view(second, 'tunnel@one').next).toBe(next);
  expect(await second.setApplied('tunnel@one', 'next')).toMatchObject({ ok: true });
  const third = await open();
  expect(view(third, 'tunnel@one')).toMatchObject({ next, offered: true, applied: 'next' });
  const file = third.keyFile('tunnel@one');
  expect(file).toBe(third.keyFile('tunnel@one', 'next'));
  const psk = third.presharedKeyText('tunnel@one', 'one');
  expect(psk.ok && psk.value).not.toBe(readFileSync(join(folder, 'psk/one.psk'), 'utf8').trim());
  await clock.advance(5000);
  expect(await third.finish('tunnel@one')).toMatchObject({ ok: true });
  const fourth = await open();
  expect(view(fourth, 'tunnel@one')).toMatchObject({
    publicKey: next,
    next: null,
    offered: false,
    applied: 'current',
    since: clock.wall(),
  });
  // The file of a key keeps its place: whoever was told of it reads it still.
  expect(fourth.keyFile('tunnel@one')).toBe(file);
  expect(fourth.presharedKeyText('tunnel@one', 'one')).toEqual(psk);
  expect(view(fourth, 'tunnel@two').publicKey).not.toBe(next);
});

test('When a key is in force, the one before it is gone, and only its owner may read what is there', async () => {
  const store = await open();
  const before = store.keyFile('probe-dsl');
  for (let turn = 0; turn < 3; turn++) {
    await store.makeNext('probe-dsl', ['one', 'two']);
    await store.setApplied('probe-dsl', 'next');
    await store.finish('probe-dsl');
  }
  expect(existsSync(before)).toBe(false);
  const left = Object.keys(files()).filter((file) => file.includes('probe-dsl'));
  expect(left.map((file) => basename(file)).sort()).toEqual(['4.key', '4.one.psk', '4.two.psk', 'slot.json']);
  expect(new Set(Object.values(files()))).toEqual(new Set([0o600]));
});

test('A hub that was added while a key is on its way gets a preshared key of its own, and the others keep theirs', async () => {
  const store = await open();
  await store.makeNext('probe-dsl', ['one']);
  const one = store.presharedKeyText('probe-dsl', 'one', 'next');
  await store.makeNext('probe-dsl', ['one', 'two']);
  const two = store.presharedKeyText('probe-dsl', 'two', 'next');
  expect(store.presharedKeyText('probe-dsl', 'one', 'next')).toEqual(one);
  expect(two).not.toEqual(one);
});

test('After a new enrolment the rotated keys are void', async () => {
  const store = await open();
  await store.makeNext('tunnel@one', ['one']);
  await store.setApplied('tunnel@one', 'next');
  await store.finish('tunnel@one');
  writeSecret('tunnel.key');
  const again = await open();
  expect(again.keyFile('tunnel@one')).toBe(join(folder, 'tunnel.key'));
  expect(Object.keys(files()).filter((file) => /tunnel@one.*key$/.test(file))).toEqual([]);
});

test('The age of the key of the enrolment is that of its file', async () => {
  const store = await open();
  const { since } = view(store, 'tunnel@one');
  expect(since).toBe(statSync(join(folder, 'tunnel.key')).mtimeMs);
});

test.each([
  ['a key that others may read', (file: string) => chmodSync(file, 0o644)],
  ['a key that is none', (file: string) => writeFileSync(file, 'swordfish\n')],
  ['a key that is gone', (file: string) => rmSync(file)],
])('%s is a fault that names the file, and nothing of what stands in it', async (_, damage) => {
  const store = await open();
  const file = store.keyFile('probe-dsl');
  damage(file);
  const opened = await KeyStore.open(settings(), { clock });
  expect(opened).toMatchObject({ ok: false, fault: { code: 'CREDENTIAL_UNREADABLE' } });
  const said = opened.ok ? '' : opened.fault.detail;
  expect(said).toContain(file);
  expect(said).not.toContain('swordfish');
  expect(store.privateKeyText('probe-dsl')).toMatchObject({ ok: false });
});

test.each([
  '',
  '{"v":2}',
  '[]',
  '{"v":1,"enrolment":null,"current":1,"next":null,"offered":true,"applied":"next","since":null}',
])('A damaged list of a slot (%j) is a fault and never a silent new key', async (text) => {
  await open();
  const file = join(folder, 'state/keys/probe-dsl/slot.json');
  writeFileSync(file, text);
  const opened = await KeyStore.open(settings(), { clock });
  expect(opened).toMatchObject({ ok: false, fault: { code: 'CREDENTIAL_UNREADABLE' } });
  expect(opened.ok ? '' : opened.fault.detail).toContain(file);
});

test('A key that follows nothing cannot be applied or kept', async () => {
  const store = await open();
  expect(await store.setApplied('probe-dsl', 'next')).toMatchObject({ ok: false });
  expect(await store.finish('probe-dsl')).toMatchObject({ ok: false });
});
