import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fail } from '#contracts/result.ts';
import type { UplinkNetwork } from '#contracts/settings/uplink.ts';
import { configurationType } from '#contracts/uplink.ts';
import { ms } from '#contracts/units.ts';
import { type SigningRole, signEnvelope } from '#formats/envelope.ts';
import { replaceFile } from '#runtime/durable-file.ts';
import { toError } from '#runtime/errors.ts';
import { silentLog } from '#runtime/log.ts';
import { TestClock } from '#runtime/test-clock.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { ConfigurationKeeper } from './keeper.ts';
import { openConfiguration, parseNetwork } from './payload.ts';
import { ConfigurationStore } from './store.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const trust = (role: SigningRole) => [{ id: 'bureau', role, key: publicKey }];
const terminal = 'UTO-0001-1';

/** A network as the bureau writes it; told apart by the metric of its uplink. */
const written = (version: number, more: object = {}) => ({
  addresses: ['10.77.0.20/32'],
  reach: ['10.80.0.0/16'],
  uplinks: [{ name: 'dsl', device: 'eth0', metric: version + 1, probeAddress: '10.78.1.2' }],
  hubs: [
    {
      name: 'one',
      publicKey: `${'a'.repeat(42)}A=`,
      endpoint: '192.0.2.1:51820',
      address: '10.77.0.1',
      probeAddress: '10.79.0.1',
    },
  ],
  ...more,
});
function network(version: number): UplinkNetwork {
  const parsed = parseNetwork(written(version));
  if (!parsed.ok) throw toError(parsed.fault);
  return parsed.value;
}
const signed = (version: unknown, more: object = {}, type = configurationType) =>
  signEnvelope(
    type,
    Buffer.from(JSON.stringify({ v: 1, terminal, version, network: written(Number(version)), ...more })),
    { id: 'bureau', key: privateKey },
  );

let folder: string;
let clock: TestClock;
let changes: number[];
let keepers: ConfigurationKeeper[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-configuration-'));
  clock = new TestClock();
  changes = [];
  keepers = [];
});
afterEach(() => {
  for (const keeper of keepers) keeper.close();
  rmSync(folder, { recursive: true, force: true });
});
const own = network(0);
const openStore = (replace = replaceFile): ConfigurationStore => new ConfigurationStore(folder, own, replace);

/** A keeper as after a start of the helper. */
async function start(store = openStore()): Promise<ConfigurationKeeper> {
  for (const keeper of keepers) keeper.close();
  const keeper = new ConfigurationKeeper({
    store,
    trusted: trust('configuration'),
    terminal,
    probation: ms(120_000),
    clock,
    log: silentLog,
    changeTo: ({ version, network }) => {
      expect(network.uplinks[0]?.metric).toBe(version + 1);
      changes.push(version);
    },
  });
  keepers.push(keeper);
  await keeper.start();
  return keeper;
}
const state = (keeper: ConfigurationKeeper) => `${keeper.status.version} ${keeper.status.state}`;
const becomes = (keeper: ConfigurationKeeper, expected: string) =>
  eventually(() => state(keeper) === expected, { what: `${expected} (it is ${state(keeper)})` });

describe('A signed configuration', () => {
  const expected = {
    trusted: trust('configuration'),
    terminal,
    confirmed: 3,
    refused: 5,
    onTrial: undefined,
  };

  test('One by the bureau, for this terminal, of a higher version, is taken, with its defaults filled in', () => {
    const opened = openConfiguration(signed(6), expected);
    expect(opened).toMatchObject({ ok: true, value: { version: 6 } });
    expect(opened.ok && opened.value.network.hubs[0]).toMatchObject({ keepaliveSeconds: 25, pinned: [] });
  });

  test.each<[string, () => unknown, string, Partial<typeof expected>?]>([
    ['of a version that was in force', () => signed(3), 'CONFIGURATION_REFUSED', { refused: 0 }],
    ['of a version that failed', () => signed(5), 'CONFIGURATION_REFUSED'],
    ['of a version below one that failed', () => signed(4), 'CONFIGURATION_REFUSED'],
    ['for another terminal', () => signed(6, { terminal: 'UTO-0001-2' }), 'CONFIGURATION_REFUSED'],
    ['without a version', () => signed(undefined), 'ENVELOPE_INVALID'],
    ['of version 0', () => signed(0), 'ENVELOPE_INVALID'],
    ['with something more', () => signed(6, { more: 1 }), 'ENVELOPE_INVALID'],
    ['of another type', () => signed(6, {}, 'application/json'), 'ENVELOPE_INVALID'],
    ['that is no envelope', () => ({ nonsense: true }), 'ENVELOPE_INVALID'],
    [
      'whose network has a hub less',
      () => signed(6, { network: written(6, { hubs: [] }) }),
      'CONFIGURATION_REFUSED',
    ],
    ['whose network is nothing', () => signed(6, { network: null }), 'CONFIGURATION_REFUSED'],
    [
      'whose network the schema allows and the check does not',
      () => signed(6, { network: written(6, { dns: ['1.2.3'] }) }),
      'CONFIGURATION_REFUSED',
    ],
    [
      'that was changed after it was signed',
      () => ({ ...signed(6), payload: signed(7).payload }),
      'SIGNATURE_REFUSED',
    ],
    ['by a key for something else', () => signed(6), 'SIGNATURE_REFUSED', { trusted: trust('commands') }],
    ['by a key that nobody trusts', () => signed(6), 'SIGNATURE_REFUSED', { trusted: [] }],
  ])('One %s is refused', (_, envelope, code, more) => {
    expect(openConfiguration(envelope(), { ...expected, ...more })).toMatchObject({
      ok: false,
      fault: { code },
    });
  });

  test('While one is tried, only a higher one takes its place', () => {
    expect(openConfiguration(signed(7), { ...expected, onTrial: 7 })).toMatchObject({ ok: false });
    expect(openConfiguration(signed(8), { ...expected, onTrial: 7 })).toMatchObject({ ok: true });
  });
});

