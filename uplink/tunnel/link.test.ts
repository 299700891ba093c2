import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { Children } from '#runtime/child.ts';
import { TestClock } from '#runtime/test-clock.ts';
import { ensureLink, ensureLinkIn, type LinkWish } from './link.ts';

// What the kernel's own WireGuard says, word for word, since not every machine that runs the tests has it.

const list = 'ip -json -details address show';
const add = 'ip link add dev checkpost0 type wireguard';
const move = 'ip link set dev checkpost0 netns checkpost';
const remove = 'ip link delete dev checkpost0';
const mark = 'wg set checkpost0 fwmark 25456';
const ask = 'wg show checkpost0 peers';
const start = 'wireguard-go checkpost0';
const withoutKernel = { [add]: fail('TOOL_FAILED', 'ip ended with code 2: Error: Unknown device type.') };
const here = (kind: string): Result<string> =>
  ok(JSON.stringify([{ ifname: 'checkpost0', ifindex: 4, flags: [], linkinfo: { info_kind: kind } }]));

let sockets: string;
let program: Server;
beforeEach(async () => {
  sockets = mkdtempSync(join(tmpdir(), 'checkpost-link-'));
  // Stands in for wireguard-go, of which only is seen that it has a socket and holds its connections.
  program = createServer();
  await new Promise<void>((resolve) => program.listen(join(sockets, 'checkpost0.sock'), resolve));
});
afterEach(async () => {
  program.close();
  rmSync(sockets, { recursive: true });
});

/** A machine on which a program answers by its arguments; what is not named works and prints nothing. */
function machine(answers: Readonly<Record<string, Result<string>>>): { children: Children; runs: string[] } {
  const runs: string[] = [];
  return {
    runs,
    children: {
      run(tool, args) {
        const line = [tool.name, ...args].join(' ');
        runs.push(line);
        return Promise.resolve(answers[line] ?? ok(''));
      },
      start: () => ({ ended: new Promise(() => {}), stop: () => Promise.resolve() }),
    },
  };
}

const wish = (children: Children, changes: Partial<LinkWish> = {}): LinkWish => ({
  name: 'checkpost0',
  mode: 'auto',
  mark: 25456,
  children,
  clock: new TestClock(),
  signal: new AbortController().signal,
  sockets: join(sockets, 'none'),
  ...changes,
});

test('Where the kernel has WireGuard it makes the interface, which has its mark before it is moved', async () => {
  const { children, runs } = machine({});
  const link = await ensureLinkIn('checkpost', wish(children));
  expect(link).toMatchObject({ ok: true, value: { by: 'kernel', adopted: false } });
  expect(runs).toEqual([list, add, mark, move]);
});

test('Where the kernel kept the interface of an earlier run in the namespace, that one serves and the new one goes', async () => {
  const { children, runs } = machine({
    [move]: fail('TOOL_FAILED', 'ip ended with code 2: RTNETLINK answers: File exists'),
  });
  const link = await ensureLinkIn('checkpost', wish(children));
  expect(link).toMatchObject({ ok: true, value: { by: 'kernel', adopted: true } });
  expect(runs.at(-1)).toBe(remove);
});

test('Where the namespace is not there, what was made is taken away and the step is named', async () => {
  const { children, runs } = machine({
    [move]: fail('TOOL_FAILED', 'ip ended with code 1: Invalid "netns" value "checkpost"'),
  });
  const link = await ensureLinkIn('checkpost', wish(children));
  expect(link).toMatchObject({ ok: false, fault: { code: 'TUNNEL_FAILED' } });
  expect(link.ok ? '' : link.fault.detail).toContain('moving checkpost0 into the namespace checkpost');
  expect(runs.at(-1)).toBe(remove);
});

test('A kernel without WireGuard is a reason for the program, except where the kernel alone is wanted', async () => {
  const auto = machine(withoutKernel);
  expect(await ensureLink(wish(auto.children, { sockets }))).toMatchObject({
    ok: true,
    value: { by: 'userspace', adopted: false },
  });
  expect(auto.runs).toEqual([list, add, start, mark]);
  const kernel = machine(withoutKernel);
  expect(await ensureLink(wish(kernel.children, { mode: 'kernel' }))).toMatchObject({ ok: false });
  expect(kernel.runs).not.toContain(start);
});

