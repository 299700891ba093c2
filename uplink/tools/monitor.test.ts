import { expect, test } from 'vitest';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { Children, StartOptions } from '#runtime/child.ts';
import { TestClock } from '#runtime/test-clock.ts';
import { type Change, watchNetwork } from './monitor.ts';

interface Started {
  readonly line: string;
  readonly say: (line: string) => void;
  readonly end: (with_: Result<void>) => void;
}

/** Stands in for the tools: each that was started can be made to print and to end. */
function machine(): { children: Children; started: Started[] } {
  const started: Started[] = [];
  const children: Children = {
    run: () => Promise.resolve(ok('')),
    start(tool, args, { onLine }: StartOptions = {}) {
      let end: Started['end'] = () => {};
      const ended = new Promise<Result<void>>((resolve) => (end = resolve));
      started.push({ line: [tool.name, ...args].join(' '), say: (line) => onLine?.(line), end });
      return { ended, stop: () => Promise.resolve(end(ok(undefined))) };
    },
  };
  return { children, started };
}

function watched(changes?: readonly Change[]) {
  const clock = new TestClock();
  const told: string[] = [];
  const { children, started } = machine();
  const watch = watchNetwork({
    children,
    clock,
    random: () => 1,
    ...(changes && { changes }),
    onChange: (change) => told.push(change),
    onFault: (change, fault) => told.push(`${change}: ${fault.code}`),
  });
  return { clock, told, started, watch };
}

test('Every line of either watcher is a change of its kind, whatever it says', async () => {
  const { told, started, watch } = watched();
  expect(started.map(({ line }) => line)).toEqual(['ip monitor link address route rule', 'nft monitor']);
  started[0]?.say('Deleted 32766: from all lookup main');
  started[1]?.say('\u0000 nonsense');
  expect(told).toEqual(['network', 'firewall']);
  await watch.close();
});

test('A watcher that ends is told, and started again after pauses that grow; then a look is asked for', async () => {
  const { clock, told, started, watch } = watched(['network']);
  started[0]?.end(fail('TOOL_FAILED', 'ip ended by signal SIGKILL.'));
  await clock.advance(499);
  expect(started).toHaveLength(1);
  await clock.advance(1);
  expect(started).toHaveLength(2);
  expect(told).toEqual(['network: TOOL_FAILED', 'network']);
  started[1]?.end(fail('TOOL_MISSING', 'ip is not installed.'));
  await clock.advance(999);
  expect(started).toHaveLength(2);
  await clock.advance(1);
  expect(started).toHaveLength(3);
  // One that has run for a while was well: the next pause is the shortest again.
  await clock.advance(60_000);
  started[2]?.end(ok(undefined));
  await clock.advance(500);
  expect(started).toHaveLength(4);
  await watch.close();
});

test('Closing stops the watchers and starts none again, also in the pause between two', async () => {
  const one = watched();
  await one.watch.close();
  await one.clock.advance(100_000);
  expect(one.started).toHaveLength(2);
  const two = watched(['firewall']);
  two.started[0]?.end(fail('TOOL_MISSING', 'nft is not installed.'));
  await two.clock.advance(10);
  await two.watch.close();
  await two.clock.advance(100_000);
  expect(two.started).toHaveLength(1);
});