describe('A configuration on probation', () => {
  test('Before any came, the file of the terminal is in force', async () => {
    const keeper = await start();
    expect(state(keeper)).toBe('0 current');
    expect(keeper.inForce.network).toEqual(own);
  });

  test('It is in force at once, and for good once a hub is reached', async () => {
    const keeper = await start();
    expect(await keeper.apply(signed(1))).toEqual({ ok: true, value: 1 });
    expect(state(keeper)).toBe('1 probation');
    keeper.reached(1);
    await becomes(keeper, '1 current');
    await clock.advance(10_000_000);
    expect(changes).toEqual([1]);
    expect(state(await start())).toBe('1 current');
    expect(clock.waiting).toBe(0);
  });

  test('Without a hub in its time the one before comes back, and once that reaches one the new one is refused for good', async () => {
    const keeper = await start();
    await keeper.apply(signed(1));
    await clock.advance(120_000);
    await eventually(() => changes.length === 2);
    expect(state(keeper)).toBe('0 probation');
    keeper.reached(0);
    await becomes(keeper, '0 undone');
    expect(changes).toEqual([1, 0]);
    expect(await keeper.apply(signed(1))).toMatchObject({ fault: { code: 'CONFIGURATION_REFUSED' } });
    const again = await start();
    expect(state(again)).toBe('0 undone');
    expect(await again.apply(signed(1))).toMatchObject({ fault: { code: 'CONFIGURATION_REFUSED' } });
    expect((await again.apply(signed(2))).ok).toBe(true);
    again.reached(2);
    await becomes(again, '2 current');
  });

  test('During a general outage both are tried in turns, and the one that works is taken', async () => {
    const keeper = await start();
    await keeper.apply(signed(1));
    for (const [turn, change] of [
      [120_000, 0],
      [120_000, 1],
      [240_000, 0],
      [240_000, 1],
    ] as const) {
      const before = changes.length;
      await clock.advance(turn);
      await eventually(() => changes.length === before + 1);
      expect(changes.at(-1)).toBe(change);
    }
    keeper.reached(1);
    await becomes(keeper, '1 current');
  });

  test('A word about another version than the one in force decides nothing', async () => {
    const keeper = await start();
    await keeper.apply(signed(1));
    keeper.reached(0);
    expect((await keeper.apply(signed(1))).ok).toBe(false);
    expect(state(keeper)).toBe('1 probation');
  });

  test('A higher one takes the place of one on probation, and the one before both is what comes back', async () => {
    const keeper = await start();
    await keeper.apply(signed(1));
    expect((await keeper.apply(signed(2))).ok).toBe(true);
    await clock.advance(120_000);
    await eventually(() => changes.length === 3);
    expect(changes).toEqual([1, 2, 0]);
  });

  test('One that crashes the helper does not gain time by it', async () => {
    await (await start()).apply(signed(1));
    expect(state(await start())).toBe('1 probation');
    expect((await start()).inForce.version).toBe(1);
    expect((await start()).inForce.version).toBe(0);
  });

  test('After a restart the trial goes on: the new one, or the one before', async () => {
    const keeper = await start();
    await keeper.apply(signed(1));
    const second = await start();
    expect(second.inForce.network).toEqual(network(1));
    await clock.advance(120_000);
    await eventually(() => changes.length === 2);
    const third = await start();
    expect(third.inForce.version).toBe(0);
    third.reached(0);
    await becomes(third, '0 undone');
  });

  test('A disk that takes nothing: no new one is begun; the way back is gone all the same; a hub that was reached is not forgotten', async () => {
    let full = true;
    const replace: typeof replaceFile = (...args) =>
      full ? Promise.resolve(fail('FILE_REFUSED', 'ENOSPC')) : replaceFile(...args);
    const keeper = await start(openStore(replace));
    expect(await keeper.apply(signed(1))).toMatchObject({ fault: { code: 'FILE_REFUSED' } });
    expect(changes).toEqual([]);
    full = false;
    expect(await keeper.apply(signed(1))).toMatchObject({ ok: true });
    full = true;
    await clock.advance(120_000);
    await eventually(() => changes.length === 2);
    expect(keeper.inForce.version).toBe(0);
    keeper.reached(0);
    await becomes(keeper, '0 undone');
    full = false;
    await keeper.apply(signed(2));
    full = true;
    keeper.reached(2);
    await eventually(() => clock.waiting === 1);
    await clock.advance(1_000_000);
    expect(state(keeper)).toBe('2 probation');
    full = false;
    await clock.advance(20_000);
    await becomes(keeper, '2 current');
  });

  test('Once closed nothing moves any more', async () => {
    const keeper = await start();
    await keeper.apply(signed(1));
    keeper.close();
    expect(await keeper.apply(signed(2))).toMatchObject({ ok: false });
    expect(clock.waiting).toBe(0);
  });
});

