import { describe, expect, test } from 'vitest';
import {
  codeOf,
  inDays,
  makeKeys,
  makePair,
  makeTarget,
  now,
  TestRepository,
  value,
} from './fixtures/repository.ts';
import {
  acceptRoot,
  acceptSnapshot,
  acceptTargets,
  acceptTimestamp,
  filesOf,
  openTrust,
  targetsOf,
  type Trusted,
} from './index.ts';

/** All four files of one publishing, step by step. */
function believe(trusted: Trusted, files: { timestamp: Buffer; snapshot: Buffer; targets: Buffer }): Trusted {
  const stamped = value(acceptTimestamp(trusted, files.timestamp, now));
  const snapped = value(acceptSnapshot(stamped, files.snapshot, now));
  return value(acceptTargets(snapped, files.targets, now));
}

describe('A publishing', () => {
  test('is believed step by step, and names the files of the editions', () => {
    const repository = new TestRepository();
    const files = [makeTarget(12, 'fingerprints'), makeTarget(12, 'payload'), makeTarget(13, 'delta')];
    const trusted = believe(repository.enrolled(), repository.publish({ files }));
    expect(targetsOf(trusted)).toEqual(files);
  });

  test('that is kept is opened again, also after it has expired, which only new files must not have', () => {
    const repository = new TestRepository();
    const trusted = believe(repository.enrolled(), repository.release(3));
    const opened = value(openTrust(filesOf(trusted)));
    expect(filesOf(opened)).toEqual(filesOf(trusted));
    expect(codeOf(acceptTimestamp(opened, repository.release(2).timestamp, inDays(1000)))).toBe(
      'TRUST_EXPIRED',
    );
    expect(codeOf(acceptTimestamp(opened, repository.release(2).timestamp, now))).toBe('TRUST_OLDER');
  });

  test('of the same version changes nothing, whatever it says', () => {
    const repository = new TestRepository();
    const trusted = believe(repository.enrolled(), repository.release(3));
    const again = repository.publish({ timestamp: 3, snapshot: 4, targets: 4 });
    expect(value(acceptTimestamp(trusted, again.timestamp, now))).toBe(trusted);
  });

  test('of the same version, repeated until it has expired, is noticed', () => {
    const repository = new TestRepository();
    const files = repository.release(3);
    const trusted = believe(repository.enrolled(), files);
    expect(acceptTimestamp(trusted, files.timestamp, inDays(2))).toMatchObject({
      ok: false,
      fault: {
        code: 'TRUST_EXPIRED',
        detail: 'The timestamp 3 expired at 2026-11-26T12:00:00Z; now it is 2026-11-26T12:00:00Z.',
      },
    });
  });
});

describe('An older file is refused', () => {
  const repository = new TestRepository();
  const trusted = believe(repository.enrolled(), repository.release(5));

  test('if it is the timestamp', () => {
    expect(acceptTimestamp(trusted, repository.release(4).timestamp, now)).toMatchObject({
      ok: false,
      fault: { code: 'TRUST_OLDER', detail: 'This is timestamp 4; timestamp 5 was believed before.' },
    });
  });

  test('if it is the snapshot that a newer timestamp lists', () => {
    const { timestamp } = repository.publish({ timestamp: 6, snapshot: 4, targets: 5 });
    expect(acceptTimestamp(trusted, timestamp, now)).toMatchObject({
      ok: false,
      fault: {
        code: 'TRUST_OLDER',
        detail: 'The timestamp 6 lists snapshot 4; snapshot 5 was believed before.',
      },
    });
  });

  test('if a timestamp listed a newer snapshot before, although that one never arrived', () => {
    const stamped = value(acceptTimestamp(trusted, repository.release(9).timestamp, now));
    const { timestamp } = repository.publish({ timestamp: 10, snapshot: 8, targets: 8 });
    expect(codeOf(acceptTimestamp(stamped, timestamp, now))).toBe('TRUST_OLDER');
  });

  test('if it is the targets that a newer snapshot lists', () => {
    const files = repository.publish({ timestamp: 6, snapshot: 6, targets: 4 });
    const stamped = value(acceptTimestamp(trusted, files.timestamp, now));
    expect(acceptSnapshot(stamped, files.snapshot, now)).toMatchObject({
      ok: false,
      fault: {
        code: 'TRUST_OLDER',
        detail: 'The snapshot 6 lists targets 4; targets 5 was believed before.',
      },
    });
    expect(targetsOf(stamped)).toEqual([makeTarget(5)]);
  });
});

