import type { KeyObject } from 'node:crypto';
import type { NamedTarget } from '#contracts/edition-target.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { type WallTime, wall } from '#contracts/units.ts';
import { type Fault } from '#contracts/result.ts';
import type { NamedSecret } from '#formats/keyed.ts';
import {
  describeTrust,
  makeSnapshot,
  makeTargets,
  makeTimestamp,
  openTrust,
  type Trusted,
  targetsOf,
} from '#formats/trust/index.ts';
import { instant } from '#runtime/clock.ts';
import { describeNext } from './describe.ts';
import { type Fill, makeDelta, makeState, type Say } from './make.ts';
import { refused, Repository } from './repository.ts';

/** Private keys that a publishing signs with. */
export interface PublisherKeys {
  readonly targets: KeyObject;
  readonly snapshot: KeyObject;
  readonly timestamp: KeyObject;
}

export interface PublishOrder {
  readonly repository: string;
  /** Root of trust for a repository that is begun with this publishing. */
  readonly root: Buffer;
  readonly keys: PublisherKeys;
  readonly fingerprint: NamedSecret;
  /** How old the knowledge of the collection is. */
  readonly date: WallTime;
  readonly fill: Fill;
  /** Serves a whole base whatever the changes are. */
  readonly newBase: boolean;
  /** Publishes although far fewer records are left than the edition before has. */
  readonly fewer: boolean;
  readonly say: Say;
}

export interface Published {
  readonly collection: string;
  readonly edition: number;
  readonly date: string;
  readonly records: number;
  readonly fingerprintKey: string;
  /** Bytes of the delta from the edition before; null where there is none. */
  readonly deltaBytes: number | null;
  /** Bytes of the whole base. */
  readonly baseBytes: number;
  /** Whether the base can be fetched. */
  readonly baseServed: boolean;
}

/** Where less than this share of the records is left, somebody must say that it is right. */
const leastKept = 0.9;

const day = 86_400_000;
/** How long each description is believed. The snapshot seeds terminals from sticks for as long. */
export const lifetimes = { targets: 90 * day, snapshot: 90 * day, timestamp: 7 * day } as const;

/**
 * Makes the next edition of a collection and publishes it in the repository: the whole base, the delta from the edition
 * before, and the signed description, `timestamp.json` last. Whatever goes wrong before that, terminals see the edition
 * before. Faults: those of `fill`, COLLECTION_INVALID, COLLECTION_SHRUNK, REPOSITORY_BUSY, TRUST_*, EDITION_DAMAGED, EDITION_OLDER (the
 * collection is older than the edition published last), FILE_REFUSED.
 */
export async function publishEdition(order: PublishOrder, now: WallTime): Promise<Result<Published>> {
  const repository = new Repository(order.repository);
  try {
    await repository.makeFolders();
  } catch (cause) {
    return refused(repository.folder, cause);
  }
  return repository.exclusively(async () => {
    const before = await repository.read();
    if (before.ok) return publish(order, repository, before.value, now);
    if (before.fault.code !== 'REPOSITORY_ABSENT') return before;
    const begun = openTrust({ root: order.root });
    return begun.ok ? publish(order, repository, begun.value, now) : begun;
  });
}

async function publish(
  order: PublishOrder,
  repository: Repository,
  trusted: Trusted,
  now: WallTime,
): Promise<Result<Published>> {
  const before = targetsOf(trusted);
  const from = Math.max(0, ...before.map(({ about }) => about.edition));
  const newest = before.find(({ about }) => about.edition === from);
  const date = Math.min(order.date, now);
  if (newest !== undefined && Date.parse(newest.about.date) > date) {
    return fail(
      'EDITION_OLDER',
      `Edition ${from} has the date ${newest.about.date}; the collection is of ${instant(wall(date))}.`,
    );
  }
  // Wrong keys are found before a collection is read that takes minutes.
  const trial = describe(trusted, order.keys, before, now);
  if (!trial.ok) return trial;
  const made = await makeState({
    repository,
    secret: order.fingerprint,
    edition: from + 1,
    date,
    least: order.fewer ? 0 : (newest?.about.count ?? 0) * leastKept,
    fill: order.fill,
    say: order.say,
  });
  if (!made.ok) return made;
  const { header, written } = made.value;
  const delta = makeDelta(repository, { from, listed: before, header, say: order.say });
  if (!delta.ok) return delta;
  const files = describeNext(before, {
    header,
    ...written,
    newBase: order.newBase,
    ...(delta.value !== undefined && {
      delta: { bytes: delta.value.bytes.length, sha256: delta.value.sha256, from },
    }),
  });
  const description = describe(trusted, order.keys, files, now);
  if (!description.ok) return description;
  const placed = await placeFiles(repository, files, header.edition, delta.value?.bytes);
  if (!placed.ok) return placed;
  for (const [name, bytes] of description.value) {
    const kept = await repository.write(name, bytes);
    if (!kept.ok) return kept;
  }
  // A terminal that has just read the timestamp before still finds what that lists.
  const metadata = [...description.value.keys(), ...namesOf(trusted)];
  const served = files.filter(({ about }) => about.part === 'delta' || about.served);
  await repository.tidy(served, metadata, header.edition);
  const base = files.find(({ about }) => about.edition === header.edition && about.part === 'fingerprints');
  return ok({
    collection: header.collection,
    edition: header.edition,
    date: instant(wall(header.date)),
    records: header.count,
    fingerprintKey: header.fingerprintKey,
    deltaBytes: delta.value?.bytes.length ?? null,
    baseBytes: written.fingerprints.bytes + written.payload.bytes,
    baseServed: base?.about.part === 'fingerprints' && base.about.served,
  });
}