test('Missing rights are no reason for the program, and its absence is said together with the reason for it', async () => {
  const refused = machine({
    [add]: fail('TOOL_FAILED', 'ip ended with code 2: RTNETLINK answers: Operation not permitted'),
  });
  const link = await ensureLink(wish(refused.children));
  expect(link.ok ? '' : link.fault.detail).toContain('CAP_NET_ADMIN');
  expect(refused.runs).not.toContain(start);
  const missing = fail('TOOL_MISSING', 'wireguard-go is not installed; the package is wireguard-go.');
  const none = await ensureLink(wish(machine({ ...withoutKernel, [start]: missing }).children));
  expect(none).toMatchObject({ ok: false, fault: { code: 'TOOL_MISSING' } });
  expect(none.ok ? '' : none.fault.detail).toContain('The kernel has no WireGuard');
});

test('A living interface of the name is taken over as it is, of the kernel and of the program', async () => {
  const kernel = machine({ [list]: here('wireguard') });
  expect(await ensureLink(wish(kernel.children))).toMatchObject({
    ok: true,
    value: { by: 'kernel', adopted: true },
  });
  expect(kernel.runs).toEqual([list, mark]);
  const userspace = machine({ [list]: here('tun') });
  expect(await ensureLink(wish(userspace.children, { sockets }))).toMatchObject({
    ok: true,
    value: { by: 'userspace', adopted: true },
  });
  expect(userspace.runs).toEqual([list, ask, mark]);
});

test('A dead one, which nobody answers for, is taken away and made anew', async () => {
  const dead = fail('TOOL_FAILED', 'wg did not end within 5000 ms.');
  const { children, runs } = machine({ [list]: here('tun'), [ask]: dead });
  expect(await ensureLink(wish(children))).toMatchObject({ ok: true, value: { adopted: false } });
  expect(runs).toEqual([list, ask, remove, add, mark]);
});

test.each(['bridge', 'veth'])(
  'An interface of the same name that is no tunnel (%s) is left alone',
  async (kind) => {
    const { children, runs } = machine({ [list]: here(kind) });
    const link = await ensureLink(wish(children));
    expect(link.ok ? '' : link.fault.detail).toContain('no tunnel');
    expect(runs).toEqual([list]);
  },
);

test('A program that may not be asked is somebody else’s, and is left alone', async () => {
  const { children, runs } = machine({
    [list]: here('tun'),
    [ask]: fail('TOOL_FAILED', 'wg ended with code 1: Unable to access interface: Operation not permitted'),
  });
  expect(await ensureLink(wish(children))).toMatchObject({ ok: false });
  expect(runs).not.toContain(remove);
});

test('A program whose interface is in the other namespace by now is found by its socket, and nothing is made or moved', async () => {
  const { children, runs } = machine({});
  const link = await ensureLinkIn('checkpost', wish(children, { sockets }));
  expect(link).toMatchObject({ ok: true, value: { by: 'userspace', adopted: true } });
  expect(runs).toEqual([list, ask, mark]);
});

test('A socket that a dead program left is not taken for a living one', async () => {
  const dead = fail('TOOL_FAILED', 'wg ended with code 1: Unable to access interface: No such device');
  const { children, runs } = machine({ [ask]: dead });
  const link = await ensureLinkIn('checkpost', wish(children, { sockets }));
  expect(link).toMatchObject({ ok: true, value: { adopted: false } });
  expect(runs).toContain(move);
});

test('The end of the program is seen without asking, and is a fault', async () => {
  const accepted = new Promise<{ destroy(): void }>((resolve) => program.once('connection', resolve));
  const link = await ensureLink(wish(machine(withoutKernel).children, { sockets }));
  if (!link.ok) throw new Error(link.fault.detail);
  const { ended } = link.value;
  (await accepted).destroy();
  expect(await ended).toMatchObject({ ok: false, fault: { code: 'TUNNEL_FAILED' } });
});

test('A program that does not end when it is asked to falls with its interface', async () => {
  const clock = new TestClock();
  const { children, runs } = machine(withoutKernel);
  const accepted = new Promise<{ destroy(): void }>((resolve) => program.once('connection', resolve));
  const link = await ensureLink(wish(children, { sockets, clock }));
  if (!link.ok) throw new Error(link.fault.detail);
  const removed = link.value.remove();
  await accepted;
  while (clock.waiting === 0) await new Promise((resolve) => setImmediate(resolve));
  await clock.advance(5000);
  await removed;
  expect(runs.at(-1)).toBe(remove);
  // It was asked for: no fault.
  expect(await link.value.ended).toEqual(ok(undefined));
});

test('Where the mark cannot be set, a new interface is taken away again and the fault names the step', async () => {
  const { children, runs } = machine({ [mark]: fail('TOOL_FAILED', 'wg ended with code 1.') });
  const link = await ensureLink(wish(children));
  expect(link.ok ? '' : link.fault.detail).toContain('checkpost0: setting its mark');
  expect(runs.at(-1)).toBe(remove);
});