describe('An expired file is refused', () => {
  test.each(['timestamp', 'snapshot', 'targets'] as const)('if it is the %s', (role) => {
    const repository = new TestRepository();
    const files = repository.publish({ expires: { [role]: now } });
    const start = repository.enrolled();
    const stamped = acceptTimestamp(start, files.timestamp, now);
    if (role === 'timestamp') return expect(codeOf(stamped)).toBe('TRUST_EXPIRED');
    const snapped = acceptSnapshot(value(stamped), files.snapshot, now);
    if (role === 'snapshot') return expect(codeOf(snapped)).toBe('TRUST_EXPIRED');
    return expect(codeOf(acceptTargets(value(snapped), files.targets, now))).toBe('TRUST_EXPIRED');
  });

  test('if it rests on a root, a timestamp or a snapshot that has expired meanwhile', () => {
    const repository = new TestRepository();
    const files = repository.publish({
      expires: { timestamp: inDays(500), snapshot: inDays(3), targets: inDays(500) },
    });
    expect(codeOf(acceptTimestamp(repository.enrolled(), files.timestamp, inDays(366)))).toBe(
      'TRUST_EXPIRED',
    );
    const stamped = value(acceptTimestamp(repository.enrolled(), files.timestamp, now));
    const snapped = value(acceptSnapshot(stamped, files.snapshot, now));
    expect(codeOf(acceptTargets(snapped, files.targets, inDays(4)))).toBe('TRUST_EXPIRED');
    const short = repository.publish();
    const early = value(acceptTimestamp(repository.enrolled(), short.timestamp, now));
    expect(codeOf(acceptSnapshot(early, short.snapshot, inDays(3)))).toBe('TRUST_EXPIRED');
  });
});

describe('Files that do not belong together are refused', () => {
  const repository = new TestRepository();
  const one = repository.release(1);
  const other = repository.release(1, { files: [makeTarget(77)] });
  const two = repository.release(2);
  const stamped = value(acceptTimestamp(repository.enrolled(), one.timestamp, now));
  const snapped = value(acceptSnapshot(stamped, one.snapshot, now));

  test('if the snapshot is of another version, or another one of the same version', () => {
    expect(acceptSnapshot(stamped, two.snapshot, now)).toMatchObject({
      ok: false,
      fault: { code: 'TRUST_MIXED', detail: 'The timestamp 1 lists snapshot 1; this is snapshot 2.' },
    });
    expect(codeOf(acceptSnapshot(stamped, other.snapshot, now))).toBe('TRUST_MIXED');
  });

  test('if the targets are of another version, or others of the same version', () => {
    expect(codeOf(acceptTargets(snapped, two.targets, now))).toBe('TRUST_MIXED');
    expect(codeOf(acceptTargets(snapped, other.targets, now))).toBe('TRUST_MIXED');
    expect(targetsOf(snapped)).toEqual([]);
  });

  test('if the length is another one, though the JSON says the same', () => {
    const padded = Buffer.concat([one.snapshot, Buffer.from('\n')]);
    expect(codeOf(acceptSnapshot(stamped, padded, now))).toBe('TRUST_MIXED');
    expect(codeOf(acceptTargets(snapped, Buffer.concat([one.targets, Buffer.from(' ')]), now))).toBe(
      'TRUST_MIXED',
    );
  });

  test('if a newer timestamp means another snapshot by the version that is believed', () => {
    const trusted = value(acceptTargets(snapped, one.targets, now));
    const forked = repository.publish({ timestamp: 2, files: [makeTarget(78)] });
    expect(codeOf(acceptTimestamp(trusted, forked.timestamp, now))).toBe('TRUST_MIXED');
  });

  test('if a newer snapshot means other targets by the version that is believed', () => {
    const trusted = value(acceptTargets(snapped, one.targets, now));
    const forked = repository.publish({ timestamp: 2, snapshot: 2, files: [makeTarget(78)] });
    const next = value(acceptTimestamp(trusted, forked.timestamp, now));
    expect(codeOf(acceptSnapshot(next, forked.snapshot, now))).toBe('TRUST_MIXED');
  });

  test('if nothing lists them', () => {
    expect(codeOf(acceptSnapshot(repository.enrolled(), one.snapshot, now))).toBe('TRUST_MIXED');
    expect(codeOf(acceptTargets(stamped, one.targets, now))).toBe('TRUST_MIXED');
  });

  test('if they were kept together, but are from two publishings', () => {
    const root = repository.file('1.root.json');
    expect(codeOf(openTrust({ root, timestamp: one.timestamp, snapshot: two.snapshot }))).toBe('TRUST_MIXED');
    expect(codeOf(openTrust({ root, snapshot: one.snapshot, targets: other.targets }))).toBe('TRUST_MIXED');
    const behind = { root, timestamp: two.timestamp, snapshot: one.snapshot, targets: one.targets };
    expect(codeOf(openTrust(behind))).toBe('accepted');
  });
});