async function placeFiles(
  repository: Repository,
  files: readonly NamedTarget[],
  edition: number,
  delta: Buffer | undefined,
): Promise<Result<void>> {
  const state = repository.state(edition);
  for (const target of files.filter(({ about }) => about.edition === edition)) {
    const { about } = target;
    if (about.part === 'delta') {
      const placed = await repository.placeBytes(target, delta ?? Buffer.alloc(0));
      if (!placed.ok) return placed;
    } else if (about.served) await repository.place(target, state[about.part]);
  }
  return ok(undefined);
}

/** The next description of these files by the names of its parts, in the order in which they are to be written. */
function describe(
  trusted: Trusted,
  keys: PublisherKeys,
  files: readonly NamedTarget[],
  now: WallTime,
): Result<ReadonlyMap<string, Buffer>> {
  const { root, targets: lastTargets, snapshot: lastSnapshot } = describeTrust(trusted);
  const targetsVersion = (lastTargets?.version ?? 0) + 1;
  const targets = makeTargets(
    { version: targetsVersion, expires: wall(now + lifetimes.targets), targets: files },
    [{ key: keys.targets }],
  );
  const snapshotVersion = (lastSnapshot?.version ?? 0) + 1;
  const snapshot = makeSnapshot(
    {
      version: snapshotVersion,
      expires: wall(now + lifetimes.snapshot),
      targets: { version: targetsVersion, file: targets },
    },
    [{ key: keys.snapshot }],
  );
  const timestamp = nextTimestamp(trusted, { version: snapshotVersion, file: snapshot }, keys.timestamp, now);
  // Keys that the root does not name would cut every terminal off: found here, before anything is published.
  const whole = openTrust({ root: trusted.root.bytes, timestamp, snapshot, targets });
  if (!whole.ok) return wrongKeys(whole.fault);
  return ok(
    new Map([
      [`${root.version}.root.json`, trusted.root.bytes],
      [`${targetsVersion}.targets.json`, targets],
      [`${snapshotVersion}.snapshot.json`, snapshot],
      ['timestamp.json', timestamp],
    ]),
  );
}

/** Names of the parts of a description that have their version in them. */
function namesOf({ snapshot, targets }: Trusted): string[] {
  return [snapshot, targets].flatMap((file) =>
    file === undefined ? [] : `${file.version}.${file.role}.json`,
  );
}

function nextTimestamp(
  trusted: Trusted,
  snapshot: { readonly version: number; readonly file: Buffer },
  key: KeyObject,
  now: WallTime,
): Buffer {
  const version = (describeTrust(trusted).timestamp?.version ?? 0) + 1;
  return makeTimestamp({ version, expires: wall(now + lifetimes.timestamp), snapshot }, [{ key }]);
}

function wrongKeys(fault: Fault) {
  return fail(fault.code, `Nothing was published: ${fault.detail}`, fault.cause);
}

/**
 * Signs the timestamp again, so that terminals go on believing that the edition published last is the newest. Faults:
 * REPOSITORY_ABSENT where nothing was published, REPOSITORY_BUSY, TRUST_*, FILE_REFUSED.
 */
export async function refreshTimestamp(
  folder: string,
  key: KeyObject,
  now: WallTime,
): Promise<Result<{ readonly expires: string }>> {
  const repository = new Repository(folder);
  // No lock is made where no repository is.
  const there = await repository.read();
  if (!there.ok) return there;
  return repository.exclusively(async () => {
    const trusted = await repository.read();
    if (!trusted.ok) return trusted;
    const { snapshot } = trusted.value;
    if (snapshot === undefined) return fail('REPOSITORY_ABSENT', `Nothing was published in ${folder}.`);
    const timestamp = nextTimestamp(
      trusted.value,
      { version: snapshot.version, file: snapshot.bytes },
      key,
      now,
    );
    const whole = openTrust({ root: trusted.value.root.bytes, timestamp, snapshot: snapshot.bytes });
    if (!whole.ok) return wrongKeys(whole.fault);
    const written = await repository.write('timestamp.json', timestamp);
    return written.ok ? ok({ expires: instant(wall(now + lifetimes.timestamp)) }) : written;
  });
}
