import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ErrorCode, errors } from '#contracts/errors.ts';
import type { UplinkFault } from '#contracts/uplink.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { requires } from '#test/rigs/requirements.ts';
import { FaultyTools, type FaultyTool, faultyTools, type Mood, moods } from '#test/rigs/site/faulty-tools.ts';
import { run } from '#test/rigs/site/namespaces.ts';
import { Site, uplinkTools } from '#test/rigs/site/site.ts';
import { allUp } from '#test/rigs/site/trials.ts';
import type { Traffic } from '#test/rigs/site/traffic.ts';

const reason = requires({
  test: 'the uplink with faulty tools',
  root: true,
  tools: [...uplinkTools, 'mount'],
});

interface Broken {
  readonly outer: readonly FaultyTool[];
  readonly inner: readonly FaultyTool[];
}

/** What is broken at the same time: a broken `ip` hides what `wg` would do, so they take turns. */
const groups: readonly Broken[] = [
  { outer: ['ip', 'nft'], inner: ['wg'] },
  { outer: ['wg'], inner: ['ip'] },
];
/** What hangs in the outer half delays what the inner half is told, so each half has its turn. */
const apart: readonly Broken[] = [
  { outer: ['ip', 'nft'], inner: [] },
  { outer: ['wg'], inner: [] },
  { outer: [], inner: ['wg'] },
  { outer: [], inner: ['ip'] },
];
const cases = moods.flatMap((mood) =>
  (mood === 'hang' ? apart : groups).map((broken) => ({
    mood,
    ...broken,
    named: [
      ...broken.outer.map((tool) => `${tool} outside`),
      ...broken.inner.map((tool) => `${tool} inside`),
    ].join(' and '),
  })),
);
/** What the fault says of a tool in this mood. */
const words: Readonly<Record<Mood, RegExp>> = {
  missing: /is not installed; the package is/,
  refused: /CAP_NET_ADMIN/,
  hang: /did not end within 5000 ms/,
  nonsense: /printed something else|nonsense/,
};

const asWished = { told: true, sameProcesses: true };

describe.skipIf(reason !== undefined)('The uplink whose tools do not work', () => {
  const tools = { outer: new FaultyTools(), inner: new FaultyTools() };
  const site = new Site({ around: { outer: tools.outer.around, inner: tools.inner.around } });
  let traffic: Traffic;

  beforeAll(async () => {
    await site.start();
    await allUp(site);
    traffic = site.traffic();
    await traffic.flows();
  });
  afterAll(async () => {
    const report = await traffic.stop();
    await site.close();
    for (const one of Object.values(tools)) one.remove();
    // Through all of it.
    expect(report.sent).toBeGreaterThan(1000);
    expect(report.lost).toBeLessThanOrEqual(5);
  });

  test.each(cases)(
    '$mood at the start: $named; it is said, tried again, and all recovers by itself',
    async ({ mood, outer, inner }) => {
      for (const half of [site.outer, site.inner]) await half.stop('SIGKILL');
      breakAll(mood, { outer, inner });
      await site.startTerminal();
      expect(await untilMended(mood, { outer, inner })).toEqual(asWished);
    },
    60_000,
  );

  test.each(cases)(
    '$mood while it runs: $named; it is said, tried again, and all recovers by itself',
    async ({ mood, outer, inner }) => {
      breakAll(mood, { outer, inner });
      await disturb();
      expect(await untilMended(mood, { outer, inner })).toEqual(asWished);
    },
    60_000,
  );

  test('While all of them are refused, the pauses between two attempts grow, and so few programs are started', async () => {
    const from = Date.now();
    breakAll('refused', { outer: ['wg', 'ip', 'nft'], inner: ['wg', 'ip'] });
    await disturb();
    await eventually(() => Date.now() - from > 8000, { timeoutMs: 10_000 });
    const called = (one: FaultyTools, tool: FaultyTool, args: RegExp): number[] =>
      one
        .calls(tool)
        .filter((call) => call.at > from && args.test(call.args))
        .map(({ at }) => at);
    const attempts = {
      outer: called(tools.outer, 'nft', /^-f -$/),
      inner: called(tools.inner, 'ip', /address show/),
    };
    for (const times of Object.values(attempts)) {
      const pauses = times.slice(1).map((at, i) => at - (times[i] ?? at));
      // Pauses of 0.5 s, 1 s, 2 s, 4 s, each by half to whole; what changes meanwhile is a reason of its own.
      expect(times.length).toBeGreaterThanOrEqual(3);
      expect(times.length).toBeLessThanOrEqual(8);
      expect(Math.max(...pauses)).toBeGreaterThan(1500);
    }
    const all = [tools.outer, tools.inner].flatMap((one) =>
      faultyTools.flatMap((tool) => called(one, tool, /./)),
    );
    expect(all.length).toBeLessThan(150);
    expect((await site.status()).faults).not.toEqual([]);
    await mended();
  });

  function breakAll(mood: Mood, { outer, inner }: Broken): void {
    for (const tool of outer) tools.outer.set(tool, mood);
    for (const tool of inner) tools.inner.set(tool, mood);
  }

  /** There is something to be done for every tool: a probe tunnel, the closed list, and the way through the tunnel. */
  async function disturb(): Promise<void> {
    run('ip', '-n', site.ns.terminal, 'link', 'delete', 'dev', `${site.prefix}-p1`);
    run('ip', 'netns', 'exec', site.ns.terminal, 'nft', 'flush', 'ruleset');
    await site.ask({ verb: 'prefer', hub: (await site.status()).hubs.find(({ carries }) => !carries)?.name });
  }

  /** Waits for the faults, mends the tools, and waits until all is well. */
  async function untilMended(mood: Mood, broken: Broken): Promise<typeof asWished> {
    const pids = [site.outer.pid, site.inner.pid];
    const remedies: string[] = [];
    for (const tool of [...broken.outer, ...broken.inner])
      // `checkpost uplink status` prints what to do with the fault.
      remedies.push(errors[(await faultOf(tool, mood)).code as ErrorCode].remedy);
    // While they are broken still.
    await traffic.flows();
    await mended();
    await traffic.flows();
    const runs = site.outer.running && site.inner.running;
    return {
      told: remedies.every((remedy) => remedy !== ''),
      sameProcesses: runs && site.outer.pid === pids[0] && site.inner.pid === pids[1],
    };
  }

  /** The tools are as they should be, and nobody does anything but wait. */
  async function mended(): Promise<void> {
    tools.outer.restore();
    tools.inner.restore();
    await eventually(
      async () => {
        const { faults, inner } = await site.status();
        return faults.length === 0 && inner === 'applied';
      },
      { what: `the faults being gone (${site.logFile})`, timeoutMs: 30_000, everyMs: 100 },
    );
    await allUp(site);
  }

  function faultOf(tool: FaultyTool, mood: Mood): Promise<UplinkFault> {
    return eventually(
      async () => {
        const { faults } = await site.status();
        return faults.find(
          ({ code, detail }) =>
            code in errors && words[mood].test(detail) && new RegExp(`\\b${tool}\\b`).test(detail),
        );
      },
      { what: `a fault of ${tool} being ${mood} (${site.logFile})`, timeoutMs: 30_000, everyMs: 200 },
    );
  }
});