describe('A file without the right signatures is refused', () => {
  const repository = new TestRepository();
  const start = repository.enrolled();
  const roles = ['timestamp', 'snapshot', 'targets'] as const;

  test.each(roles)('if the %s has none, or one of a stranger, or one by the key of another role', (role) => {
    const { keys } = repository;
    const others = (['root', ...roles] as const)
      .filter((other) => other !== role)
      .map((other) => keys[other]);
    for (const signers of [[], [makePair()], ...others]) {
      const files = repository.publish({ signers: { [role]: signers } });
      const stamped = acceptTimestamp(start, files.timestamp, now);
      const snapped = stamped.ok ? acceptSnapshot(stamped.value, files.snapshot, now) : stamped;
      const whole = snapped.ok ? acceptTargets(snapped.value, files.targets, now) : snapped;
      expect(whole).toMatchObject({
        ok: false,
        fault: {
          code: 'TRUST_UNSIGNED',
          detail: `The ${role} 1 is not signed by 1 of the 1 keys that root 1 trusts for it.`,
        },
      });
    }
  });

  test('if it is of another repository', () => {
    const foreign = new TestRepository();
    expect(codeOf(acceptTimestamp(start, foreign.publish().timestamp, now))).toBe('TRUST_UNSIGNED');
    expect(codeOf(acceptRoot(start, foreign.root()))).toBe('TRUST_UNSIGNED');
  });

  test('if what was kept was exchanged', () => {
    const foreign = new TestRepository(makeKeys()).publish();
    const root = repository.file('1.root.json');
    expect(codeOf(openTrust({ root, timestamp: foreign.timestamp }))).toBe('TRUST_UNSIGNED');
    expect(codeOf(openTrust({ root, targets: foreign.targets }))).toBe('TRUST_UNSIGNED');
    const changed = Buffer.from(root.toString().replace('"threshold":2', '"threshold":1'));
    expect(codeOf(openTrust({ root: changed }))).toBe('TRUST_UNSIGNED');
  });

  test('if it lists its one signature twice', () => {
    const { timestamp } = repository.publish();
    const json = JSON.parse(timestamp.toString()) as { signatures: unknown[] };
    const doubled = { ...json, signatures: [json.signatures[0], json.signatures[0]] };
    expect(codeOf(acceptTimestamp(start, Buffer.from(JSON.stringify(doubled)), now))).toBe('TRUST_UNSIGNED');
  });

  test('if a field was added that nobody signed', () => {
    const added = repository.publish().timestamp.toString().replace('"version":1', '"note":"x","version":1');
    expect(codeOf(acceptTimestamp(start, Buffer.from(added), now))).toBe('TRUST_UNSIGNED');
  });
});
