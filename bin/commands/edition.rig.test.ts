import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { initAuthority } from '#provisioning/index.ts';
import { filesBelow, valueOf } from '#test/rigs/bureau.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { requires } from '#test/rigs/requirements.ts';
import { machineParts } from '../verbs.ts';

const root = join(import.meta.dirname, '../..');
const specimens = readFileSync(join(root, 'central/publisher/specimens.csv'), 'utf8');
let folder: string;
const at = (...names: string[]): string => join(folder, ...names);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-edition-rig-'));
  valueOf(await initAuthority({ dir: at('authority'), bureau: 'UTO', passphrase: null }, machineParts));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(async () => {
  rmSync(at('repository'), { recursive: true, force: true });
  const first = publishing();
  first.child.stdin?.end(specimens);
  expect(await first.ended).toMatchObject({ code: 0 });
});

/** A command that publishes its standard input, as a process of its own; `before` is put before it. */
function publishing(repository = at('repository'), before: readonly string[] = []) {
  const argv = [
    ...before,
    process.execPath,
    join(root, 'bin/main.ts'),
    'edition',
    'publish',
    '--repository',
    repository,
    '--authority',
    at('authority'),
    '--csv',
    '-',
    '--json',
  ];
  const child = spawn(argv[0] ?? '', argv.slice(1), { env: { ...process.env, UV_THREADPOOL_SIZE: '1' } });
  child.stdin.on('error', () => {});
  return { child, ended: endOf(child) };
}

async function endOf(child: ChildProcess) {
  const [[code, signal], out] = await Promise.all([
    once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>,
    child.stdout === null ? '' : text(child.stdout),
    child.stderr === null ? '' : text(child.stderr),
  ]);
  return { code, signal, out };
}

/** Begins to publish and is in the midst of reading. */
async function halfway() {
  const half = publishing();
  half.child.stdin.write(specimens.slice(0, 900));
  await eventually(() => existsSync(at('repository/state/2.unfinished')), {
    what: 'a publishing that reads',
  });
  return half;
}

const codeOf = (out: string): unknown =>
  (JSON.parse(out) as { error?: { code: string } }).error?.code ?? 'ok';
const served = () => [...filesBelow(at('repository'))].filter(([name]) => /^(metadata|targets)\//.test(name));

describe('checkpost edition publish as a process', () => {
  test('that is killed while it reads leaves the edition before, and no lock that has to be removed', async () => {
    const before = served();
    const half = await halfway();
    const other = publishing();
    other.child.stdin.end(specimens);
    expect(codeOf((await other.ended).out)).toBe('REPOSITORY_BUSY');
    half.child.kill('SIGKILL');
    expect(await half.ended).toMatchObject({ signal: 'SIGKILL' });
    expect(served()).toEqual(before);
    const next = publishing();
    next.child.stdin.end(specimens);
    expect(JSON.parse((await next.ended).out)).toMatchObject({ edition: 2, deltaBytes: expect.any(Number) });
    expect([...filesBelow(at('repository/state')).keys()]).toEqual(['2/base.fingerprints', '2/base.payload']);
  });

  test.each(['SIGTERM', 'SIGINT'] as const)(
    'stops at %s with a code, and changes nothing',
    async (signal) => {
      const before = served();
      const half = await halfway();
      half.child.kill(signal);
      const { code, out } = await half.ended;
      expect([code, codeOf(out)]).toEqual([1, 'STOPPED']);
      expect(served()).toEqual(before);
      expect(existsSync(at('repository/state/2.unfinished'))).toBe(false);
    },
  );

  const reason = requires({ test: 'publishing killed at every file', tools: ['strace'] });
  test.skipIf(reason !== undefined)(
    'that is killed before any file gets its place leaves a sound edition, and the next one follows',
    async () => {
      let kills = 0;
      for (; kills < 40; kills++) {
        const copy = at(`copy-${kills}`);
        cpSync(at('repository'), copy, { recursive: true });
        const inject = `inject=rename,renameat,renameat2,link,linkat:signal=KILL:when=${kills + 1}`;
        const run = publishing(copy, ['strace', '-f', '-qq', '-o', at('trace'), '-e', inject]);
        run.child.stdin.end(specimens.replace('SPECLOOKG', 'SPECLOOKH'));
        const { signal } = await run.ended;
        if (signal === null) break;
        const repository = ['--repository', copy];
        const verified = await checkpost('verify', ...repository, '--authority', at('authority'));
        expect(verified).toMatchObject({ edition: 1, records: 20 });
        const next = publishing(copy);
        next.child.stdin.end(specimens);
        expect(JSON.parse((await next.ended).out)).toMatchObject({ edition: 2, records: 20 });
        expect(await checkpost('verify', ...repository, '--authority', at('authority'))).toMatchObject({
          edition: 2,
        });
        rmSync(copy, { recursive: true });
      }
      // The state, the delta and the four parts of the description.
      expect(kills).toBe(6);
    },
  );
});

async function checkpost(...argv: readonly string[]): Promise<unknown> {
  const child = spawn(process.execPath, [join(root, 'bin/main.ts'), 'edition', ...argv, '--json']);
  return JSON.parse((await endOf(child)).out) as unknown;
}
