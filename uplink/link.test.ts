import { expect, test } from 'vitest';
import { fail, ok, type Result } from '#contracts/result.ts';
import { UplinkSettings } from '#contracts/settings/uplink.ts';
import type { Children } from '#runtime/child.ts';
import { silentLog } from '#runtime/log.ts';
import { notifier } from '#runtime/sd-notify.ts';
import { parseSettings } from '#runtime/settings.ts';
import { TestClock } from '#runtime/test-clock.ts';
import { startUplink } from './main.ts';

// What the kernel's own WireGuard says, word for word, since not every machine that runs the tests has it.

const parsed = parseSettings(
  UplinkSettings,
  {
    privateKey: 'tunnel.key',
    addresses: ['10.77.0.2/32'],
    hubs: [
      {
        name: 'hub-one',
        publicKey: `${'a'.repeat(42)}A=`,
        endpoint: '192.0.2.1:51820',
        allowedIps: ['10.77.0.0/24'],
      },
    ],
  },
  '/etc/checkpost/uplink.json',
);

/** A machine on which a program answers by its arguments; what is not named works and prints nothing. */
function machine(answers: Readonly<Record<string, Result<string>>>): { children: Children; runs: string[] } {
  const runs: string[] = [];
  return {
    runs,
    children: {
      run(tool, args) {
        const line = [tool.name, ...args].join(' ');
        runs.push(line);
        const none = line === 'ip -details -json link show' ? '[]' : '';
        return Promise.resolve(answers[line] ?? ok(none));
      },
      start(tool, args) {
        runs.push(`start ${[tool.name, ...args].join(' ')}`);
        return { ended: new Promise(() => {}), stop: () => Promise.resolve() };
      },
    },
  };
}

function outer(children: Children, mode: 'auto' | 'kernel' = 'auto') {
  if (!parsed.ok) throw new Error(parsed.fault.detail);
  return startUplink({ ...parsed.value, mode }, 'outer', {
    clock: new TestClock(),
    children,
    log: silentLog,
    notifier: notifier({}, children),
    signal: new AbortController().signal,
  });
}

const add = 'ip link add dev checkpost0 type wireguard';
const move = 'ip link set dev checkpost0 netns checkpost';
const remove = 'ip link delete dev checkpost0';

test('Where the kernel has WireGuard it makes the interface, and it is moved before anything else', async () => {
  const { children, runs } = machine({});
  const started = await outer(children);
  expect(started.ok).toBe(true);
  expect(runs.slice(1)).toEqual([add, move]);
  if (started.ok) await started.value.close();
});

test('Where the kernel kept the interface of an earlier run in the namespace, that one serves and the new one goes', async () => {
  const { children, runs } = machine({
    [move]: fail('TOOL_FAILED', 'ip ended with code 2: RTNETLINK answers: File exists'),
  });
  const started = await outer(children);
  expect(started.ok).toBe(true);
  expect(runs.slice(1)).toEqual([add, move, remove]);
  if (started.ok) await started.value.close();
});

test('Where the namespace is not there, what was made is taken away and the step is named', async () => {
  const { children, runs } = machine({
    [move]: fail('TOOL_FAILED', 'ip ended with code 1: Invalid "netns" value "checkpost"'),
  });
  const started = await outer(children);
  expect(started).toMatchObject({ ok: false, fault: { code: 'TUNNEL_FAILED' } });
  expect(started.ok ? '' : started.fault.detail).toContain('moving checkpost0 into the namespace checkpost');
  expect(runs.at(-1)).toBe(remove);
});

test('A kernel without WireGuard is a reason for the program, except where the kernel alone is wanted', async () => {
  const without = { [add]: fail('TOOL_FAILED', 'ip ended with code 2: Error: Unknown device type.') };
  const auto = machine(without);
  const started = await outer(auto.children);
  expect(started.ok).toBe(true);
  expect(auto.runs).toContain('start wireguard-go -f checkpost0');
  if (started.ok) await started.value.close();
  const kernel = machine(without);
  expect(await outer(kernel.children, 'kernel')).toMatchObject({ ok: false });
  expect(kernel.runs.some((line) => line.startsWith('start'))).toBe(false);
});

test('Missing rights are no reason for the program', async () => {
  const { children, runs } = machine({
    [add]: fail('TOOL_FAILED', 'ip ended with code 2: RTNETLINK answers: Operation not permitted'),
  });
  const started = await outer(children);
  expect(started.ok ? '' : started.fault.detail).toContain('CAP_NET_ADMIN');
  expect(runs.some((line) => line.startsWith('start'))).toBe(false);
});

test('An interface of the same name that is no tunnel is left alone', async () => {
  const other = JSON.stringify([{ ifname: 'checkpost0', linkinfo: { info_kind: 'bridge' } }]);
  const { children, runs } = machine({ 'ip -details -json link show': ok(other) });
  const started = await outer(children);
  expect(started.ok ? '' : started.fault.detail).toContain('no tunnel');
  expect(runs).toHaveLength(1);
});
