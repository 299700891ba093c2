import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { HubSettings, HubTerminal } from '#contracts/settings/hub.ts';
import type { Children } from '#runtime/child.ts';
import { silentLog } from '#runtime/log.ts';
import { TestClock } from '#runtime/test-clock.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { watchCandidates } from './candidate-watch.ts';
import { Keyring } from './keyring.ts';
import { listTerminals, resetTerminal } from './once.ts';
import { Peers } from './peers.ts';
import { Routes } from './routes.ts';
import { readTerminals } from './terminals.ts';
import { TestWg } from './test-wg.ts';

const none = `${'A'.repeat(43)}=`;
const key = (name: string): string => createHash('sha256').update(name).digest('base64');
const site = 'UTO-0001-1';
let folder: string;
let wg: TestWg;
let clock: TestClock;
let settings: HubSettings;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-hub-'));
  wg = new TestWg();
  clock = new TestClock();
  settings = {
    name: 'one',
    interface: 'cphub',
    mode: 'auto',
    privateKey: join(folder, 'hub.key'),
    listenPort: 51_820,
    mtu: 1420,
    address: '10.77.255.1',
    probeAddress: '10.78.255.1',
    servicePort: 51_821,
    terminals: join(folder, 'terminals.json'),
    state: join(folder, 'state'),
    log: { level: 'info' },
  };
  mkdirSync(settings.state);
  writeList([terminal(1), terminal(2)]);
});
afterEach(() => rmSync(folder, { recursive: true }));

function terminal(number: number): HubTerminal {
  return {
    terminal: `UTO-000${number}-1`,
    address: `10.77.0.${number}`,
    publicKey: key(`tunnel ${number}`),
    presharedKey: key(`psk ${number}`),
    probes: [{ uplink: 'dsl', address: `10.78.0.${number}`, publicKey: key(`probe ${number}`) }],
  };
}

function writeList(terminals: readonly HubTerminal[]): void {
  writeFileSync(settings.terminals, JSON.stringify(terminals), { mode: 0o600 });
}

/** A hub's service as it starts: all from disk. */
async function start(): Promise<Keyring> {
  const known = readTerminals(settings);
  if (!known.ok) throw new Error(known.fault.detail);
  const keyring = new Keyring(known.value, {
    settings,
    privateKey: readFileSync(settings.privateKey, 'utf8').trim(),
    peers: new Peers(settings.interface, wg.children),
    routes: new Routes(settings.interface, wg.children),
    clock,
    log: silentLog,
  });
  expect(await keyring.sync()).toMatchObject({ ok: true });
  return keyring;
}

const offerOf = (name: string, slot = 'tunnel') => ({
  id: 1,
  verb: 'offer' as const,
  slot,
  publicKey: key(name),
  presharedKey: key(`psk of ${name}`),
});
const stateFile = (): string => join(settings.state, `terminals/${site}.json`);

function shake(name: string, at = clock.wall() / 1000): void {
  const peer = wg.peers.get(key(name));
  if (peer === undefined) throw new Error(`no peer ${name}`);
  peer.handshake = Math.round(at);
}

test('At the start the interface gets every peer and route with one call each, and no secret stands in an argument', async () => {
  await start();
  expect(wg.peers.get(key('tunnel 1'))).toMatchObject({ address: '10.77.0.1', presharedKey: key('psk 1') });
  expect(wg.peers.get(key('probe 2'))).toMatchObject({ address: '10.78.0.2', presharedKey: none });
  expect([...wg.routes.keys()].sort()).toEqual(['10.77.0.1', '10.77.0.2', '10.78.0.1', '10.78.0.2']);
  expect(wg.calls.map(({ args }) => args)).toEqual([
    'wg syncconf cphub /dev/stdin',
    'ip -4 -json route show dev cphub',
    'ip -force -batch -',
  ]);
});

test('An offer is on disk with mode 0600 and in the interface without an address before it is answered', async () => {
  const keyring = await start();
  wg.calls.length = 0;
  expect(await keyring.offer(site, offerOf('new'))).toMatchObject({ ok: true });
  expect(statSync(stateFile()).mode & 0o777).toBe(0o600);
  expect(readFileSync(stateFile(), 'utf8')).toContain(key('new'));
  expect(wg.peers.get(key('new'))).toMatchObject({ address: null, presharedKey: key('psk of new') });
  expect(wg.peers.get(key('tunnel 1'))).toMatchObject({ address: '10.77.0.1' });
  expect(keyring.keys(site)).toContainEqual({
    slot: 'tunnel',
    current: key('tunnel 1'),
    candidate: key('new'),
  });
  const args = wg.calls.map((call) => call.args).join('\n');
  expect(args).not.toContain(key('psk of new'));
});

