import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { UplinkStatus } from '#contracts/uplink.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { requires } from '#test/rigs/requirements.ts';
import { FarServices } from '#test/rigs/site/far-services.ts';
import { changeSettings, lineIs, Mishaps, switchOff } from '#test/rigs/site/mishaps.ts';
import { run } from '#test/rigs/site/namespaces.ts';
import { type HubName, hubNames, Site, uplinkTools } from '#test/rigs/site/site.ts';
import { allUp, carries } from '#test/rigs/site/trials.ts';

const reason = requires({ test: 'the named states of a line', root: true, tools: uplinkTools });

const dnsAddress = '203.0.113.53';
const pageAddress = '203.0.113.80';
const hubAddresses = { one: '192.0.2.10', two: '198.51.100.10' };
const movedTo = '192.0.2.20';
const names = { 'hub-one.example': [hubAddresses.one], 'hub-two.example': [hubAddresses.two] };

describe.skipIf(reason !== undefined)('A line of a site that does not work', { timeout: 120_000 }, () => {
  const site = new Site({
    settings: {
      dns: [dnsAddress],
      portalCheck: { url: `http://${pageAddress}/check`, expect: 'this is the page' },
    },
  });
  const mishaps = new Mishaps(site);
  const services: FarServices[] = [];
  let internet: FarServices;

  beforeAll(async () => {
    await site.build();
    for (const address of [dnsAddress, pageAddress])
      run('ip', '-n', site.ns.internet, 'address', 'add', `${address}/32`, 'dev', 'lo');
    internet = await FarServices.start(site.ns.internet, {
      dns: dnsAddress,
      names,
      page: { address: pageAddress, port: 80, status: 200, body: 'this is the page' },
    });
    services.push(internet);
    await site.startTerminal();
    await site.connected();
    await allUp(site);
  });
  // What a test that failed has left broken.
  afterEach(async ({ task }) => {
    if (task.result?.state !== 'fail') return;
    for (const hub of hubNames) site.mendHub(hub);
    for (const line of ['dsl', 'lte']) {
      site.mend(line);
      mishaps.closePortal(line);
      mishaps.returnRouter(line);
      site.plug(line);
      mishaps.giveAddress(line);
    }
    await internet.set({ mood: 'answering', names });
  });
  afterAll(async () => {
    await Promise.all(services.map((one) => one.stop()));
    await site.close();
  });

  test.each([
    {
      what: 'device is pulled out',
      state: 'no-device',
      evidence: /there is no device dsl0/,
      happen: () => mishaps.takeDevice('dsl'),
      mend: () => mishaps.returnDevice('dsl'),
    },
    {
      what: 'cable is pulled out',
      state: 'no-carrier',
      evidence: /dsl0 has no carrier: no cable/,
      happen: () => site.unplug('dsl'),
      mend: () => {
        site.plug('dsl');
        mishaps.giveRoute('dsl');
      },
    },
    {
      what: 'address is taken away',
      state: 'no-address',
      evidence: /DHCP gave none/,
      happen: () => mishaps.takeAddress('dsl'),
      mend: () => mishaps.giveAddress('dsl'),
    },
    {
      what: 'DHCP gives no route',
      state: 'no-route',
      evidence: /dsl0 has 10\.1\.0\.2, but no router was given/,
      happen: () => mishaps.takeRoute('dsl'),
      mend: () => mishaps.giveRoute('dsl'),
    },
    {
      what: 'router does not answer',
      state: 'gateway-silent',
      evidence: /the router 10\.1\.0\.1 does not answer on dsl0/,
      happen: () => {
        mishaps.takeRouter('dsl');
        // The kernel believes in a router for half a minute after it was heard; here it doubts at once.
        run('ip', '-n', site.ns.terminal, 'neigh', 'change', '10.1.0.1', 'dev', 'dsl0', 'nud', 'stale');
      },
      mend: () => mishaps.returnRouter('dsl'),
    },
  ] as const)(
    'When its $what, it is $state, the other line carries, and it comes back by itself',
    async (mishap) => {
      await carries(site, { uplink: 'dsl' });
      const traffic = site.traffic();
      await traffic.flows(25);
      mishap.happen();
      await carries(site, { uplink: 'lte' });
      await traffic.flows(25);
      const { longestGapMs } = await traffic.stop();
      expect(longestGapMs).toBeLessThan(4000);
      await lineIs(site, 'dsl', mishap.state, mishap.evidence);
      mishap.mend();
      await allUp(site);
      await carries(site, { uplink: 'dsl' });
      await site.connected();
    },
  );

  test('A portal on one line and a card without data on the other are told apart, and both lines come back by themselves', async () => {
    services.push(
      await FarServices.start(site.provider('dsl'), {
        page: {
          address: '10.1.0.1',
          port: 8080,
          status: 302,
          headers: { location: 'http://login.provider.example/welcome?customer=4711' },
          body: '',
        },
      }),
    );
    mishaps.openPortal('dsl', 8080);
    site.silence('lte');
    const [portal] = await Promise.all([
      lineIs(site, 'dsl', 'captive-portal', /status 302 and leads to login\.provider\.example$/),
      lineIs(site, 'lte', 'no-data', /the router 10\.2\.0\.1 answers, but the test page does not answer/),
    ]);
    expect(portal.evidence).not.toContain('4711');
    expect((await site.status()).state).toBe('lines-down');
    mishaps.closePortal('dsl');
    await carries(site, { uplink: 'dsl' });
    await site.connected();
    site.mend('lte');
    await allUp(site);
  });

  test('When no hub answers, the paths are down within seconds however young the handshakes, and it is not the lines that are called dead', async () => {
    for (const hub of hubNames) site.silenceHub(hub);
    const since = Date.now();
    await eventually(
      async () => {
        const { uplinks, carrying } = await site.status();
        return (
          carrying === null && uplinks.every(({ paths }) => paths.every(({ state }) => state === 'down'))
        );
      },
      { what: 'every path being down', everyMs: 50 },
    );
    const took = Date.now() - since;
    const ages = [`${site.prefix}0`, `${site.prefix}1`, `${site.prefix}-p0`, `${site.prefix}-p1`].map(
      handshakeAge,
    );
    expect(took).toBeLessThan(4000);
    // By its handshakes WireGuard itself would be up for minutes: it gives a session three of them.
    for (const age of ages) expect(age).toBeLessThan(180);
    for (const line of ['dsl', 'lte'])
      await lineIs(site, line, 'hubs-silent', /the test page answers, but no probe to one, two/);
    expect(await site.status()).toMatchObject({ state: 'hubs-down', carrying: null });
    for (const hub of hubNames) site.mendHub(hub);
    await site.connected();
    await allUp(site);
  });

  test('When all lines are without a cable at the start and one gets it later, the terminal connects by itself', async () => {
    await switchOff(site);
    for (const line of ['dsl', 'lte']) site.unplug(line);
    await site.startTerminal();
    for (const line of ['dsl', 'lte']) await lineIs(site, line, 'no-carrier', /has no carrier/);
    await stateIs('lines-down');
    site.plug('lte');
    mishaps.giveRoute('lte');
    await carries(site, { uplink: 'lte' });
    await site.connected();
    expect((await site.status()).state).toBe('up');
    site.plug('dsl');
    mishaps.giveRoute('dsl');
    await carries(site, { uplink: 'dsl' });
    await allUp(site);
  });

  test('Hubs that are known by name are found, and one that moves to another address is found again by its name', async () => {
    await startWith({ pinned: false });
    await site.connected();
    await allUp(site);
    expect((await hub('one')).endpoint).toBe(`${hubAddresses.one}:51820`);
    mishaps.moveHub('one', hubAddresses.one, movedTo);
    await internet.set({ names: { ...names, 'hub-one.example': [movedTo] } });
    await carries(site, { hub: 'two' });
    await hubIsAt(movedTo);
    await carries(site, { hub: 'one' });
    await site.connected();
    mishaps.moveHub('one', movedTo, hubAddresses.one);
    await internet.set({ names });
    await hubIsAt(hubAddresses.one);
    await allUp(site);
  });

  test('When DNS is silent and nothing else is known of the hubs, that is what is named, and it recovers with DNS', async () => {
    await internet.set({ mood: 'silent' });
    await startWith({ pinned: false });
    for (const line of ['dsl', 'lte'])
      await lineIs(
        site,
        line,
        'dns-dead',
        /the test page answers, but DNS does not answer, so the hubs are not found/,
      );
    expect((await site.status()).carrying).toBeNull();
    await internet.set({ mood: 'answering' });
    await site.connected(90_000);
    await allUp(site);
  });

  test('When DNS is silent and the addresses of the hubs are pinned, the terminal connects without it', async () => {
    await internet.set({ mood: 'silent' });
    await startWith({ pinned: true });
    await site.connected();
    await allUp(site);
    expect((await hub('one')).endpoint).toBe(`${hubAddresses.one}:51820`);
  });

  /** A terminal that never found a hub before, whose file names them. */
  async function startWith({ pinned }: { pinned: boolean }): Promise<void> {
    await switchOff(site);
    rmSync(join(site.folder, 'state/addresses.json'), { force: true });
    changeSettings(site, (settings) => {
      for (const one of settings.hubs) {
        one.endpoint = `hub-${one.name}.example:51820`;
        one.pinned = pinned ? [hubAddresses[one.name]] : [];
      }
    });
    await site.startTerminal();
  }

  function hubIsAt(address: string): Promise<unknown> {
    return eventually(
      async () => {
        const { state, endpoint } = await hub('one');
        return state === 'up' && endpoint === `${address}:51820`;
      },
      { what: `the hub being found at ${address} (${site.logFile})`, timeoutMs: 60_000, everyMs: 100 },
    );
  }

  async function hub(name: HubName): Promise<UplinkStatus['hubs'][number]> {
    const found = (await site.status()).hubs.find((one) => one.name === name);
    if (found === undefined) throw new Error(`there is no hub ${name}`);
    return found;
  }

  function stateIs(state: UplinkStatus['state']): Promise<unknown> {
    return eventually(async () => (await site.status()).state === state, {
      what: `the state ${state}`,
      timeoutMs: 40_000,
    });
  }
});

/** In seconds: of the youngest handshake with any hub. */
function handshakeAge(name: string): number {
  const times = run('wg', 'show', name, 'latest-handshakes')
    .trim()
    .split('\n')
    .map((line) => Number(line.split('\t')[1]));
  return Date.now() / 1000 - Math.max(...times);
}
