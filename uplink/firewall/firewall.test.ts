import { describe, expect, test } from 'vitest';
import { fail, ok, type Result } from '#contracts/result.ts';
import { seconds } from '#contracts/units.ts';
import type { Children } from '#runtime/child.ts';
import { createLog } from '#runtime/log.ts';
import { TestClock } from '#runtime/test-clock.ts';
import type { ClosedListFacts } from './facts.ts';
import { createFirewall } from './firewall.ts';
import { countRules } from './render.ts';

const facts: ClosedListFacts = {
  interface: 'checkpost',
  mark: 25_456,
  uplinks: ['eth0'],
  hubs: [{ address: '198.51.100.7', port: 51_820 }],
  probeHubs: [],
  dns: [],
  time: [],
  uplinkUser: 642,
  timeUser: 643,
  officer: { port: 8443, devices: [] },
  enrolment: [{ address: '198.51.100.9', port: 443 }],
  portalPort: undefined,
};
const target = { address: '198.51.100.9', protocol: 'tcp', port: 443 } as const;

/** nft by its behaviour: keeps the text that it was given, and lists as many rules as that has. */
class FakeNft implements Children {
  /** What the kernel holds; undefined: no table. */
  table: string | undefined;
  /** Where set, the answer to everything. */
  broken: Result<string> | undefined;
  /** Where set, the answer to a listing. */
  listing: string | undefined;
  readonly given: string[] = [];
  /** As a set of the kernel lists them. */
  timed: unknown[] = [];

  async run(
    _tool: unknown,
    args: readonly string[],
    options?: { readonly input?: string },
  ): Promise<Result<string>> {
    if (this.broken !== undefined) return this.broken;
    if (args.includes('list')) return this.#list();
    this.given.push(options?.input ?? '');
    if (options?.input?.startsWith('table') === true) this.table = options.input;
    else if (this.table === undefined) return fail('TOOL_FAILED', 'No such file or directory');
    return ok('');
  }

  #list(): Result<string> {
    if (this.listing !== undefined) return ok(this.listing);
    if (this.table === undefined) return fail('TOOL_FAILED', 'No such file or directory');
    const rules = Array.from({ length: countRules(this.table) }, (_, handle) => ({
      rule: { handle, expr: [{ counter: { packets: this.given.length } }], comment: this.table?.length },
    }));
    const set = { set: { name: 'enrolment4', flags: ['timeout'], elem: this.timed } };
    return ok(JSON.stringify({ nftables: [{ metainfo: {} }, set, ...rules] }));
  }

  start(): never {
    throw new Error('Nothing is started.');
  }
}

function rig() {
  const children = new FakeNft();
  const clock = new TestClock();
  const lines: string[] = [];
  const log = createLog('info', 'test', { write: (line) => void lines.push(line) });
  return { children, clock, lines, firewall: createFirewall({ children, clock, log }) };
}

