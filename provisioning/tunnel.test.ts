import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AgentSettings } from '#contracts/settings/agent.ts';
import { UplinkSettings } from '#contracts/settings/uplink.ts';
import { hubList, revoke, setNetwork, showNetwork } from '#provisioning/index.ts';
import { loadSettings } from '#runtime/settings.ts';
import {
  type Bureau,
  bureauNetwork,
  bureauUplinks,
  faultOf,
  makeBureau,
  publicKeys,
  valueOf,
} from '#test/rigs/bureau.ts';
import { addSite, enrol } from './index.ts';

let bureau: Bureau;
beforeEach(async () => {
  bureau = await makeBureau({ tunnel: true });
});
afterEach(() => bureau.close());

const listed = async (hub = 'one') =>
  valueOf(await hubList({ hub, authorities: [bureau.authority] }, bureau.parts));
const uplinkOf = (state: string): UplinkSettings =>
  valueOf(loadSettings(UplinkSettings, join(`${state}-uplink`, 'uplink.json')));
const network = async (changes: object) => {
  writeFileSync(bureau.at('network.json'), JSON.stringify({ ...bureauNetwork, ...changes }));
  return setNetwork({ ...bureau.authority, file: bureau.at('network.json') });
};

describe('the tunnel of a terminal that is enrolled', () => {
  test('has addresses of the plan that nobody else has, and keys that each hub takes', async () => {
    const [first, second] = [await bureau.enrolled(1), await bureau.enrolled(2)];
    const [one, two] = [uplinkOf(first), uplinkOf(second)];
    expect([one.addresses, two.addresses]).toEqual([['10.77.0.3/32'], ['10.77.0.4/32']]);
    expect(one.uplinks.map(({ name, metric, probeAddress }) => [name, metric, probeAddress])).toEqual([
      ['dsl', 10, '10.78.0.3'],
      ['lte', 20, '10.78.0.4'],
    ]);
    expect(one.hubs.map(({ name, keepaliveSeconds }) => [name, keepaliveSeconds])).toEqual([
      ['one', 25],
      ['two', 25],
    ]);
    const keys = valueOf(await publicKeys(one));
    for (const hub of ['one', 'two']) {
      const list = await listed(hub);
      expect(list.map(({ terminal, address }) => [terminal, address])).toEqual([
        ['UTO-0001-1', '10.77.0.3'],
        ['UTO-0001-2', '10.77.0.4'],
      ]);
      const [entry] = list;
      expect([entry?.publicKey, ...(entry?.probes.map(({ publicKey }) => publicKey) ?? [])]).toEqual(
        keys.map(({ publicKey }) => publicKey),
      );
      const preshared = readFileSync(join(`${first}-uplink`, 'psk', `${hub}.psk`), 'utf8').trim();
      expect(entry?.presharedKey).toBe(preshared);
    }
    const preshared = [...(await listed('one')), ...(await listed('two'))].map((entry) => entry.presharedKey);
    expect(new Set(preshared).size).toBe(4);
  });

  test('keeps its address when it is enrolled anew, with new keys', async () => {
    const state = await bureau.enrolled();
    const [before] = await listed();
    await bureau.enrolled();
    const [after, ...more] = await listed();
    expect(more).toEqual([]);
    expect(after?.address).toBe(before?.address);
    expect(after?.publicKey).not.toBe(before?.publicKey);
    expect(after?.presharedKey).not.toBe(before?.presharedKey);
    expect(valueOf(await publicKeys(uplinkOf(state))).map(({ publicKey }) => publicKey)).toEqual([
      after?.publicKey,
      ...(after?.probes.map(({ publicKey }) => publicKey) ?? []),
    ]);
  });

  test('goes from every hub with its revocation', async () => {
    await bureau.enrolled(1);
    await bureau.enrolled(2);
    valueOf(await revoke({ ...bureau.authority, terminal: 'UTO-0001-1' }, bureau.parts));
    for (const hub of ['one', 'two'])
      expect((await listed(hub)).map(({ terminal }) => terminal)).toEqual(['UTO-0001-2']);
  });

  test('keeps to the metered profile where all that its site has is paid by volume', async () => {
    const { code, stick } = await onlyLte();
    const state = bureau.at('metered');
    const tunnel = { folder: `${state}-uplink`, publicKeys };
    const order = { stick, state, tunnel, askCode: async () => ({ ok: true, value: code }) as const };
    valueOf(await enrol(order, bureau.parts));
    valueOf(await bureau.sign('stick-metered'));
    valueOf(await enrol(order, bureau.parts));
    const { uplinks, hubs } = uplinkOf(state);
    expect(uplinks).toMatchObject([{ name: 'lte', quietSeconds: 900 }]);
    expect(hubs.map(({ keepaliveSeconds }) => keepaliveSeconds)).toEqual([0, 0]);
    expect(valueOf(loadSettings(AgentSettings, join(state, 'agent.json'))).fleet.keepAliveSeconds).toBe(600);
  });

  async function onlyLte(): Promise<{ code: string; stick: string }> {
    const site = {
      id: 'UTO-0002',
      name: 'Pass',
      timeZone: 'UTC',
      latitude: null,
      longitude: null,
      terminals: 1,
      uplinks: [bureauUplinks[1]],
    };
    valueOf(await addSite({ ...bureau.authority, site }, bureau.parts));
    const { code } = await bureau.bundle({ site: 'UTO-0002', stick: 'stick-metered' });
    return { code, stick: bureau.at('stick-metered') };
  }
});

