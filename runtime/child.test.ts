import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { bytes, ms } from '#contracts/units.ts';
import { systemChildren as children, withoutKeys } from './child.ts';

const node = { name: process.execPath, package: 'nodejs' };
const script = (text: string): string[] => ['-e', text];

test('What a program printed is the answer, and what it is given on standard input reaches it', async () => {
  const done = await children.run(node, script('process.stdin.pipe(process.stdout)'), { input: 'a line\n' });
  expect(done).toEqual({ ok: true, value: 'a line\n' });
});

test('The input can be opened as /dev/stdin, by a program that reads files only, and leaves no file behind', async () => {
  const done = await children.run({ name: 'cat', package: 'coreutils' }, ['/dev/stdin'], {
    input: 'a key\n',
  });
  expect(done).toEqual({ ok: true, value: 'a key\n' });
  expect(readdirSync('/dev/shm').filter((name) => /^[0-9a-f]{24}$/.test(name))).toEqual([]);
});

test('What a program leaves running in a session of its own outlives its end, and is not waited for', async () => {
  const text = `
    const left = require('node:child_process').spawn('sleep', ['30'], { stdio: 'ignore' });
    left.unref();
    console.log(left.pid, require('node:fs').readFileSync('/proc/self/stat', 'utf8').split(' ')[5], process.pid)`;
  const done = await children.run(node, script(text), { detached: true });
  const [left = 0, session, own] = (done.ok ? done.value : '').trim().split(' ').map(Number);
  expect(session).toBe(own);
  expect(process.kill(left)).toBe(true);
});

test('A program that leaves somebody holding its streams is a fault at its timeout, not a wait without end', async () => {
  const text = `
    const left = require('node:child_process').spawn('sleep', ['1'], { stdio: 'inherit' });
    left.unref();`;
  const done = await children.run(node, script(text), { timeout: ms(400) });
  expect(done.ok ? '' : done.fault.detail).toContain('did not end within 400 ms');
});

test('Every line of a program that keeps running is told, and one without end is left out', async () => {
  const lines: string[] = [];
  const text = `process.stdout.write('one\\ntwo\\n' + 'x'.repeat(100000), () => setTimeout(() => console.log('\\nlast'), 50))`;
  const kept = children.start(node, script(text), { onLine: (line) => lines.push(line) });
  await kept.ended;
  expect(lines.filter((line) => line !== '' && line.length < 10)).toEqual(['one', 'two', 'last']);
});

test('An argument is never read by a shell', async () => {
  const argument = '$(id); echo "`id`"';
  const done = await children.run(node, [...script('process.stdout.write(process.argv[1])'), argument]);
  expect(done).toEqual({ ok: true, value: argument });
});

test('A program that is not there is TOOL_MISSING with the package that brings it', async () => {
  const done = await children.run({ name: 'checkpost-nowhere', package: 'some-package' }, []);
  expect(done).toMatchObject({ ok: false, fault: { code: 'TOOL_MISSING' } });
  expect(done.ok ? '' : done.fault.detail).toContain('some-package');
});

test('A failure says the code and what the program said, but no argument, no cause and nothing like a key', async () => {
  const key = Buffer.alloc(32, 7).toString('base64');
  const text = `console.error('Key is not good: ${key}'); process.exit(3)`;
  const done = await children.run(node, [...script(text), 'an-argument']);
  expect(done).toMatchObject({ ok: false, fault: { code: 'TOOL_FAILED' } });
  const told = JSON.stringify(done);
  expect(told).toContain('code 3: Key is not good: [struck out]');
  expect(told).not.toContain(key);
  expect(told).not.toContain('an-argument');
});

test('A program that hangs is killed at its timeout, and one that prints without end at its limit', async () => {
  const hung = await children.run(node, script('setInterval(() => {}, 1000)'), { timeout: ms(300) });
  expect(hung.ok ? '' : hung.fault.detail).toContain('did not end within 300 ms');
  const endless = script('for (;;) process.stdout.write("x".repeat(1000))');
  const flood = await children.run(node, endless, { limit: bytes(10_000) });
  expect(flood.ok ? '' : flood.fault.detail).toContain('more than 10000 bytes');
});

test('A program that keeps running ends well when it is stopped, and with a fault when it ends by itself', async () => {
  const kept = children.start(node, script('setInterval(() => {}, 1000)'));
  await kept.stop();
  expect(await kept.ended).toEqual({ ok: true, value: undefined });
  const fell = children.start(
    node,
    script('console.error("┌───┐\\n│ a banner │\\nno device"); process.exit(1)'),
  );
  const end = await fell.ended;
  expect(end.ok ? '' : end.fault.detail).toMatch(/ended with code 1: no device$/);
  // Stopping what has ended already does not hang.
  await fell.stop();
});

test('Keys are struck out in base64 and in hexadecimal; paths and words stay', () => {
  const raw = Buffer.alloc(32, 0xa5);
  expect(withoutKeys(`x ${raw.toString('base64')} y`)).toBe('x [struck out] y');
  expect(withoutKeys(`x ${raw.toString('hex')} y`)).toBe('x [struck out] y');
  const path = '/var/lib/checkpost-uplink/private.key: Permission denied';
  expect(withoutKeys(path)).toBe(path);
});
