import { expect, test } from 'vitest';
import { ok } from '#contracts/result.ts';
import type { Children } from './child.ts';
import { notifier } from './sd-notify.ts';

/** Writes down what would be run. */
function recorder(): { children: Children; runs: string[][] } {
  const runs: string[][] = [];
  return {
    runs,
    children: {
      run(tool, args, options) {
        runs.push([options?.env?.['NOTIFY_SOCKET'] ?? '', tool.name, ...args]);
        return Promise.resolve(ok(''));
      },
      start: () => expect.fail('nothing is to be kept running'),
    },
  };
}

test('Without a service manager nothing is run and no watchdog is fed', async () => {
  const { children, runs } = recorder();
  const silent = notifier({}, children);
  await silent.ready('x');
  await silent.alive();
  await silent.stopping();
  expect(runs).toEqual([]);
  expect(silent.watchdogEvery).toBeUndefined();
});

test('Every message goes to the socket of the service manager in the words of sd_notify(3)', async () => {
  const { children, runs } = recorder();
  const one = notifier({ NOTIFY_SOCKET: '/run/systemd/notify' }, children);
  await one.ready('hub-one up');
  await one.status('hub-one silent');
  await one.alive();
  await one.stopping();
  expect(runs.map(([socket, tool, ...args]) => [socket, tool, args.join(' ')])).toEqual([
    ['/run/systemd/notify', 'systemd-notify', '--ready --status=hub-one up'],
    ['/run/systemd/notify', 'systemd-notify', '--status=hub-one silent'],
    ['/run/systemd/notify', 'systemd-notify', 'WATCHDOG=1'],
    ['/run/systemd/notify', 'systemd-notify', 'STOPPING=1'],
  ]);
});

test('The watchdog is fed at half its time, and only by the process that it watches', () => {
  const { children } = recorder();
  const every = (env: Record<string, string>) => notifier(env, children).watchdogEvery;
  expect(every({ WATCHDOG_USEC: '60000000' })).toBe(30_000);
  expect(every({ WATCHDOG_USEC: '60000000', WATCHDOG_PID: String(process.pid) })).toBe(30_000);
  expect(every({ WATCHDOG_USEC: '60000000', WATCHDOG_PID: '1' })).toBeUndefined();
  expect(every({ WATCHDOG_USEC: 'soon' })).toBeUndefined();
});