describe('The firewall', () => {
  test('before it was given a list it is off, and checking is a fault', async () => {
    const { firewall } = rig();
    expect(firewall.state()).toMatchObject({ state: 'off', mode: null, restored: 0 });
    expect(await firewall.check()).toMatchObject({ ok: false, fault: { code: 'FIREWALL_FAILED' } });
  });

  test('loads a list once: the same facts again are only read back', async () => {
    const { firewall, children } = rig();
    expect(await firewall.hold(facts)).toMatchObject({ ok: true });
    expect(await firewall.hold({ ...facts })).toMatchObject({ ok: true });
    expect(children.given).toHaveLength(1);
    expect(firewall.state()).toMatchObject({ state: 'held', restored: 0 });
  });

  test('puts back what was flushed, counts it and says so', async () => {
    const { firewall, children, lines } = rig();
    await firewall.hold(facts);
    expect(await firewall.check()).toEqual({ ok: true, value: 'held' });
    children.table = undefined;
    expect(await firewall.check()).toEqual({ ok: true, value: 'restored' });
    expect(firewall.state()).toMatchObject({ state: 'held', restored: 1 });
    expect(lines.join('')).toContain('put back');
  });

  test('facts that nft could misread change nothing, and the firewall is as good as before', async () => {
    const { firewall, children } = rig();
    await firewall.hold(facts);
    const wrong = await firewall.hold({ ...facts, dns: ['dns.example'] });
    expect(wrong).toMatchObject({ ok: false, fault: { code: 'FIREWALL_FAILED' } });
    expect(children.given).toHaveLength(1);
    expect(firewall.state().state).toBe('held');
  });

  test.each<[string, Result<string>, string]>([
    ['missing', fail('TOOL_MISSING', 'nft is not installed; the package is nftables.'), 'TOOL_MISSING'],
    ['refused', fail('TOOL_FAILED', 'Operation not permitted'), 'FIREWALL_FAILED'],
    ['hanging', fail('TOOL_FAILED', 'nft did not end within 5000 ms.'), 'FIREWALL_FAILED'],
    ['printing nonsense', ok('{"nftables": [{"rule": 1}, 7]}'), 'FIREWALL_FAILED'],
    ['printing nothing', ok(''), 'FIREWALL_FAILED'],
    ['printing an empty list', ok('{"nftables": []}'), 'FIREWALL_FAILED'],
  ])('nft %s is a named fault, said once, and the next check makes it good', async (_how, broken, code) => {
    const { firewall, children, lines } = rig();
    children.broken = broken;
    expect(await firewall.hold(facts)).toMatchObject({ ok: false, fault: { code } });
    expect(await firewall.check()).toMatchObject({ ok: false, fault: { code } });
    expect(firewall.state()).toMatchObject({ state: 'failed', fault: { code } });
    expect(lines.filter((line) => line.includes('cannot be held'))).toHaveLength(1);
    children.broken = undefined;
    expect(await firewall.check()).toEqual({ ok: true, value: 'held' });
    expect(firewall.state()).toMatchObject({ state: 'held', fault: undefined, restored: 0 });
  });

  test('a list that cannot be read back is a fault, not a restoration', async () => {
    const { firewall, children } = rig();
    await firewall.hold(facts);
    children.listing = 'nonsense';
    expect(await firewall.check()).toMatchObject({ ok: false, fault: { code: 'FIREWALL_FAILED' } });
    expect(firewall.state()).toMatchObject({ state: 'failed', restored: 0 });
  });

  test('calls that come at the same time are carried out one after another', async () => {
    const { firewall, children } = rig();
    const done = await Promise.all([
      firewall.hold(facts),
      firewall.check(),
      firewall.hold({ ...facts, dns: ['198.51.100.53'] }),
      firewall.check(),
    ]);
    expect(done.every((one) => one.ok)).toBe(true);
    expect(firewall.state().restored).toBe(0);
    expect(children.table).toContain('198.51.100.53');
  });
});

