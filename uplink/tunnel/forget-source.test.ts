import { expect, test } from 'vitest';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { Children } from '#runtime/child.ts';
import { forgetSource } from './forget-source.ts';

function machine(answer: Result<string>): { children: Children; ran: string[] } {
  const ran: string[] = [];
  const children: Children = {
    run(tool, args) {
      ran.push([tool.name, ...args].join(' '));
      return Promise.resolve(answer);
    },
    start: () => ({ ended: new Promise(() => {}), stop: () => Promise.resolve() }),
  };
  return { children, ran };
}

test('A tunnel is told the endpoints of all its hubs anew, in one command', async () => {
  const { children, ran } = machine(ok(''));
  const peers = [
    { publicKey: 'A=', endpoint: '192.0.2.1:51820' },
    { publicKey: 'B=', endpoint: '[2001:db8::1]:51820' },
  ];
  expect(await forgetSource('checkpost-p0', peers, children)).toEqual(ok(undefined));
  expect(ran).toEqual([
    'wg set checkpost-p0 peer A= endpoint 192.0.2.1:51820 peer B= endpoint [2001:db8::1]:51820',
  ]);
});

test('Where no hub has an endpoint yet, nothing is told', async () => {
  const { children, ran } = machine(ok(''));
  expect(await forgetSource('checkpost0', [], children)).toEqual(ok(undefined));
  expect(ran).toEqual([]);
});

test('A tool that fails is a fault that says what it was for', async () => {
  const { children } = machine(fail('TOOL_FAILED', 'wg ended with code 1.'));
  const done = await forgetSource('checkpost0', [{ publicKey: 'A=', endpoint: '192.0.2.1:1' }], children);
  expect(done).toEqual(fail('TUNNEL_FAILED', 'checkpost0: choosing the way out anew: wg ended with code 1.'));
});
