import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '#test/rigs/eventually.ts';
import { requires } from '#test/rigs/requirements.ts';
import { DeviceMeter } from '#test/rigs/site/device-meter.ts';
import { changeSettings, switchOff } from '#test/rigs/site/mishaps.ts';
import { inside, run } from '#test/rigs/site/namespaces.ts';
import { Site, uplinkTools } from '#test/rigs/site/site.ts';
import { allUp, carries } from '#test/rigs/site/trials.ts';
import { fullProbeCost, smallestEcho, smallProbeCost } from '#uplink/probes/index.ts';

interface Settings {
  uplinks: { name: string; monthlyMegabytes: number; quietSeconds: number }[];
  hubs: { keepaliveSeconds: number }[];
  probe: { meteredBytesPerMonth: number };
}

const reason = requires({ test: 'metered uplinks', root: true, tools: uplinkTools });

/** So small that the probes at the start use up most of a day’s worth, which is 3437 bytes. */
const bytesPerMonth = 110_000;
const dayWorth = bytesPerMonth / 32;
/** So long the standby is watched, in ms. */
const watched = 60_000;

describe.skipIf(reason !== undefined)(
  'A site with a line that is paid by volume',
  { timeout: 120_000 },
  () => {
    const site = new Site({
      lines: [
        { name: 'dsl' },
        { name: 'lte', kind: 'lte', metered: true },
        { name: 'sat', kind: 'satellite', metered: true },
      ],
      settings: { probe: { failbackSeconds: 2, meteredBytesPerMonth: bytesPerMonth } },
    });
    const meter = (device: string): DeviceMeter => new DeviceMeter(site.ns.terminal, device);
    const line = async (name: string) => {
      const found = (await site.status()).uplinks.find((one) => one.name === name);
      if (found === undefined) throw new Error(`there is no ${name}`);
      return found;
    };
    const passing = (ms: number): Promise<unknown> => {
      const end = Date.now() + ms;
      return eventually(() => Date.now() >= end, { timeoutMs: ms + 5000, everyMs: 200 });
    };

    /** The terminal starts with other settings, and with nothing counted; every path works. */
    async function restart(change: (settings: Settings) => void): Promise<void> {
      await switchOff(site);
      rmSync(join(site.folder, 'state/meters.json'), { force: true });
      changeSettings(site, (settings) => change(settings as unknown as Settings));
      await site.startTerminal();
      await carries(site, { uplink: 'dsl' });
      await site.connected();
      await allUp(site);
    }

    beforeAll(() => site.build());
    afterEach(({ task }) => {
      if (task.result?.state === 'fail') for (const { name } of site.lines) site.mend(name);
    });
    afterAll(() => site.close());

    test(
      'While it stands by it is really probed, and costs no more than a day’s worth and what has come since',
      async () => {
        // What others send on these devices of their own accord is none of the probes.
        quiet('lte', 'sat');
        const meters = { lte: meter('lte0'), sat: meter('sat0'), dsl: meter('dsl0') };
        await site.startTerminal();
        await site.connected();
        const from = Date.now();
        await carries(site, { uplink: 'dsl' });
        await passing(watched);
        for (const name of ['lte', 'sat'] as const) {
          const spent = meters[name].bytes;
          expect(spent).toBeGreaterThan(smallProbeCost / 2);
          expect(spent).toBeLessThanOrEqual(dayWorth + (dayWorth * (Date.now() - from)) / 86_400_000);
          const { paths, state } = await line(name);
          expect(state).toBe('up');
          expect(paths.filter((path) => path.state === 'up').length).toBeGreaterThanOrEqual(1);
        }
        // The line beside it is measured all the time.
        expect(meters.dsl.bytes).toBeGreaterThan(5 * dayWorth);
      },
      watched + 60_000,
    );

    test('It takes over when the other line dies, and while it carries steady traffic nothing is probed over it', async () => {
      // What was saved is all that was left of the small budget; the rest is about one of everyday size.
      await restart((settings) => {
        settings.probe.meteredBytesPerMonth = 5_000_000;
      });
      const traffic = site.traffic();
      await traffic.flows(25);
      site.silence('dsl');
      await carries(site, { uplink: 'lte' });
      await traffic.flows(25);
      await probesEnded();
      const probes = meter(`${site.prefix}-p1`);
      const device = meter('lte0');
      await passing(15_000);
      expect(probes.packets).toBe(0);
      // It is that line which carried meanwhile.
      expect(device.packets).toBeGreaterThan(1000);
      site.mend('dsl');
      await carries(site, { uplink: 'dsl' });
      await traffic.flows(50);
      const { longestGapMs } = await traffic.stop();
      expect(longestGapMs).toBeLessThan(4000);
    });

    test.each([
      ['with steady traffic', true],
      ['without any traffic', false],
    ])(
      'When the metered line that carries dies %s, it is noticed within the time that its status names',
      async (_, steady) => {
        site.silence('dsl');
        await carries(site, { uplink: 'lte' });
        const traffic = steady ? site.traffic() : undefined;
        await traffic?.flows(25);
        await eventually(async () => (await line('lte')).mtu !== null, { timeoutMs: 20_000 });
        await passing(3000);
        const { detectSeconds } = await line('lte');
        site.silence('lte');
        const since = Date.now();
        await carries(site, { uplink: 'sat' }, (detectSeconds + 10) * 1000);
        const took = (Date.now() - since) / 1000;
        expect(detectSeconds).toBeLessThanOrEqual(20);
        // Asked for five times a second.
        expect(took).toBeLessThan(detectSeconds + 0.3);
        await traffic?.flows(25);
        await traffic?.stop();
        await site.connected();
        for (const name of ['dsl', 'lte']) site.mend(name);
        await site.ask({ verb: 'probe' });
        await carries(site, { uplink: 'dsl' });
      },
    );

    test('In the metered profile nothing more passes the line that carries while nobody says anything', async () => {
      await restart((settings) => {
        for (const one of settings.uplinks) one.quietSeconds = 900;
        for (const one of settings.hubs) one.keepaliveSeconds = 0;
      });
      quiet('lte');
      site.silence('dsl');
      await carries(site, { uplink: 'lte' });
      await probesEnded();
      // Who has received and said nothing since says so after 10 s.
      await passing(12_000);
      const device = meter('lte0');
      await passing(30_000);
      // One probe at the most: the kernel’s own word on a new interface is a word that nobody answers.
      expect(device.bytes).toBeLessThanOrEqual(smallProbeCost);
      expect((await line('lte')).detectSeconds).toBe(903);
      // It carries all the same.
      inside(site.ns.agent, 'ping', '-n', '-q', '-c', '3', '-W', '5', '10.80.0.1');
      expect(device.bytes).toBeGreaterThan(0);
      site.mend('dsl');
      await carries(site, { uplink: 'dsl' });
    });

    test('A month’s data that is used up is named, and that line carries only when no other works', async () => {
      await restart((settings) => {
        settings.probe.meteredBytesPerMonth = 1_000_000;
        for (const one of settings.uplinks) if (one.name === 'lte') one.monthlyMegabytes = 2;
      });
      site.silence('dsl');
      await carries(site, { uplink: 'lte' });
      expect(await line('lte')).toMatchObject({ overBudget: false });
      const used = meter('lte0');
      inside(site.ns.agent, 'ping', '-n', '-q', '-i', '0.002', '-c', '850', '-s', '1200', '10.80.0.1');
      expect(used.bytes).toBeGreaterThan(2_000_000);
      await eventually(async () => (await line('lte')).overBudget, { what: 'the budget being used up' });
      expect((await line('lte')).monthBytes).toBeGreaterThan(2_000_000);
      // The other one has data left, although it is the less preferred.
      await carries(site, { uplink: 'sat' });
      site.silence('sat');
      await carries(site, { uplink: 'lte' }, 40_000);
      await site.connected();
      for (const name of ['dsl', 'sat']) site.mend(name);
      await carries(site, { uplink: 'dsl' });
      expect(await line('lte')).toMatchObject({ overBudget: true, carries: false });
    });

    test('One small probe and one of full size cost no more than is reckoned with', async () => {
      await site.outer.stop('SIGKILL');
      quiet('lte');
      // Of two, since both ends may begin a handshake at the same moment, and then there are two.
      const least = async (size: number): Promise<number> => Math.min(await cost(size), await cost(size));
      const costs = { small: await least(smallestEcho), full: await least(1420) };
      expect(costs.small).toBeLessThanOrEqual(smallProbeCost);
      expect(costs.small).toBeGreaterThan(0.9 * smallProbeCost);
      // One of full size is sent only after a small one, which has the session made.
      const { handshake, keepalive } = { handshake: 190 + 134, keepalive: 74 };
      expect(costs.full - handshake - keepalive).toBeLessThanOrEqual(fullProbeCost);
      expect(costs.full - handshake - keepalive).toBeGreaterThan(0.9 * fullProbeCost);
    }, 120_000);

    /** The size of packets is measured anew when it takes over; what was known of it says nothing of when that ends. */
    async function probesEnded(): Promise<void> {
      const probes = meter(`${site.prefix}-p1`);
      let [seen, since] = [-1, Date.now()];
      const still = (): boolean => {
        if (probes.packets !== seen) [seen, since] = [probes.packets, Date.now()];
        return Date.now() - since > 3000;
      };
      await eventually(async () => still() && (await line('lte')).mtu !== null, { timeoutMs: 30_000 });
    }

    /** No IPv6 and no ARP on these lines: the neighbours know each other. */
    function quiet(...names: string[]): void {
      for (const name of names) {
        const ends = [
          { netns: site.ns.terminal, device: site.device(name), last: 2 },
          { netns: site.provider(name), device: `p${site.device(name)}`, last: 1 },
        ] as const;
        const at = site.lines.findIndex((one) => one.name === name) + 1;
        for (const [one, other] of [ends, ends.toReversed()]) {
          if (one === undefined || other === undefined) continue;
          const [link] = JSON.parse(
            run('ip', '-n', other.netns, '-j', 'link', 'show', 'dev', other.device),
          ) as { address: string }[];
          const neighbour = [`10.${at}.0.${other.last}`, 'lladdr', link?.address ?? '', 'dev', one.device];
          inside(one.netns, 'sysctl', '-qw', `net.ipv6.conf.${one.device}.disable_ipv6=1`);
          run('ip', '-n', one.netns, 'neighbour', 'replace', ...neighbour, 'nud', 'permanent');
        }
      }
    }

    /** Bytes at the device for one echo of this size over a line that was silent before, with handshake and keepalive. */
    async function cost(size: number): Promise<number> {
      const name = `${site.prefix}-p1`;
      // Without its peers it has no session any more.
      const file = join(site.folder, 'probe.conf');
      writeFileSync(file, run('wg', 'showconf', name), { mode: 0o600 });
      for (const peer of run('wg', 'show', name, 'peers').trim().split('\n'))
        run('wg', 'set', name, 'peer', peer, 'remove');
      run('wg', 'syncconf', name, file);
      const device = meter('lte0');
      const ping = [
        '-n',
        '-q',
        '-c',
        '1',
        '-W',
        '5',
        '-M',
        'do',
        '-I',
        name,
        '-s',
        String(size - 28),
        '10.78.255.1',
      ];
      inside(site.ns.terminal, 'ping', ...ping);
      // Who has received and said nothing since says so after 10 s.
      await passing(12_000);
      return device.bytes;
    }
  },
);