describe('A timed mode', () => {
  test('is open for its time, by our clock as by the kernel’s', async () => {
    const { firewall, children, clock } = rig();
    await firewall.hold(facts);
    expect(await firewall.openMode('enrolment', seconds(60), [target])).toMatchObject({ ok: true });
    expect(children.given.at(-1)).toBe(
      'flush set inet checkpost enrolment4\n' +
        'add element inet checkpost enrolment4 { 198.51.100.9 . tcp . 443 timeout 60000ms }\n' +
        'flush set inet checkpost enrolment6\n',
    );
    expect(firewall.state()).toMatchObject({ state: 'open', mode: 'enrolment' });
    await clock.advance(60_000);
    expect(firewall.state()).toMatchObject({ state: 'held', mode: null });
  });

  test('keeps its remaining time when the list is loaded anew, and is not opened again by that', async () => {
    const { firewall, children, clock } = rig();
    await firewall.hold(facts);
    await firewall.openMode('enrolment', seconds(60), [target]);
    await clock.advance(45_000);
    await firewall.hold({ ...facts, dns: ['198.51.100.53'] });
    expect(children.table).toContain('198.51.100.9 . tcp . 443 timeout 15000ms');
    await clock.advance(15_000);
    children.table = undefined;
    await firewall.check();
    expect(children.table).not.toContain('198.51.100.9');
  });

  test('that a run before has opened is taken over with the time that the kernel still gives it', async () => {
    const { firewall, children } = rig();
    children.table = 'table of the run before';
    children.timed = [
      { elem: { val: { concat: ['198.51.100.9', 'tcp', 443] }, timeout: 60, expires: 17 } },
      { elem: { val: { concat: ['198.51.100.9', 'tcp', 443] }, timeout: 60, expires: 0 } },
      { concat: ['203.0.113.9', 'tcp', 443] },
      'nonsense',
    ];
    await firewall.hold(facts);
    expect(children.table).toContain('elements = { 198.51.100.9 . tcp . 443 timeout 17000ms }');
    expect(children.table).not.toContain('203.0.113.9');
    expect(firewall.state()).toMatchObject({ state: 'open', mode: 'enrolment' });
  });

  test('to a server that the settings do not name any more is closed by the new list', async () => {
    const { firewall, children } = rig();
    await firewall.hold(facts);
    await firewall.openMode('enrolment', seconds(60), [target]);
    await firewall.hold({ ...facts, enrolment: [{ address: '198.51.100.10', port: 443 }] });
    expect(children.table).not.toContain('198.51.100.9 .');
    expect(firewall.state()).toMatchObject({ state: 'held', mode: null });
  });

  test('closes when it is told to, and closing it again does nothing', async () => {
    const { firewall, children } = rig();
    await firewall.hold(facts);
    await firewall.openMode('enrolment', seconds(60), [target]);
    expect(await firewall.closeMode('enrolment')).toMatchObject({ ok: true });
    expect(children.given.at(-1)).toBe(
      'flush set inet checkpost enrolment4\nflush set inet checkpost enrolment6\n',
    );
    const before = children.given.length;
    expect(await firewall.closeMode('enrolment')).toMatchObject({ ok: true });
    expect(children.given).toHaveLength(before);
    expect(firewall.state()).toMatchObject({ state: 'held', mode: null });
  });

  test('is opened also where the list was flushed meanwhile: the list comes back with it', async () => {
    const { firewall, children } = rig();
    await firewall.hold(facts);
    children.table = undefined;
    expect(await firewall.openMode('enrolment', seconds(60), [target])).toMatchObject({ ok: true });
    expect(children.table).toContain('198.51.100.9 . tcp . 443 timeout 60000ms');
    expect(firewall.state()).toMatchObject({ state: 'open', restored: 1 });
  });

  test('that nft does not open is not said to be open', async () => {
    const { firewall, children } = rig();
    await firewall.hold(facts);
    children.broken = fail('TOOL_FAILED', 'refused');
    expect(await firewall.openMode('enrolment', seconds(60), [target])).toMatchObject({ ok: false });
    expect(firewall.state().mode).toBeNull();
  });

  test.each([
    ['a server that is not named', 'enrolment', 60, { ...target, address: '203.0.113.9' }],
    ['another port of it', 'enrolment', 60, { ...target, port: 80 }],
    ['another protocol', 'enrolment', 60, { ...target, protocol: 'udp' }],
    ['a mode that is not configured', 'portal-check', 60, { ...target, port: 80 }],
    ['no time', 'enrolment', 0, target],
    ['more than an hour', 'enrolment', 3601, target],
    ['no number', 'enrolment', Number.NaN, target],
  ] as const)('is refused for %s', async (_what, mode, time, to) => {
    const { firewall, children } = rig();
    await firewall.hold(facts);
    const opened = await firewall.openMode(mode, seconds(time), [to]);
    expect(opened).toMatchObject({ ok: false, fault: { code: 'FIREWALL_FAILED' } });
    expect(children.given).toHaveLength(1);
  });

  test('for the portal takes any address, but its ports only', async () => {
    const { firewall } = rig();
    await firewall.hold({ ...facts, portalPort: 8080 });
    const open = (port: number, protocol: 'tcp' | 'udp', address = '203.0.113.1') =>
      firewall.openMode('portal-check', seconds(10), [{ address, protocol, port }]);
    expect((await open(8080, 'tcp')).ok).toBe(true);
    expect((await open(53, 'udp')).ok).toBe(true);
    expect((await open(80, 'tcp')).ok).toBe(false);
    expect((await open(8080, 'tcp', 'portal.example')).ok).toBe(false);
  });
});
