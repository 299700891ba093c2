import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

/**
 * `npm test`: every check in the order of its cost, each one named as it begins. What was left out for want of root or
 * of a program is named in the last lines; a test that skips itself without saying why is a failure.
 *
 * Tests of real parts measure time on a machine that they share: a file of them that failed is run once more, alone, and
 * is named in the last lines where that helped. What fails twice is broken. The last lines name every test that failed
 * with the beginning of its error, since of a long log often only the end is kept.
 *
 * Arguments choose steps by name: `npm test -- types unit`.
 */
const root = resolve(import.meta.dirname, '../..');
const bin = join(root, 'node_modules/.bin');
const scratch = mkdtempSync(join(tmpdir(), 'checkpost-test-'));
const leftOutFile = join(scratch, 'left-out');

const vitest = (project: string): string[] => [
  'vitest',
  'run',
  '--project',
  project,
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${join(scratch, `${project}.json`)}`,
];

const steps: Readonly<Record<string, readonly string[]>> = {
  types: ['tsc', '--noEmit'],
  lint: ['oxlint', '--type-aware', '--deny-warnings'],
  format: ['oxfmt', '--check'],
  unit: vitest('unit'),
  integration: vitest('integration'),
  browser: vitest('browser'),
};

interface TestFile {
  readonly name: string;
  readonly status: string;
  /** Why the file itself could not be run; empty otherwise. */
  readonly message: string;
  readonly assertionResults: readonly {
    readonly status: string;
    readonly fullName: string;
    readonly failureMessages?: readonly string[] | null;
  }[];
}

/** What a run of vitest reported of its files; nothing where it did not come so far. */
function reported(project: string): readonly TestFile[] {
  const file = join(scratch, `${project}.json`);
  if (!existsSync(file)) return [];
  return (JSON.parse(readFileSync(file, 'utf8')) as { testResults: TestFile[] }).testResults;
}

function skipped(project: string): string[] {
  return reported(project)
    .flatMap((result) => result.assertionResults)
    .filter((test) => test.status === 'skipped' || test.status === 'pending' || test.status === 'todo')
    .map((test) => test.fullName);
}

/** Every test that failed in the last run of a project, with the beginning of its error: one line each. */
function broken(project: string): string[] {
  const lines = (message: string): string =>
    stripVTControlCharacters(message).split('\n').slice(0, 3).join(' ');
  return reported(project)
    .filter((file) => file.status === 'failed')
    .flatMap((file) => {
      const tests = file.assertionResults.filter((test) => test.status === 'failed');
      const name = relative(root, file.name);
      if (tests.length === 0) return [`${name}: ${lines(file.message)}`];
      return tests.map((test) => `${name}: ${test.fullName}: ${lines(test.failureMessages?.[0] ?? '')}`);
    });
}

function run(command: readonly string[]): boolean {
  const [program = '', ...args] = command;
  const done = spawnSync(join(bin, program), args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...process.env,
      CHECKPOST_LEFT_OUT: leftOutFile,
      PATH: `${bin}:${process.env['PATH']}:/usr/sbin:/sbin`,
    },
  });
  return done.status === 0;
}

/** Projects whose tests wait for real parts, which a neighbour on the machine can delay. */
const shared = ['integration', 'browser'];
/** More than these are no neighbour's doing. */
const mostRepeated = 4;

/** Runs the files of a project that failed once more, alone; the names of those that passed then, or undefined. */
function again(project: string): readonly string[] | undefined {
  const files = reported(project).filter((file) => file.status === 'failed');
  if (!shared.includes(project) || files.length === 0 || files.length > mostRepeated) return undefined;
  const names = files.map(({ name }) => relative(root, name));
  process.stdout.write(`\n== ${project} again, alone: ${names.join(', ')}\n`);
  return run([...vitest(project), '--no-file-parallelism', ...names]) ? names : undefined;
}

function leftOut(): string[] {
  if (!existsSync(leftOutFile)) return [];
  return [...new Set(readFileSync(leftOutFile, 'utf8').split('\n').filter(Boolean))];
}

const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => !Object.hasOwn(steps, name));
if (unknown.length > 0) {
  process.stderr.write(
    `npm test: there is no step ${unknown.join(', ')}; steps: ${Object.keys(steps).join(', ')}\n`,
  );
  process.exit(2);
}

const failed: string[] = [];
const silent: string[] = [];
const second: string[] = [];
const failures: string[] = [];
for (const [name, command] of Object.entries(steps)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  const began = performance.now();
  process.stdout.write(`\n== ${name}\n`);
  let passed = run(command);
  silent.push(...skipped(name));
  // Of both runs where there are two: what only passed the second time is worth its error too.
  failures.push(...broken(name));
  if (!passed) {
    const repeated = again(name);
    passed = repeated !== undefined;
    second.push(...(repeated ?? []));
    if (!passed) failures.push(...broken(name));
  }
  if (!passed) failed.push(name);
  process.stdout.write(
    `== ${name}: ${passed ? 'passed' : 'FAILED'} in ${((performance.now() - began) / 1000).toFixed(1)} s\n`,
  );
  // Without types and lint clean, the later steps only hide the cause; a failed test does not stop the others.
  if (!passed && name === 'types') break;
}

const named = leftOut();
if (silent.length > named.length) failed.push(`skipped without a reason: ${silent.join('; ')}`);
for (const stepName of Object.keys(steps)) {
  if (chosen.length > 0 && !chosen.includes(stepName)) named.push(`the step ${stepName}: not asked for`);
}
rmSync(scratch, { recursive: true, force: true });
process.stdout.write(`\n${failed.length === 0 ? 'All that ran passed.' : `FAILED: ${failed.join(', ')}`}\n`);
for (const line of new Set(failures)) process.stdout.write(`failed: ${line}\n`);
for (const name of second) process.stdout.write(`passed only when run again, alone: ${name}\n`);
process.stdout.write(
  named.length === 0 ? 'left out: nothing\n' : named.map((line) => `left out: ${line}\n`).join(''),
);
process.exitCode = failed.length === 0 ? 0 : 1;
