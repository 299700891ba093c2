import { spawn } from 'node:child_process';
import { createSecretKey } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Editions } from '#agent/editions/index.ts';
import { keyOf, recordOf, type TestRecord, TestRepository } from '../rigs/edition-repository.ts';
import { openTerminal, stickOf } from '../rigs/edition-terminal.ts';
import { seeded } from '../rigs/random.ts';
import type { ProofOptions } from './proof.ts';

/** What the proof saw. */
export interface EditionKillCounts {
  /** Kills that fell inside the work; those that came too late are not counted, but tried again. */
  readonly kills: number;
  readonly tooLate: number;
  /** Where they fell: while a delta was fetched and applied, or while a new base was made of them. */
  readonly whileApplying: number;
  readonly whileCompacting: number;
  /** Editions that were in use when the terminal was opened again. */
  readonly afterwards: Readonly<Record<string, number>>;
  /** Terminals that did not open with the edition before or after the kill, or answered one document wrongly. */
  readonly bad: number;
  readonly lookups: number;
}

const documents = 3000;
const changed = 700;
const newest = 3;

/**
 * Kills (SIGKILL) a process `count` times at a random moment while it brings an offline copy from edition 1 to edition 3
 * and makes a new base of it. Each time the copy is opened again: it must be an edition that was whole, not damaged and
 * not older than before, answer every document of it rightly, and come to edition 3, to the very base that is signed.
 */
export async function proveEditionKills({
  count,
  seed,
  folder,
  say,
}: ProofOptions): Promise<EditionKillCounts> {
  const random = seeded(seed);
  const at = (...names: string[]): string => join(folder, ...names);
  const repository = new TestRepository(at('repository'));
  const secret = Buffer.alloc(32, 9);
  repository.secret = { id: '1', key: createSecretKey(secret) };
  writeFileSync(at('root.json'), repository.root);
  await repository.publish(recordsOf(1));
  const open = (terminal: string): Promise<Editions> =>
    openTerminal(terminal, repository, { now: () => repository.now });
  const template = await open(at('template'));
  await template.renew(stickOf(repository.folder, at('template')));
  await template.close();
  for (let edition = 2; edition <= newest; edition++) await repository.publish(recordsOf(edition));

  const counts = { kills: 0, tooLate: 0, whileApplying: 0, whileCompacting: 0, bad: 0, lookups: 0 };
  const afterwards: Record<string, number> = {};
  /** How long each kind of work is thought to take, in milliseconds; it is learnt from kills that came too late. */
  const longest = { applying: 40, compacting: 300 };
  for (let round = 0; counts.kills < count; round++) {
    if (round > count * 4 + 50) throw new Error('too many kills came too late');
    const terminal = at(`terminal-${round}`);
    cpSync(at('template'), terminal, { recursive: true });
    const child = spawn(
      process.execPath,
      [
        join(import.meta.dirname, 'edition-child.ts'),
        terminal,
        repository.folder,
        at('root.json'),
        secret.toString('hex'),
        String(repository.now),
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const kind = round % 2 === 0 ? 'applying' : 'compacting';
    const after = kind === 'applying' ? 'begin' : `in-use ${newest}`;
    const told = await killAtRandom(child, after, random() * longest[kind]);
    if (told.includes('end')) {
      longest[kind] = Math.max(20, longest[kind] * 0.9);
      counts.tooLate++;
    } else {
      counts.kills++;
      const fell = told.includes(`in-use ${newest}`) ? 'compacting' : 'applying';
      longest[kind] *= fell === kind ? 1.05 : 0.9;
      if (fell === 'compacting') counts.whileCompacting++;
      else counts.whileApplying++;
      const before = Math.max(
        1,
        ...told.flatMap((line) => /^in-use (\d)$/.exec(line)?.[1] ?? []).map(Number),
      );
      const judged = await judge(await open(terminal), repository, terminal, before);
      afterwards[judged.edition] = (afterwards[judged.edition] ?? 0) + 1;
      counts.lookups += judged.lookups;
      if (!judged.good) {
        counts.bad++;
        say(`bad: ${terminal} after ${told.join(', ')}`);
        continue;
      }
    }
    rmSync(terminal, { recursive: true });
    if (counts.kills % 100 === 0 && counts.kills > 0) say(`${counts.kills} kills`);
  }
  return { ...counts, afterwards };
}

/** Kills the child so many milliseconds after it has said that it is so far; the lines that it said until then. */
async function killAtRandom(
  child: ReturnType<typeof spawn>,
  after: string,
  millis: number,
): Promise<string[]> {
  let text = '';
  const lines = (): string[] => text.split('\n').filter((line) => line !== '');
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const begun = new Promise<void>((resolve) => {
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (lines().includes(after)) resolve();
    });
  });
  await Promise.race([begun, ended]);
  await pause(millis);
  child.kill('SIGKILL');
  await ended;
  if (!lines().includes('begin')) throw new Error('the process ended before its work began');
  return lines();
}

/** Opens what the kill left and looks every document up, then lets the work be done and looks again. */
async function judge(
  editions: Editions,
  repository: TestRepository,
  terminal: string,
  before: number,
): Promise<{ readonly good: boolean; readonly edition: number; readonly lookups: number }> {
  const number = (): number => editions.current()?.describe().version ?? 0;
  try {
    const opened = number();
    const first = rightAnswers(editions, opened);
    let good = !editions.state().damaged && opened >= before && opened <= newest && first.right;
    await editions.renew(stickOf(repository.folder, terminal));
    const last = rightAnswers(editions, newest);
    good &&= number() === newest && last.right && isSignedBase(repository, terminal);
    return { good, edition: opened, lookups: first.lookups + last.lookups };
  } finally {
    await editions.close();
  }
}

function rightAnswers(
  editions: Editions,
  edition: number,
): { readonly right: boolean; readonly lookups: number } {
  const inUse = editions.current();
  if (inUse === undefined) return { right: false, lookups: 0 };
  const expected = new Set(recordsOf(edition).map((record) => record.number));
  let right = inUse.describe().count === expected.size;
  let lookups = 0;
  for (const one of allNumbers()) {
    const found = inUse.search(keyOf(one));
    right &&= found.ok && found.value.length === (expected.has(one) ? 1 : 0);
    lookups++;
  }
  return { right, lookups };
}

function isSignedBase(repository: TestRepository, terminal: string): boolean {
  const bases = readdirSync(join(terminal, 'bases')).filter((name) => name.startsWith(`${newest}-`));
  return bases.some((name) =>
    ['base.fingerprints', 'base.payload'].every((file) =>
      readFileSync(join(terminal, 'bases', name, file)).equals(
        readFileSync(join(repository.folder, 'state', String(newest), file)),
      ),
    ),
  );
}

/** Each edition takes the first documents away and adds new ones. */
function recordsOf(edition: number): TestRecord[] {
  const shift = (edition - 1) * changed;
  return Array.from({ length: documents }, (_, i) => recordOf(numberOf(i + shift)));
}

function allNumbers(): string[] {
  return Array.from({ length: documents + (newest - 1) * changed }, (_, i) => numberOf(i));
}

function numberOf(i: number): string {
  return `K${String(i).padStart(7, '0')}`;
}
