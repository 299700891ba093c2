import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type NamedTarget, targetPath } from '#contracts/edition-target.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { targetsOf, type Trusted } from '#formats/trust/index.ts';
import { replaceFile, syncFolder } from '#runtime/durable-file.ts';
import { CheckpostError } from '#runtime/errors.ts';
import { filesBelow, refused, Repository } from './repository.ts';
import { writeStickKeys } from './stick-keys.ts';

export interface WrittenStick {
  readonly edition: number;
  readonly date: string;
  readonly records: number;
  readonly bytes: number;
  /** Until then it can seed a terminal. */
  readonly expires: string;
}

/**
 * Writes what seeds a terminal into a folder, such as a stick: the newest base that is served, the deltas since, the
 * wrapped fingerprint keys, and the signed description without the timestamp, which would be stale before the stick
 * arrives. What an earlier one left there goes first, since the highest version would win; the description comes last: a
 * stick that was pulled out too early is none. Nothing else in the folder is touched. Faults: REPOSITORY_ABSENT, TRUST_*, EDITION_DAMAGED (a file is not the one
 * that was signed, and would only be found out at the post), FILE_REFUSED.
 */
export async function writeStick(
  folder: string,
  out: string,
  say: (done: number, total: number) => void,
): Promise<Result<WrittenStick>> {
  const repository = new Repository(folder);
  const trusted = await repository.read();
  if (!trusted.ok) return trusted;
  const { root, snapshot, targets } = trusted.value;
  const files = neededFiles(targetsOf(trusted.value));
  const newest = files.at(-1);
  if (snapshot === undefined || targets === undefined || newest === undefined) {
    return fail('REPOSITORY_ABSENT', `Nothing was published in ${folder}.`);
  }
  if (existsSync(join(out, 'metadata', 'timestamp.json'))) {
    return fail('FILE_REFUSED', `${out} is a repository, not a stick.`);
  }
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  try {
    await clear(out, files);
    let done = 0;
    for (const target of files) {
      await copyTarget(repository.target(target), join(out, targetPath(target)), target, (bytes) => {
        done += bytes;
        say(done, total);
      });
    }
    const keys = await writeStickKeys(repository, out);
    if (!keys.ok) return keys;
    const described = await writeDescription(repository, trusted.value, out);
    if (!described.ok) return described;
    const { edition, date, count } = newest.about;
    const expires = Math.min(root.expires, snapshot.expires, targets.expires);
    return ok({ edition, date, records: count, bytes: total, expires: new Date(expires).toISOString() });
  } catch (cause) {
    return refused(out, cause);
  }
}

/** The newest base that is served and the deltas that follow it, in their order. */
function neededFiles(targets: readonly NamedTarget[]): NamedTarget[] {
  const newestBase = Math.max(
    0,
    ...targets.flatMap(({ about }) => (about.part !== 'delta' && about.served ? about.edition : [])),
  );
  return targets
    .filter(({ about }) =>
      about.part === 'delta' ? about.edition > newestBase : about.served && about.edition === newestBase,
    )
    .sort((a, b) => a.about.edition - b.about.edition);
}

/** Removes the description that is there, and files of editions other than these. */
async function clear(out: string, files: readonly NamedTarget[]): Promise<void> {
  const metadata = join(out, 'metadata');
  await mkdir(metadata, { recursive: true });
  for (const name of await readdir(metadata)) {
    if (/^\d+\.(root|targets|snapshot)\.json$/.test(name)) await rm(join(metadata, name));
  }
  await syncFolder(metadata);
  const targets = join(out, 'targets');
  await mkdir(targets, { recursive: true });
  const kept = new Set(files.map((target) => join(out, targetPath(target))));
  for (const path of await filesBelow(targets)) {
    if (!kept.has(path) && editionFile.test(path)) await rm(path);
  }
}

/** How `targetPath` ends. */
const editionFile = /\/\d+\/[0-9a-f]{64}\.(base\.fingerprints|base\.payload|delta)$/;

async function copyTarget(
  from: string,
  to: string,
  target: NamedTarget,
  say: (bytes: number) => void,
): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  const hash = createHash('sha256');
  const handle = await open(to, 'w');
  try {
    for await (const piece of createReadStream(from, { highWaterMark: 1_048_576 }) as AsyncIterable<Buffer>) {
      hash.update(piece);
      await handle.writeFile(piece);
      say(piece.length);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  if (hash.digest('hex') !== target.sha256) {
    throw new CheckpostError('EDITION_DAMAGED', `${from} is not the file that was signed.`);
  }
  await syncFolder(dirname(to));
}

async function writeDescription(
  repository: Repository,
  trusted: Trusted,
  out: string,
): Promise<Result<void>> {
  const roots = (await readdir(repository.at('metadata'))).filter((name) => /^\d+\.root\.json$/.test(name));
  const files = new Map<string, Buffer>();
  for (const name of roots) files.set(name, await readFile(repository.at('metadata', name)));
  for (const file of [trusted.targets, trusted.snapshot]) {
    if (file !== undefined) files.set(`${file.version}.${file.role}.json`, file.bytes);
  }
  for (const [name, bytes] of files) {
    const written = await replaceFile(join(out, 'metadata', name), bytes, 0o644);
    if (!written.ok) return written;
  }
  return ok(undefined);
}
