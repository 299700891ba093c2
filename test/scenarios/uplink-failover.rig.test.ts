import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { requires } from '#test/rigs/requirements.ts';
import { uplinkTools } from '#test/rigs/site/site.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { inside, run } from '#test/rigs/site/namespaces.ts';
import { Site } from '#test/rigs/site/site.ts';
import {
  allUp,
  carries,
  loseHub,
  loseUplink,
  narrowLine,
  rotate,
  rotateKilled,
  switchOver,
} from '#test/rigs/site/trials.ts';

// A sample of each; `npm run prove -- uplink` does 20 and gives the figures.
const reason = requires({ test: 'the uplinks of a site', root: true, tools: uplinkTools });

describe.skipIf(reason !== undefined)('A site with two uplinks and two hubs', () => {
  const site = new Site();
  beforeAll(async () => {
    await site.start();
    await allUp(site);
  });
  afterAll(() => site.close());

  test('When the uplink that carries falls silent, traffic flows again over the other within 4 s', async () => {
    await carries(site, { uplink: 'dsl' });
    const gap = await loseUplink(site);
    // It really stood still: otherwise nothing was broken.
    expect(gap).toBeGreaterThan(300);
    expect(gap).toBeLessThan(4000);
    await carries(site, { uplink: 'dsl' });
  });

  test('When the hub that carries falls silent, traffic flows again through the other within 5 s', async () => {
    await carries(site, { hub: 'one' });
    const gap = await loseHub(site);
    expect(gap).toBeGreaterThan(300);
    expect(gap).toBeLessThan(5000);
    await carries(site, { hub: 'one' });
  });

  test('A planned switch of the uplink, there and back, loses none of the probes every 20 ms', async () => {
    for (const uplink of ['lte', 'dsl']) {
      const report = await switchOver(site, { uplink });
      expect(report).toMatchObject({ lost: 0 });
      expect(report.sent).toBeGreaterThan(50);
    }
  });

  test('A planned switch of the hub, there and back, loses none of the probes every 20 ms', async () => {
    for (const hub of ['two', 'one'] as const) {
      expect(await switchOver(site, { hub })).toMatchObject({ lost: 0 });
    }
    await site.ask({ verb: 'prefer', auto: true });
  });

  test('New keys with every hub cost at most one probe of 20 ms', async () => {
    const report = await rotate(site);
    expect(report.sent).toBeGreaterThan(50);
    expect(report.lost).toBeLessThanOrEqual(1);
  });

  test.each([
    ['probe-dsl', 'switched'],
    ['tunnel@two', 'offered'],
    ['tunnel@one', 'switched'],
  ] as const)(
    'When the helper is killed in a change of key (%s, %s), it ends well, and at most one probe is lost',
    async (slot, step) => {
      await carries(site, { hub: 'one' });
      const report = await rotateKilled(site, slot, step);
      expect(report.lost).toBeLessThanOrEqual(1);
      for (const hub of ['one', 'two'] as const) expect(keysOf(site, hub)).toEqual(peersOf(site, hub));
      await allUp(site);
    },
  );

  test('When an inner hop begins to swallow what is larger than 1280 bytes, full-size traffic flows again within 10 s', async () => {
    const gap = await narrowLine(site, 1280);
    expect(gap).toBeGreaterThan(500);
    expect(gap).toBeLessThan(10_000);
    const { uplinks } = await site.status();
    expect(uplinks.find(({ name }) => name === 'dsl')?.mtu).toBe(1200);
  });

  test.each([
    ['nft flush ruleset', ['nft', 'flush', 'ruleset']],
    ['ip rule flush', ['ip', 'rule', 'flush']],
    [
      'the clean-up of another manager',
      ['sh', '-c', 'ip rule flush; ip route flush table 25456; ip -6 rule flush'],
    ],
  ] as const)('After %s all is as before within 5 s, and it is reported', async (_, command) => {
    const before = await site.status();
    const rules = (): string =>
      inside(site.ns.terminal, 'sh', '-c', 'ip rule; ip route show table all; nft -s list ruleset');
    const wanted = rules();
    inside(site.ns.terminal, ...command);
    expect(rules()).not.toBe(wanted);
    await eventually(() => rules() === wanted, { what: 'rules and routes being back', timeoutMs: 5000 });
    await eventually(async () => {
      const now = await site.status();
      const count = (status: typeof now): number => status.firewall.restored + status.routing.restored;
      return count(now) > count(before);
    });
    await site.connected();
  });

  test('When the cable is pulled out, the traffic moves at once, and the cause is named', async () => {
    await carries(site, { uplink: 'dsl' });
    site.unplug('dsl');
    await carries(site, { uplink: 'lte' }, 3000);
    await eventually(async () => (await site.status()).uplinks[0]?.state === 'no-carrier', {
      what: 'the cause',
    });
    site.plug('dsl');
    // What DHCP would set again; the kernel has taken the route away with the carrier.
    run(
      'ip',
      '-n',
      site.ns.terminal,
      'route',
      'replace',
      'default',
      'via',
      '10.1.0.1',
      'dev',
      'dsl0',
      'metric',
      '100',
    );
    await allUp(site);
  });

  test('When the router of a line becomes another one, the traffic goes on over that line', async () => {
    await carries(site, { uplink: 'dsl' });
    const router = (address: string, before: string): void => {
      inside(site.provider('dsl'), 'ip', 'address', 'del', `${before}/24`, 'dev', 'pdsl0');
      inside(site.provider('dsl'), 'ip', 'address', 'add', `${address}/24`, 'dev', 'pdsl0');
      // As DHCP would.
      const route = ['route', 'replace', 'default', 'via', address, 'dev', 'dsl0', 'metric', '100'];
      run('ip', '-n', site.ns.terminal, ...route);
    };
    router('10.1.0.254', '10.1.0.1');
    await eventually(
      () => inside(site.ns.terminal, 'ip', 'route', 'show', 'table', '25457').includes('via 10.1.0.254'),
      { what: 'the table of the line leading to the new router', timeoutMs: 3000 },
    );
    await allUp(site);
    await carries(site, { uplink: 'dsl' });
    await site.connected(10_000);
    router('10.1.0.1', '10.1.0.254');
    await allUp(site);
  });

  test('When all uplinks are lost for a minute and come back, the terminal recovers without help', async () => {
    const since = Date.now();
    for (const { name } of site.lines) site.silence(name);
    expect(await stateOf(site, 'lines-down')).toMatchObject({ state: 'lines-down', carrying: null });
    await eventually(() => Date.now() - since >= 60_000, {
      what: 'a minute',
      timeoutMs: 61_000,
      everyMs: 500,
    });
    expect(site.reaches()).toBe(false);
    for (const { name } of site.lines) site.mend(name);
    await site.connected();
    await allUp(site);
  }, 180_000);

  test('When both hubs are silent, it says so, and not that the lines are dead; it recovers by itself', async () => {
    for (const hub of ['one', 'two'] as const) site.silenceHub(hub);
    const status = await stateOf(site, 'hubs-down', 'lines-down');
    expect(status.carrying).toBeNull();
    for (const hub of ['one', 'two'] as const) site.mendHub(hub);
    await site.connected();
    await allUp(site);
  });
});

/** The keys of the terminal towards a hub, of the tunnel and the probes, as WireGuard has them. */
function keysOf(site: Site, hub: 'one' | 'two'): string[] {
  const names = [`${site.prefix}${hub === 'one' ? 0 : 1}`, `${site.prefix}-p0`, `${site.prefix}-p1`];
  return names.map((name) => run('wg', 'show', name, 'public-key').trim()).sort();
}

function peersOf(site: Site, hub: 'one' | 'two'): string[] {
  return run('wg', 'show', site.hubInterface(hub), 'peers').trim().split('\n').sort();
}

async function stateOf(site: Site, ...wanted: string[]) {
  return eventually(
    async () => {
      const status = await site.status();
      return wanted.includes(status.state) ? status : undefined;
    },
    { what: `the state ${wanted.join(' or ')}`, timeoutMs: 40_000, everyMs: 200 },
  );
}
