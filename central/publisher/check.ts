import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { NamedTarget } from '#contracts/edition-target.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { Base, checkSecret, decodeDelta, verifyFile } from '#formats/edition/index.ts';
import type { NamedSecret } from '#formats/keyed.ts';
import { describeTrust, type TrustDescription, targetsOf } from '#formats/trust/index.ts';
import { refused, Repository } from './repository.ts';

export interface RepositorySummary {
  readonly edition: number;
  readonly date: string;
  readonly records: number;
  readonly fingerprintKey: string;
  /** Editions whose base is served. */
  readonly bases: readonly number[];
  /** Editions that a delta leads to. */
  readonly deltas: readonly number[];
  readonly expires: Readonly<Record<'root' | 'targets' | 'snapshot' | 'timestamp', string | null>>;
}

/** What a repository describes, once its signatures hold. Faults: REPOSITORY_ABSENT, TRUST_*, FILE_REFUSED. */
export async function describeRepositoryIn(folder: string): Promise<Result<RepositorySummary>> {
  const trusted = await new Repository(folder).read();
  if (!trusted.ok) return trusted;
  const files = targetsOf(trusted.value);
  const newest = files.reduce<NamedTarget | undefined>(
    (best, file) => (best === undefined || file.about.edition > best.about.edition ? file : best),
    undefined,
  );
  if (newest === undefined) return fail('REPOSITORY_ABSENT', `Nothing was published in ${folder}.`);
  const { edition, date, count, fingerprintKey } = newest.about;
  return ok({
    edition,
    date,
    records: count,
    fingerprintKey,
    bases: files.flatMap(({ about }) => (about.part === 'fingerprints' && about.served ? about.edition : [])),
    deltas: files.flatMap(({ about }) => (about.part === 'delta' ? about.edition : [])),
    expires: expiries(describeTrust(trusted.value)),
  });
}

/**
 * Reads all files that a repository serves, from end to end: signatures, hashes, hash trees, every block of every base,
 * every delta, and that they were made with this fingerprint key. Faults as of `describeRepositoryIn`, and
 * EDITION_DAMAGED, EDITION_NEWER, EDITION_FOREIGN.
 */
export async function verifyRepository(
  folder: string,
  secret: NamedSecret,
): Promise<Result<RepositorySummary>> {
  const repository = new Repository(folder);
  const summary = await describeRepositoryIn(folder);
  if (!summary.ok) return summary;
  const trusted = await repository.read();
  if (!trusted.ok) return trusted;
  const files = targetsOf(trusted.value).filter(({ about }) => about.part === 'delta' || about.served);
  for (const target of files) {
    const sound = await verifyTarget(repository, target, secret);
    if (!sound.ok) return fail(sound.fault.code, `${target.name}: ${sound.fault.detail}`, sound.fault.cause);
  }
  for (const edition of summary.value.bases) {
    const read = readBase(repository, files, edition, secret);
    if (!read.ok) return fail(read.fault.code, `base of edition ${edition}: ${read.fault.detail}`);
  }
  return summary;
}

async function verifyTarget(
  repository: Repository,
  target: NamedTarget,
  secret: NamedSecret,
): Promise<Result<void>> {
  const path = repository.target(target);
  try {
    return await verifyFileOf(target, path, secret);
  } catch (cause) {
    return refused(path, cause);
  }
}

async function verifyFileOf(target: NamedTarget, path: string, secret: NamedSecret): Promise<Result<void>> {
  const hash = createHash('sha256');
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const piece of createReadStream(path) as AsyncIterable<Buffer>) {
    hash.update(piece);
    bytes += piece.length;
    if (target.about.part === 'delta') parts.push(piece);
  }
  if (bytes !== target.bytes || hash.digest('hex') !== target.sha256) {
    return fail('EDITION_DAMAGED', 'It is not the file that was signed.');
  }
  if (target.about.part !== 'delta') return verifyFile(path, target.about.tree);
  const delta = decodeDelta(Buffer.concat(parts));
  return delta.ok ? checkSecret(delta.value.header, secret) : delta;
}

function readBase(
  repository: Repository,
  files: readonly NamedTarget[],
  edition: number,
  secret: NamedSecret,
): Result<void> {
  const path = (part: string): string => {
    const target = files.find(({ about }) => about.edition === edition && about.part === part);
    return target === undefined ? '' : repository.target(target);
  };
  const base = Base.open({ fingerprints: path('fingerprints'), payload: path('payload') });
  if (!base.ok) return base;
  try {
    const own = checkSecret(base.value.header, secret);
    if (!own.ok) return own;
    for (const chunk of base.value.entries()) if (!chunk.ok) return chunk;
    return ok(undefined);
  } finally {
    base.value.close();
  }
}

function expiries({ root, targets, snapshot, timestamp }: TrustDescription): RepositorySummary['expires'] {
  const instant = (role: { readonly expires: number } | undefined): string | null =>
    role === undefined ? null : new Date(role.expires).toISOString();
  return {
    root: instant(root),
    targets: instant(targets),
    snapshot: instant(snapshot),
    timestamp: instant(timestamp),
  };
}
