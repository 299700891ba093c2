import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { execute } from '../command.ts';
import { command } from './edition.ts';

async function typed(argv: readonly string[]) {
  let out = '';
  let err = '';
  const exit = await execute(command, argv, {
    stdin: new PassThrough().end(),
    stdout: { write: (written: string) => (out += written) },
    stderr: { write: (written: string) => (err += written) },
    env: {},
    signal: new AbortController().signal,
  });
  return { exit, out, err };
}

describe('checkpost edition', () => {
  const place = ['--repository', 'r', '--authority', 'a'];
  test.each<[string[], string]>([
    [[], 'publish, refresh, show, verify, stick'],
    [['init', '--repository', 'r'], 'publish, refresh, show, verify, stick'],
    [['publish'], '--repository is missing; --authority is missing'],
    [['publish', ...place], 'Say where the collection is'],
    [['publish', ...place, '--query', 'SELECT 1'], 'Say where the collection is'],
    [['publish', ...place, '--database', 'd'], 'Say where the collection is'],
    [['publish', ...place, '--csv', 'c', '--query', 'SELECT 1'], 'Say where the collection is'],
    [['publish', ...place, '--csv', 'c', '--database', 'd', '--query', 'q'], 'Say where the collection is'],
    [['publish', ...place, '--csv', ''], 'Say where the collection is'],
    [['publish', ...place, '--csv', 'c', 'extra'], 'checkpost edition publish'],
    [['publish', ...place, '--csv', 'c', '--out', 'o'], 'publish takes no --out'],
    [['publish', ...place, '--csv', 'c', '--colour', 'red'], 'colour'],
    [['publish', ...place, '--csv', 'c', '--date', 'yesterday'], '--date takes an instant'],
    [['publish', ...place, '--csv', 'c', '--date', '2026-11-24'], '--date takes an instant'],
    [['publish', ...place, '--csv', 'c', '--date', '2026-11-24T06:00:00'], '--date takes an instant'],
    [['publish', ...place, '--csv', 'c', '--date', '2026-11-24T06:00:00+02:00'], '--date takes an instant'],
    [['publish', ...place, '--csv', 'c', '--date', '2026-02-31T06:00:00Z'], '--date takes an instant'],
    [['publish', ...place, '--csv', 'c', '--date', '2026-13-01T06:00:00Z'], '--date takes an instant'],
    [['refresh', '--repository', 'r'], '--authority is missing'],
    [['refresh', ...place, '--csv', 'c'], 'refresh takes no --csv'],
    [['show'], '--repository is missing'],
    [['show', '--repository', 'r', '--authority', 'a'], 'show takes no --authority'],
    [['verify', '--repository', 'r'], '--authority is missing'],
    [['stick', '--repository', 'r'], '--out is missing'],
  ])('called as %j says how to call it, and ends with 2', async (argv, words) => {
    const called = await typed(argv);
    expect(called).toMatchObject({ exit: 2, out: '' });
    expect(called.err).toContain(words);
  });

  test('--help names every option', async () => {
    const { exit, out } = await typed(['--help']);
    expect(exit).toBe(0);
    for (const option of Object.keys(command.options)) expect(out).toContain(`--${option}`);
  });
});
