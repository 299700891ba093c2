import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configurationType, type UplinkStatus } from '#contracts/uplink.ts';
import { signEnvelope } from '#formats/envelope.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { ManagedProcess } from '#test/rigs/process.ts';
import { requires } from '#test/rigs/requirements.ts';
import { Tireless } from '#test/rigs/site/escape/tireless.ts';
import {
  enrolmentServer,
  mark,
  portalPage,
  stranger,
  WatchedSite,
  wrongIn,
} from '#test/rigs/site/escape/watched-site.ts';
import { inside, run } from '#test/rigs/site/namespaces.ts';
import { hubNames, terminalName, uplinkTools } from '#test/rigs/site/site.ts';
import { allUp } from '#test/rigs/site/trials.ts';

// All that leaves the terminal is captured, from before its lines come up until after it went down, while programs in
// the agent's namespace and beside the helper try without pause to talk to the outside. Each test is one window of
// that capture, and there is no time between two of them.
const reason = requires({
  test: 'nothing leaves outside the tunnel',
  root: true,
  tools: [...uplinkTools, 'tcpdump'],
});

/** What stands in the way of the first uplink: it sends everybody to its login. */
const portalServer = `
require('node:http')
  .createServer((_, response) => response.writeHead(302, { location: 'http://login.example/' }).end())
  .listen(${portalPage.port}, '${portalPage.address}', () => console.log('{"event":"ready"}'));
`;
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const byTunnel = ['wireguard'];