test('At its first handshake the candidate gets the address, and the old key is gone', async () => {
  const keyring = await start();
  await keyring.offer(site, offerOf('new'));
  await keyring.look();
  expect(keyring.keys(site)).toContainEqual({
    slot: 'tunnel',
    current: key('tunnel 1'),
    candidate: key('new'),
  });
  shake('new');
  await keyring.look();
  expect(keyring.keys(site)).toContainEqual({ slot: 'tunnel', current: key('new'), candidate: null });
  expect(wg.peers.get(key('new'))).toMatchObject({ address: '10.77.0.1' });
  expect(wg.peers.has(key('tunnel 1'))).toBe(false);
  expect(keyring.waiting).toBe(false);
});

test('After a crash all comes back from disk: keys in force, and candidates', async () => {
  const first = await start();
  await first.offer(site, offerOf('new'));
  await first.offer(site, offerOf('probe', 'probe-dsl'));
  shake('new');
  await first.look();
  wg = new TestWg();
  const second = await start();
  expect(second.keys(site)).toEqual(first.keys(site));
  expect(second.waiting).toBe(true);
  expect(wg.peers.get(key('new'))).toMatchObject({ address: '10.77.0.1', presharedKey: key('psk of new') });
  expect(wg.peers.get(key('probe'))).toMatchObject({ address: null });
  expect(wg.peers.has(key('tunnel 1'))).toBe(false);
});

test('A crash between disk and interface is made good at the start', async () => {
  const first = await start();
  await first.offer(site, offerOf('new'));
  shake('new');
  wg.broken = { tool: 'wg', says: 'killed' };
  await first.look();
  wg.broken = undefined;
  expect(wg.peers.get(key('new'))).toMatchObject({ address: null });
  await start();
  expect(wg.peers.has(key('tunnel 1'))).toBe(true);
  shake('new');
  const second = await start();
  await second.look();
  expect(wg.peers.get(key('new'))).toMatchObject({ address: '10.77.0.1' });
  expect(wg.peers.has(key('tunnel 1'))).toBe(false);
});

test('Where wg fails after the key is on disk, the next look makes the interface right', async () => {
  const keyring = await start();
  wg.broken = { tool: 'wg', says: 'Unable to modify interface: Operation not permitted' };
  expect(await keyring.offer(site, offerOf('new'))).toMatchObject({
    ok: false,
    fault: { code: 'TUNNEL_FAILED' },
  });
  expect(keyring.waiting).toBe(true);
  wg.broken = undefined;
  await keyring.look();
  expect(wg.peers.get(key('new'))).toMatchObject({ address: null });
});

test('The same offer again changes nothing, and another takes its place', async () => {
  const keyring = await start();
  await keyring.offer(site, offerOf('new'));
  const before = readFileSync(stateFile(), 'utf8');
  await clock.advance(1000);
  await keyring.offer(site, offerOf('new'));
  expect(readFileSync(stateFile(), 'utf8')).toBe(before);
  await keyring.offer(site, offerOf('newer'));
  expect(wg.peers.has(key('new'))).toBe(false);
  expect(wg.peers.has(key('newer'))).toBe(true);
  await keyring.offer(site, offerOf('tunnel 1'));
  expect(keyring.keys(site)).toContainEqual({
    slot: 'tunnel',
    current: key('tunnel 1'),
    candidate: key('newer'),
  });
});

test.each([
  ['of another terminal', 'tunnel 2', 'tunnel'],
  ['of another slot', 'probe 1', 'tunnel'],
  ['for a slot that it has not', 'new', 'probe-lte'],
])('A key %s is refused, and nothing changes', async (_, name, slot) => {
  const keyring = await start();
  const before = structuredClone(wg.peers);
  expect(await keyring.offer(site, offerOf(name, slot))).toMatchObject({
    fault: { code: 'REQUEST_INVALID' },
  });
  expect(wg.peers).toEqual(before);
});

