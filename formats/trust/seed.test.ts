import { describe, expect, test } from 'vitest';
import { codeOf, inDays, makePair, makeTarget, now, TestRepository, value } from './fixtures/repository.ts';
import {
  acceptSeed,
  acceptTimestamp,
  filesOf,
  openTrust,
  refreshTrust,
  type Seed,
  targetsOf,
  type Trusted,
} from './index.ts';

const seedOf = (repository: TestRepository, version: number): Seed => ({
  roots: [...repository.files].filter(([path]) => path.endsWith('root.json')).map(([, bytes]) => bytes),
  snapshot: repository.file(`${version}.snapshot.json`),
  targets: repository.file(`${version}.targets.json`),
});

/** What a terminal believes that has fetched all of the repository. */
async function upToDate(repository: TestRepository, from = repository.enrolled()): Promise<Trusted> {
  const keep = () => Promise.resolve({ ok: true, value: undefined } as const);
  return value(await refreshTrust(from, repository.fetchFile, now, keep)).trusted;
}

describe('A stick', () => {
  test('seeds a terminal without a timestamp, long after the last one has expired', () => {
    const repository = new TestRepository();
    repository.release(7);
    const seeded = value(acceptSeed(repository.enrolled(), seedOf(repository, 7), inDays(60)));
    expect(targetsOf(seeded)).toEqual([makeTarget(7)]);
    expect(seeded.timestamp).toBeUndefined();
    expect(codeOf(openTrust(filesOf(seeded)))).toBe('accepted');
  });

  test('brings the roots between, in any order', () => {
    const repository = new TestRepository();
    const start = repository.enrolled();
    repository.root({ expires: inDays(-30) });
    repository.root({ keys: { ...repository.keys, snapshot: [makePair()] } });
    repository.release(7);
    const seed = seedOf(repository, 7);
    const seeded = value(acceptSeed(start, { ...seed, roots: seed.roots.toReversed() }, now));
    expect(seeded).toMatchObject({ root: { version: 3 }, targets: { version: 7 } });
    const gap = { ...seed, roots: [repository.file('3.root.json')] };
    expect(codeOf(acceptSeed(start, gap, now))).toBe('TRUST_MIXED');
    expect(codeOf(acceptSeed(start, { ...seed, roots: [] }, now))).toBe('TRUST_UNSIGNED');
  });

  test('with nothing new changes nothing', async () => {
    const repository = new TestRepository();
    repository.release(7);
    const seeded = value(acceptSeed(repository.enrolled(), seedOf(repository, 7), now));
    expect(value(acceptSeed(seeded, seedOf(repository, 7), now))).toBe(seeded);
    const fetched = await upToDate(repository);
    expect(value(acceptSeed(fetched, seedOf(repository, 7), now))).toBe(fetched);
  });

  test('that is older than what is believed is refused', async () => {
    const repository = new TestRepository();
    repository.release(6);
    repository.release(7);
    const trusted = await upToDate(repository);
    expect(acceptSeed(trusted, seedOf(repository, 6), now)).toMatchObject({
      ok: false,
      fault: { code: 'TRUST_OLDER', detail: 'This is snapshot 6; snapshot 7 was believed before.' },
    });
    repository.publish({ timestamp: 8, snapshot: 8, targets: 6 });
    const older = { ...seedOf(repository, 6), snapshot: repository.file('8.snapshot.json') };
    expect(codeOf(acceptSeed(trusted, older, now))).toBe('TRUST_OLDER');
  });

  test('that has expired is refused', () => {
    for (const expires of [{ snapshot: now }, { targets: now }]) {
      const repository = new TestRepository();
      repository.release(7, { expires });
      expect(codeOf(acceptSeed(repository.enrolled(), seedOf(repository, 7), now))).toBe('TRUST_EXPIRED');
    }
    const repository = new TestRepository();
    repository.release(7);
    repository.root({ expires: now });
    expect(codeOf(acceptSeed(repository.enrolled(), seedOf(repository, 7), now))).toBe('TRUST_EXPIRED');
  });

  test('that is put together from two publishings, or of another repository, is refused', async () => {
    const repository = new TestRepository();
    repository.release(6);
    repository.release(7);
    const start = repository.enrolled();
    const mixed = { ...seedOf(repository, 7), targets: repository.file('6.targets.json') };
    expect(codeOf(acceptSeed(start, mixed, now))).toBe('TRUST_MIXED');
    const foreign = new TestRepository();
    foreign.release(7);
    expect(codeOf(acceptSeed(start, seedOf(foreign, 7), now))).toBe('TRUST_UNSIGNED');
    foreign.root();
    expect(codeOf(acceptSeed(start, seedOf(foreign, 7), now))).toBe('TRUST_UNSIGNED');
    const trusted = await upToDate(repository);
    repository.release(7, { files: [makeTarget(70)] });
    expect(codeOf(acceptSeed(trusted, seedOf(repository, 7), now))).toBe('TRUST_MIXED');
  });

  test('with a damaged file is refused, whichever file it is', () => {
    const repository = new TestRepository();
    repository.release(7);
    const seed = seedOf(repository, 7);
    const cut = (bytes: Buffer): Buffer => bytes.subarray(0, -1);
    const damaged = [
      { ...seed, roots: seed.roots.map(cut) },
      { ...seed, snapshot: cut(seed.snapshot) },
      { ...seed, targets: cut(seed.targets) },
    ];
    for (const one of damaged) {
      expect(codeOf(acceptSeed(repository.enrolled(), one, now))).toBe('TRUST_DAMAGED');
    }
  });
});

describe('After a stick', () => {
  test('the link goes on from it, and fetches only the timestamp if there is nothing newer', async () => {
    const repository = new TestRepository();
    repository.release(7);
    const seeded = value(acceptSeed(repository.enrolled(), seedOf(repository, 7), now));
    const same = await upToDate(repository, seeded);
    expect(same).toMatchObject({ timestamp: { version: 7 }, targets: { version: 7 } });
    expect(repository.asked).toEqual(['timestamp.json', '2.root.json']);
    repository.release(8);
    expect(targetsOf(await upToDate(repository, same))).toEqual([makeTarget(8)]);
  });

  test('a timestamp that lists an older snapshot is refused, also one that was believed before the stick', async () => {
    const repository = new TestRepository();
    const behind = repository.release(6);
    const start = await upToDate(repository);
    repository.release(7);
    const seeded = value(acceptSeed(start, seedOf(repository, 7), now));
    expect(codeOf(openTrust(filesOf(seeded)))).toBe('accepted');
    expect(codeOf(acceptTimestamp(seeded, behind.timestamp, now))).toBe('TRUST_OLDER');
    const later = repository.publish({ timestamp: 9, snapshot: 6, targets: 6 });
    expect(codeOf(acceptTimestamp(seeded, later.timestamp, now))).toBe('TRUST_OLDER');
  });

  test('a snapshot that a timestamp has listed already must be the one on the stick', () => {
    const repository = new TestRepository();
    const listed = value(acceptTimestamp(repository.enrolled(), repository.release(7).timestamp, now));
    expect(codeOf(acceptSeed(listed, seedOf(repository, 7), now))).toBe('accepted');
    repository.release(6);
    expect(value(acceptSeed(listed, seedOf(repository, 6), now))).toMatchObject({
      timestamp: { version: 7 },
    });
    repository.release(7, { files: [makeTarget(70)] });
    expect(codeOf(acceptSeed(listed, seedOf(repository, 7), now))).toBe('TRUST_MIXED');
  });
});
