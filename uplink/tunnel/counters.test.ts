import { expect, test } from 'vitest';
import { fail, ok } from '#contracts/result.ts';
import type { Children } from '#runtime/child.ts';
import { parseHandshakes, parseTransfer, readTransfer } from './counters.ts';

const [one, other] = [`${'a'.repeat(42)}A=`, `${'b'.repeat(42)}A=`];

test('What wg says of handshakes and bytes is parsed line by line, and a line of another form is left out', () => {
  expect([...parseHandshakes(`${one}\t1768464000\n${other}\t0\nnonsense\n`)]).toEqual([
    [one, 1_768_464_000],
    [other, 0],
  ]);
  expect([...parseTransfer(`${one}\t148\t92\n${other}\t1\nnonsense\n`)]).toEqual([
    [one, { rxBytes: 148, txBytes: 92 }],
  ]);
  expect(parseTransfer('').size).toBe(0);
});

test('An interface that is not there is a fault that names it', async () => {
  const children: Children = {
    run: () =>
      Promise.resolve(
        fail('TOOL_FAILED', 'wg ended with code 1: Unable to access interface: No such device'),
      ),
    start: () => ({ ended: Promise.resolve(ok(undefined)), stop: () => Promise.resolve() }),
  };
  const read = await readTransfer('checkpost0', children);
  expect(read.ok ? '' : read.fault.detail).toMatch(/^looking at checkpost0: .*No such device/);
});