describe('the network of a bureau', () => {
  test.each<[string, object, RegExp]>([
    ['networks that overlap', { probes: '10.77.0.128/25' }, /overlap/],
    ['bits behind the prefix', { tunnel: '10.77.0.1/24' }, /tunnel: 10\.77\.0\.1\/24 is no network/],
    ['no room', { tunnel: '10.77.0.0/31' }, /no room/],
    ['two hubs of one name', { hubs: [bureauNetwork.hubs[0], bureauNetwork.hubs[0]] }, /the same name: one/],
    [
      'two hubs with one key',
      {
        hubs: [
          bureauNetwork.hubs[0],
          { ...bureauNetwork.hubs[1], publicKey: bureauNetwork.hubs[0]?.publicKey },
        ],
      },
      /one and two have the same publicKey/,
    ],
    ['something that is not known', { mtu: 1400 }, /mtu/],
    ['no hub', { hubs: [] }, /hubs/],
  ])('is refused with %s, and stays as it was', async (_, changes, words) => {
    const done = await network(changes);
    expect(done.ok ? '' : done.fault.detail).toMatch(words);
    expect(valueOf(await showNetwork(bureau.authority)).tunnel).toBe('10.77.0.0/24');
  });

  test('cannot leave a terminal without its address, nor give that to a hub', async () => {
    await bureau.bundle();
    const moved = await network({ tunnel: '10.99.0.0/24' });
    expect(moved.ok ? '' : moved.fault.detail).toMatch(
      /UTO-0001-1 has the address 10\.77\.0\.3, which is outside/,
    );
    const [one, two] = bureauNetwork.hubs;
    const taken = await network({ hubs: [one, { ...two, address: '10.77.0.3' }] });
    expect(taken.ok ? '' : taken.fault.detail).toMatch(/two: UTO-0001-1 has the address 10\.77\.0\.3/);
    expect(faultOf(await network({ tunnel: '10.77.0.0/16' }))).toBeUndefined();
  });

  test('that is full gives no further address, and says so', async () => {
    valueOf(await network({ tunnel: '10.77.0.0/30', probes: '10.78.0.0/24', hubs: [bureauNetwork.hubs[0]] }));
    await bureau.bundle({ terminal: 1, stick: 'a' });
    await expect(bureau.bundle({ terminal: 2, stick: 'b' })).rejects.toThrow(/NETWORK_FULL/);
  });

  test('of two bureaus at one hub must not meet', async () => {
    const other = await makeBureau({ tunnel: true });
    try {
      await bureau.enrolled();
      await other.enrolled();
      const both = { hub: 'one', authorities: [bureau.authority, other.authority] };
      const done = await hubList(both, bureau.parts);
      expect(done.ok ? '' : done.fault.detail).toMatch(/UTO-0001-1 and UTO-0001-1 both have 10\.77\.0\.3/);
    } finally {
      other.close();
    }
  });

  test('a copied disk brings keys that another terminal has, and is refused', async () => {
    await bureau.enrolled(1);
    const { code } = await bureau.bundle({ terminal: 2, stick: 'stick-2' });
    const keys = valueOf(await publicKeys(uplinkOf(bureau.at('terminal-1'))));
    const tunnel = {
      folder: bureau.at('copy-uplink'),
      publicKeys: async () => ({ ok: true, value: keys }) as const,
    };
    const order = {
      stick: bureau.at('stick-2'),
      state: bureau.at('copy'),
      tunnel,
      askCode: async () => ({ ok: true, value: code }) as const,
    };
    valueOf(await enrol(order, bureau.parts));
    const done = await bureau.sign('stick-2');
    expect(done.ok ? '' : done.fault.detail).toMatch(/UTO-0001-1 has: was a disk copied/);
  });
});
