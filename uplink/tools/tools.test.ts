import { expect, test } from 'vitest';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { Children, RunOptions } from '#runtime/child.ts';
import { ip, nft, step, wg } from './tools.ts';

function machine(answer: Result<string>): { children: Children; asked: RunOptions[] } {
  const asked: RunOptions[] = [];
  const children: Children = {
    run(_tool, _args, options = {}) {
      asked.push(options);
      return Promise.resolve(answer);
    },
    start: () => ({ ended: new Promise(() => {}), stop: () => Promise.resolve() }),
  };
  return { children, asked };
}

test('A step that fails has the code of what it was for, what it was, and what the tool said', async () => {
  const { children } = machine(fail('TOOL_FAILED', 'nft ended with code 1: syntax error'));
  const done = await step(children, 'FIREWALL_FAILED', 'loading the closed list', nft, ['-f', '-']);
  expect(done).toEqual(
    fail('FIREWALL_FAILED', 'loading the closed list: nft ended with code 1: syntax error'),
  );
});

test('A tool that is not there is named as missing, and one that lacks rights says which', async () => {
  const missing = fail('TOOL_MISSING', 'wg is not installed; the package is wireguard-tools.');
  expect(await step(machine(missing).children, 'TUNNEL_FAILED', 'a step', wg, [])).toEqual(missing);
  const refused = machine(
    fail('TOOL_FAILED', 'ip ended with code 2: RTNETLINK answers: Operation not permitted'),
  );
  const done = await step(refused.children, 'ROUTING_FAILED', 'a step', ip, []);
  expect(done.ok ? '' : done.fault.detail).toContain('CAP_NET_ADMIN');
});

test('Every tool has five seconds, unless the step says otherwise, and is given its input', async () => {
  const { children, asked } = machine(ok(''));
  await step(children, 'TUNNEL_FAILED', 'a step', wg, [], { input: 'text' });
  expect(asked).toEqual([{ timeout: 5000, input: 'text' }]);
});
