import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { requires } from './requirements.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-requires-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('What is missing is the reason, and stands in one line of the file for the last lines of npm test', () => {
  const leftOut = join(folder, 'left-out');
  const machine = { uid: 1000, path: '/bin', leftOut };
  const reason = requires({ test: 'a tunnel', root: true, tools: ['sh', 'no-such-tool'] }, machine);
  expect(reason).toBe('needs root and needs no-such-tool');
  expect(readFileSync(leftOut, 'utf8')).toBe('a tunnel: needs root and needs no-such-tool\n');
});

test('Where all is there nothing is said and nothing is written', () => {
  const machine = { uid: 0, path: '/bin', leftOut: join(folder, 'left-out') };
  expect(requires({ test: 'a tunnel', root: true, tools: ['sh'] }, machine)).toBeUndefined();
  expect(() => readFileSync(join(folder, 'left-out'))).toThrow('ENOENT');
});