describe.skipIf(reason !== undefined)('Of a terminal', () => {
  const watched = new WatchedSite();
  const { site } = watched;
  const { terminal, agent } = site.ns;
  const portal = new ManagedProcess({
    name: 'the portal',
    command: 'ip',
    args: ['netns', 'exec', site.provider('dsl'), process.execPath, '-e', portalServer],
    logFile: join(site.folder, 'portal.log'),
    waitForReady: true,
  });

  beforeAll(async () => {
    const key = publicKey.export({ type: 'spki', format: 'pem' });
    writeFileSync(
      join(site.folder, 'trusted.json'),
      JSON.stringify({ keys: [{ id: 'bureau', role: 'configuration', publicKey: key }] }),
    );
    await watched.start();
  });
  afterAll(async () => {
    await portal.stop();
    await watched.close();
  });

  const becomes = (what: string, holds: (status: UplinkStatus) => boolean): Promise<unknown> =>
    eventually(async () => holds(await site.status()), { what, timeoutMs: 40_000, everyMs: 100 });
  const nothingCarries = () => becomes('no way out', ({ carrying }) => carrying === null);
  const isShut = () => becomes('the mode being closed', ({ firewall }) => firewall.mode === null);
  const rules = (): string => inside(terminal, 'nft', 'list', 'ruleset');
  const silenceAll = () => site.lines.forEach(({ name }) => site.silence(name));
  const mendAll = () => site.lines.forEach(({ name }) => site.mend(name));
  /** How many packets the rule with this comment has dropped. */
  const droppedBy = (comment: string): number => {
    const rule = rules()
      .split('\n')
      .find((line) => line.includes(`"${comment}"`));
    return Number(/packets (\d+)/.exec(rule ?? '')?.[1]);
  };

  test('When its lines come up at boot, nothing leaves but what finds neighbours', async () => {
    // The list in force until the helper comes.
    const boot = ['arp', 'neighbours', 'dhcp', 'dhcp6', 'page', 'page-answer'];
    const window = await watched.during(
      async () => {
        watched.lineUp();
        await watched.tryEverything();
      },
      { entries: watched.entries.filter(({ id }) => boot.includes(id)) },
    );
    expect(wrongIn(window)).toEqual([]);
    expect(window.out['neighbours']).toBeGreaterThan(0);
  });

  test('When the helper starts, its tunnels are all that leaves', async () => {
    const window = await watched.during(async () => {
      await site.startTerminal();
      await site.connected();
      await allUp(site);
    });
    expect(wrongIn(window, byTunnel)).toEqual([]);
    expect(window.out['wireguard']).toBeGreaterThan(0);
  });

  test('While all is well, nothing else leaves, though root beside the agent has set default routes', async () => {
    const window = await watched.during(async () => {
      const routes = () => run('ip', '-n', agent, 'route');
      await eventually(() => routes().includes('default'), { what: 'his route', everyMs: 5 });
      await watched.tryEverything();
    });
    expect(wrongIn(window, byTunnel)).toEqual([]);
    // The kernel took what he sent: into the tunnel, which leads nowhere else than to the centre.
    const taken = window.tried.get(watched.inAgent[0]?.name ?? '')?.taken ?? {};
    for (const kind of ['udp4', 'udp6', 'tcp4', 'tcp6', 'icmp4', 'icmp6', 'raw4', 'raw6', 'packet4'])
      expect(taken[kind], kind).toBeGreaterThan(0);
  });

  test('When the outer half is killed, nothing leaves then, while it is dead, or when it is back', async () => {
    const window = await watched.during(async () => {
      await site.outer.stop('SIGKILL');
      await watched.tryEverything();
      await site.outer.start();
      await allUp(site);
    });
    expect(wrongIn(window, byTunnel)).toEqual([]);
  });

  test('When the inner half is killed, nothing leaves then, while it is dead, or when it is back', async () => {
    const window = await watched.during(async () => {
      await site.inner.stop('SIGKILL');
      await watched.tryEverything();
      await site.inner.start();
      await becomes('the inner half', ({ inner }) => inner === 'applied');
      await site.connected();
    });
    expect(wrongIn(window, byTunnel)).toEqual([]);
  });

  test('When a tunnel itself is lost, nothing leaves until it is made anew', async () => {
    const name = `${site.prefix}0`;
    // By the kernel's number of the device: the helper may be faster than the next look.
    const device = () => run('ip', '-n', agent, '-oneline', 'link').match(`(\\d+): ${name}[@:]`)?.[1];
    await site.connected();
    const before = device();
    expect(before).toBeDefined();
    const window = await watched.during(async () => {
      run('ip', '-n', agent, 'link', 'delete', name);
      expect(device()).not.toBe(before);
      await watched.tryEverything();
      await eventually(() => device() !== undefined, {
        what: `${name} being there again`,
        timeoutMs: 30_000,
        everyMs: 100,
      });
      await site.connected();
      await allUp(site);
    });
    expect(wrongIn(window, byTunnel)).toEqual([]);
  });

  test('When both uplinks fall silent and come back, nothing else is tried', async () => {
    const window = await watched.during(async () => {
      silenceAll();
      await nothingCarries();
      await watched.tryEverything();
      mendAll();
      await allUp(site);
    });
    expect(wrongIn(window, byTunnel)).toEqual([]);
  });

  test('When both hubs fall silent and come back, nothing else is tried', async () => {
    const window = await watched.during(async () => {
      for (const hub of hubNames) site.silenceHub(hub);
      await nothingCarries();
      await watched.tryEverything();
      for (const hub of hubNames) site.mendHub(hub);
      await allUp(site);
    });
    expect(wrongIn(window, byTunnel)).toEqual([]);
  });

  test('When a signed configuration exchanges the hubs, nothing else leaves', async () => {
    const own = JSON.parse(readFileSync(site.settingsFile, 'utf8')) as Record<string, unknown>;
    const { addresses, reach, uplinks, hubs, dns } = own;
    const portalCheck = { url: `http://${portalPage.address}/checkpost`, expect: 'this is the page' };
    const network = { addresses, reach, uplinks, hubs: (hubs as unknown[]).toReversed(), dns, portalCheck };
    const payload = { v: 1, terminal: terminalName, version: 1, network };
    const signer = { id: 'bureau', key: privateKey };
    const envelope = signEnvelope(configurationType, Buffer.from(JSON.stringify(payload)), signer);
    const window = await watched.during(async () => {
      expect(await site.ask({ verb: 'apply', envelope })).toMatchObject({ ok: true });
      await becomes(
        'version 1',
        ({ configuration: { version, state } }) => version === 1 && state === 'current',
      );
      await becomes('the other hub', ({ carrying }) => carrying?.hub === 'two');
      await watched.tryEverything();
      await allUp(site);
    });
    expect(wrongIn(window, byTunnel)).toEqual([]);
    watched.entries = watched.entriesWith(network);
  });

  test('When a portal is looked for, its page alone is asked for, and then the way is shut again', async () => {
    await portal.start();
    const open = { 'portal-check': [portalPage] };
    const window = await watched.during(
      async () => {
        silenceAll();
        await becomes('the portal being found', ({ uplinks: [dsl] }) => dsl?.state === 'captive-portal');
        await isShut();
        await watched.tryEverything();
        mendAll();
        await allUp(site);
      },
      { open },
    );
    expect(wrongIn(window, [...byTunnel, 'portal-check'])).toEqual([]);
    expect(window.out['portal-check']).toBeGreaterThan(0);
    expect(rules()).not.toContain(portalPage.address);
  });

  test('While the terminal is enrolled, the server of the bureau can be reached, and nothing else', async () => {
    const window = await watched.during(
      async () => {
        expect(await site.ask({ verb: 'enrolment', seconds: 60 })).toMatchObject({ ok: true });
        await watched.tryEverything();
        expect(await site.ask({ verb: 'enrolment', seconds: 0 })).toMatchObject({ ok: true });
        await isShut();
      },
      { open: { enrolment: [enrolmentServer] } },
    );
    expect(wrongIn(window, [...byTunnel, 'enrolment'])).toEqual([]);
    expect(window.out['enrolment']).toBeGreaterThan(0);
  });

  test('Once it is enrolled, that server and the page of the portal check cannot be reached any more', async () => {
    const window = await watched.during(() => watched.tryEverything());
    expect(wrongIn(window, byTunnel)).toEqual([]);
  });

  test('While all rules are flushed, the agent is shut in all the same, and they are back within 5 s', async () => {
    // Beside the helper nothing but the rules holds anybody.
    await watched.beside.pause();
    const areBack = () =>
      eventually(() => rules().includes('not on the list'), { what: 'the rules', timeoutMs: 5000 });
    const window = await watched.during(async () => {
      inside(terminal, 'nft', 'flush', 'ruleset');
      await areBack();
      // Longer without them, while there is nobody to put them back.
      await site.outer.stop('SIGKILL');
      inside(terminal, 'nft', 'flush', 'ruleset');
      await watched.tryEverything(watched.inAgent);
      expect(rules()).toBe('');
      await site.outer.start();
      await areBack();
      await allUp(site);
    });
    await watched.beside.go();
    const besides = `${watched.beside.name} has not tried`;
    expect(wrongIn(window, byTunnel).filter((wrong) => !wrong.startsWith(besides))).toEqual([]);
  });

  test('When root in the agent’s namespace turns the tunnels themselves to a stranger, none of it leaves', async () => {
    const before = droppedBy('marked, but not to a hub');
    const window = await watched.during(async () => {
      for (const name of [`${site.prefix}0`, `${site.prefix}1`]) {
        for (const peer of inside(agent, 'wg', 'show', name, 'peers').trim().split('\n')) {
          const turn = ['peer', peer, 'endpoint', `${stranger}:51820`];
          inside(agent, 'wg', 'set', name, ...turn);
          site.reaches();
          inside(agent, 'wg', 'set', name, 'fwmark', '0', ...turn);
          site.reaches();
        }
      }
      await watched.tryEverything();
    });
    expect(wrongIn(window, byTunnel)).toEqual([]);
    expect(droppedBy('marked, but not to a hub')).toBeGreaterThan(before);
  });

  test('When it shuts down, the list outlasts the helper', async () => {
    const window = await watched.during(async () => {
      expect(await Promise.all([site.inner.stop(), site.outer.stop()])).toEqual([0, 0]);
      await watched.tryEverything();
    });
    expect(wrongIn(window, byTunnel)).toEqual([]);
    expect(rules()).toContain('not on the list');
  });

  test('Without the list the same attempts beside the helper leave by every line, and are judged as leaks', async () => {
    inside(terminal, 'nft', 'delete', 'table', 'inet', 'checkpost');
    const { leaks } = await watched.during(() => watched.tryEverything());
    for (const line of [/^out dsl0: /, /^out lte0: /, /^out lan0: /, /ICMP type 8 /, /ICMPv6 type 128 /])
      expect(leaks).toContainEqual(expect.stringMatching(line));
    for (const address of [stranger.replaceAll('.', String.raw`\.`), '2001:db8:9::9'])
      for (const what of [
        `UDP .* > ${address} port 443`,
        `TCP .* > ${address} port 443`,
        `${address} port 53`,
      ])
        expect(leaks).toContainEqual(expect.stringMatching(what));
  });

  test('What is sent with the mark of the tunnel to another than a hub is then judged as a leak', async () => {
    await watched.beside.pause();
    let sent = 0;
    const { leaks } = await watched.during(async () => {
      const leaking = await Tireless.start('root beside the helper', terminal, {
        targets: [{ address: stranger, port: 51_820 }],
        devices: [],
        sources: [],
        marks: [mark],
        kinds: ['udp'],
        user: undefined,
        routesBy: undefined,
      });
      await leaking.wholeRound();
      sent = (await leaking.pause()).taken['udp4'] ?? 0;
      await leaking.stop();
    });
    const seen = leaks.filter((leak) => leak.includes(`> ${stranger} port 51820`));
    // Every second one has the mark.
    expect(seen.length).toBeGreaterThan(sent / 2);
    expect(sent).toBeGreaterThan(0);
  });
});