test('A candidate is dropped after an hour in which the old key was used, and never while the terminal is silent', async () => {
  const keyring = await start();
  await keyring.offer(site, offerOf('new'));
  await clock.advance(48 * 3_600_000);
  await keyring.look();
  expect(wg.peers.has(key('new'))).toBe(true);
  shake('tunnel 1');
  await keyring.look();
  expect(wg.peers.has(key('new'))).toBe(false);
  expect(keyring.keys(site)).toContainEqual({ slot: 'tunnel', current: key('tunnel 1'), candidate: null });
});

test('Read again, the list changes only what has changed in it', async () => {
  const keyring = await start();
  await keyring.offer(site, offerOf('new'));
  const before = structuredClone(wg.peers);
  wg.calls.length = 0;
  writeList([terminal(1), terminal(3)]);
  expect(await keyring.reload(() => readTerminals(settings))).toMatchObject({ ok: true });
  expect(wg.peers.has(key('tunnel 2'))).toBe(false);
  expect(wg.peers.has(key('probe 2'))).toBe(false);
  expect(wg.peers.get(key('tunnel 3'))).toMatchObject({ address: '10.77.0.3' });
  expect(wg.peers.get(key('new'))).toEqual(before.get(key('new')));
  const said = wg.calls.map(({ args, input }) => args + input).join('\n');
  expect(said).not.toContain(key('tunnel 1'));
  expect(said).not.toContain(key('new'));
  expect([...wg.routes.keys()].sort()).toEqual(['10.77.0.1', '10.77.0.3', '10.78.0.1', '10.78.0.3']);
});

test('Peers and routes that somebody else took away or added are put back at the next look', async () => {
  const keyring = await start();
  wg.calls.length = 0;
  expect(await keyring.verify()).toMatchObject({ ok: true });
  expect(wg.calls.map(({ args }) => args)).toEqual([
    'wg show cphub latest-handshakes',
    'ip -4 -json route show dev cphub',
  ]);
  wg.peers.delete(key('tunnel 2'));
  wg.peers.set(key('foreign'), { presharedKey: none, address: '10.77.0.1', handshake: 1 });
  wg.routes.delete('10.78.0.1');
  expect(await keyring.verify()).toMatchObject({ ok: true });
  expect(wg.peers.has(key('foreign'))).toBe(false);
  expect(wg.peers.get(key('tunnel 1'))).toMatchObject({ address: '10.77.0.1' });
  expect(wg.peers.get(key('tunnel 2'))).toMatchObject({ address: '10.77.0.2' });
  expect(wg.routes.has('10.78.0.1')).toBe(true);
});

test('To forget a terminal is to remove its peers and add them again, and those of no other', async () => {
  const keyring = await start();
  await keyring.offer(site, offerOf('new'));
  for (const name of ['tunnel 1', 'probe 1', 'new', 'tunnel 2']) shake(name);
  expect(await resetTerminal(settings, site, { children: wg.children })).toEqual({ ok: true, value: 3 });
  expect(wg.peers.get(key('tunnel 1'))).toEqual({
    address: '10.77.0.1',
    presharedKey: key('psk 1'),
    handshake: 0,
  });
  expect(wg.peers.get(key('new'))).toMatchObject({ address: null, handshake: 0 });
  expect(wg.peers.get(key('tunnel 2'))?.handshake).toBeGreaterThan(0);
});

test('A key that comes into force while its terminal is being forgotten stays in force', async () => {
  const keyring = await start();
  await keyring.offer(site, offerOf('new'));
  const children: Children = {
    ...wg.children,
    run: async (tool, args, options) => {
      if (args[0] === 'addconf' && keyring.waiting && wg.peers.has(key('tunnel 2'))) {
        const done = await wg.children.run(tool, args, options);
        shake('new');
        await keyring.look();
        return done;
      }
      return wg.children.run(tool, args, options);
    },
  };
  expect(await resetTerminal(settings, site, { children })).toMatchObject({ ok: true });
  expect(wg.peers.get(key('new'))).toMatchObject({ address: '10.77.0.1', presharedKey: key('psk of new') });
  expect(wg.peers.has(key('tunnel 1'))).toBe(false);
});