describe('The store of the configurations', () => {
  const trial = { version: 2, runs: 'new', outages: 0, again: 0, starts: 0 } as const;
  const two = { version: 2, network: network(2) };

  /** A store with version 1 in force. */
  async function withOne(replace = replaceFile): Promise<ConfigurationStore> {
    const store = openStore();
    await store.begin({ version: 1, network: network(1) }, { ...trial, version: 1 });
    await store.confirm();
    return openStore(replace);
  }
  /** Lets so many writes through, and then the power is cut. */
  function cutAfter(writes: number): typeof replaceFile {
    let left = writes;
    return (...args) => {
      if (left-- <= 0) throw new Error('the power was cut');
      return replaceFile(...args);
    };
  }

  test('Files are for nobody else to read, and none of them stays half written', async () => {
    await withOne();
    const files = readdirSync(folder).sort();
    expect(files).toEqual(['network-current.json', 'network-journal.json']);
    for (const file of files) expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600);
  });

  test.each([0, 1])('A cut after %d writes of a beginning leaves the one in force', async (writes) => {
    const store = await withOne(cutAfter(writes));
    await expect(store.begin(two, trial)).rejects.toThrow('power');
    expect(openStore()).toMatchObject({ inForce: { version: 1 }, trial: undefined, refused: 0, faults: [] });
  });

  test.each([
    [0, 'on trial'],
    [1, 'on trial'],
    [2, 'confirmed'],
  ])('A cut after %d writes of a confirmation leaves the new one in force, %s', async (writes, how) => {
    await (await withOne()).begin(two, trial);
    await expect(openStore(cutAfter(writes)).confirm()).rejects.toThrow('power');
    const store = openStore();
    expect(store.inForce).toEqual(two);
    expect(store.trial === undefined ? 'confirmed' : 'on trial').toBe(how);
    expect(store.refused).toBe(0);
    await store.confirm();
    expect(openStore()).toMatchObject({ current: { version: 2 }, confirmed: 2, trial: undefined });
  });

  test('A cut during a refusal leaves the trial as it was', async () => {
    await (await withOne()).begin(two, { ...trial, runs: 'before' });
    await expect(openStore(cutAfter(0)).refuse()).rejects.toThrow('power');
    const store = openStore();
    expect(store).toMatchObject({ inForce: { version: 1 }, trial: { version: 2 } });
    await store.refuse();
    expect(openStore()).toMatchObject({ inForce: { version: 1 }, refused: 2, trial: undefined });
  });

  const damage = (name: string): void => writeFileSync(join(folder, `network-${name}.json`), '{"v":1,"ver');

  test('A damaged one in force makes way for the one before it, or the file of the terminal, and is told', async () => {
    await withOne();
    damage('current');
    expect(openStore()).toMatchObject({ inForce: { version: 0 }, confirmed: 1 });
    const store = await withOne();
    await store.begin(two, trial);
    await store.confirm();
    damage('current');
    const after = openStore();
    // What was in force once is not taken again: the journal remembers.
    expect(after).toMatchObject({ inForce: { version: 1 }, confirmed: 2 });
    expect(after.faults).toEqual([expect.objectContaining({ code: 'FILE_REFUSED' })]);
  });

  test('A damaged pending one counts as refused, and so does a pending one without a journal', async () => {
    await (await withOne()).begin(two, trial);
    damage('pending');
    expect(openStore()).toMatchObject({ inForce: { version: 1 }, refused: 2, trial: undefined });
    rmSync(folder, { recursive: true });
    folder = mkdtempSync(join(tmpdir(), 'checkpost-configuration-'));
    await (await withOne()).begin(two, trial);
    damage('journal');
    expect(openStore()).toMatchObject({ inForce: { version: 1 }, refused: 2, trial: undefined });
  });

  test('A folder that is not there is as good as an empty one', () => {
    rmSync(folder, { recursive: true });
    expect(openStore()).toMatchObject({ inForce: { version: 0 }, faults: [] });
  });

  test('No key or secret stands in what is kept', async () => {
    await withOne();
    const text = readFileSync(join(folder, 'network-current.json'), 'utf8');
    expect(Object.keys(JSON.parse(text) as object)).toEqual(['v', 'version', 'network']);
  });
});