test('The list has every terminal with the age of its handshakes and the keys that are awaited', async () => {
  const keyring = await start();
  await keyring.offer(site, offerOf('new', 'probe-dsl'));
  shake('tunnel 1', clock.wall() / 1000 - 40);
  const listed = await listTerminals(settings, { children: wg.children, clock });
  expect(listed).toMatchObject({ ok: true });
  expect(listed.ok && listed.value[0]).toEqual({
    terminal: site,
    address: '10.77.0.1',
    handshakeAge: 40,
    probes: [{ uplink: 'dsl', handshakeAge: null }],
    changing: ['probe-dsl'],
    leftOut: null,
  });
});

test('A list that is refused changes nothing', async () => {
  const keyring = await start();
  const before = structuredClone(wg.peers);
  writeList([terminal(1), { ...terminal(1), terminal: 'UTO-0009-1' }]);
  expect(await keyring.reload(() => readTerminals(settings))).toMatchObject({ ok: false });
  expect(wg.peers).toEqual(before);
  expect(keyring.registry.terminals).toEqual(['UTO-0001-1', 'UTO-0002-1']);
});

test('A list that others may read is refused while preshared keys stand in it, and none is ever quoted', () => {
  chmodSync(settings.terminals, 0o644);
  expect(readTerminals(settings)).toMatchObject({ fault: { code: 'CREDENTIAL_UNREADABLE' } });
  chmodSync(settings.terminals, 0o600);
  const nearly = `${key('psk 1')}x`;
  for (const text of [
    JSON.stringify([{ ...terminal(1), presharedKey: nearly }]),
    `[{"presharedKey":"${nearly}`,
  ]) {
    writeFileSync(settings.terminals, text);
    const read = readTerminals(settings);
    expect(read.ok).toBe(false);
    expect(JSON.stringify(read)).not.toContain(nearly.slice(0, 12));
  }
});

test('A damaged file of one terminal leaves that terminal out, and the others are served', async () => {
  const first = await start();
  await first.offer(site, offerOf('new'));
  writeFileSync(stateFile(), '{"v":1,');
  const known = readTerminals(settings);
  expect(known.ok && [...known.value.leftOut.keys()]).toEqual([site]);
  const second = await start();
  expect(second.registry.terminals).toEqual(['UTO-0002-1']);
  expect(wg.peers.has(key('tunnel 1'))).toBe(false);
  expect(wg.peers.has(key('tunnel 2'))).toBe(true);
});

test('The largest packet of a terminal is a locked route, kept over a restart, set once, and taken back', async () => {
  const keyring = await start();
  await keyring.limit(site, 1280);
  expect(wg.routes.get('10.77.0.1')).toBe('dev cphub mtu lock 1280');
  const again = await start();
  expect(wg.routes.get('10.77.0.1')).toBe('dev cphub mtu lock 1280');
  wg.calls.length = 0;
  await again.limit(site, 1280);
  expect(wg.calls).toEqual([]);
  await again.limit(site, 1420);
  expect(wg.routes.get('10.77.0.1')).toBe('dev cphub');
});

test('While a candidate waits it is looked for every 100 ms, after a minute every 5 s, and without one not at all', async () => {
  const keyring = await start();
  const watch = watchCandidates(keyring, clock);
  await clock.advance(60_000);
  const looks = (): number => wg.calls.filter(({ args }) => args.includes('latest-handshakes')).length;
  expect(looks()).toBe(0);
  await keyring.offer(site, offerOf('new'));
  watch.wake();
  await clock.advance(10_000);
  expect(looks()).toBeGreaterThan(90);
  await clock.advance(50_000);
  const before = looks();
  await clock.advance(50_000);
  expect(looks() - before).toBeLessThanOrEqual(11);
  expect(looks() - before).toBeGreaterThanOrEqual(9);
  shake('new');
  await clock.advance(10_000);
  // The file is written in real time.
  await eventually(() => !keyring.waiting);
  const end = looks();
  await clock.advance(60_000);
  expect(looks()).toBe(end);
  expect(keyring.keys(site)).toContainEqual({ slot: 'tunnel', current: key('new'), candidate: null });
  await watch.close();
});

test.each(['', 'not a table\n', `${'x'.repeat(100)}\t5\n`, '\u0000\u0001'])(
  'Nonsense from wg (%j) brings no key into force',
  async (says) => {
    const keyring = await start();
    await keyring.offer(site, offerOf('new'));
    const nonsense = new Peers('cphub', { ...wg.children, run: async () => ({ ok: true, value: says }) });
    const handshakes = await nonsense.handshakes();
    expect(handshakes.ok && handshakes.value.get(key('new'))).toBeUndefined();
  },
);
