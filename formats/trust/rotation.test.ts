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

function believe(trusted: Trusted, files: { timestamp: Buffer; snapshot: Buffer; targets: Buffer }): Trusted {
  const stamped = value(acceptTimestamp(trusted, files.timestamp, now));
  const snapped = value(acceptSnapshot(stamped, files.snapshot, now));
  return value(acceptTargets(snapped, files.targets, now));
}

describe('A new root', () => {
  test('signed by enough keys of the old one and of its own is believed, and so is what its keys sign', () => {
    const repository = new TestRepository();
    const start = repository.enrolled();
    const next = value(acceptRoot(start, repository.root({ keys: makeKeys() })));
    expect(next.root.version).toBe(2);
    expect(targetsOf(believe(next, repository.publish()))).toEqual([makeTarget(1)]);
    expect(codeOf(acceptTimestamp(start, repository.publish().timestamp, now))).toBe('TRUST_UNSIGNED');
  });

  test('that needs two signatures of the old one is refused with one, or with the same key twice', () => {
    const repository = new TestRepository();
    const start = repository.enrolled();
    const [a, b, c] = repository.keys.root;
    if (a === undefined || b === undefined || c === undefined) throw new RangeError('three keys');
    const signedBy = (signers: (typeof a)[]): Buffer =>
      new TestRepository(repository.keys).root({ signers, rootThreshold: 1 });
    expect(codeOf(acceptRoot(start, signedBy([a])))).toBe('TRUST_UNSIGNED');
    expect(codeOf(acceptRoot(start, signedBy([a, a])))).toBe('TRUST_UNSIGNED');
    expect(codeOf(acceptRoot(start, signedBy([a, makePair()])))).toBe('TRUST_UNSIGNED');
    expect(codeOf(acceptRoot(start, signedBy([a, c])))).toBe('accepted');
  });

  test('signed by the old keys alone, or by the new keys alone, is refused', () => {
    const repository = new TestRepository();
    const start = repository.enrolled();
    const { keys } = repository;
    const fresh = makeKeys();
    const alone = new TestRepository(keys).root({ keys: fresh, signers: fresh.root });
    expect(codeOf(acceptRoot(start, alone))).toBe('TRUST_UNSIGNED');
    const bytes = new TestRepository(keys).root({ keys: fresh });
    const json = JSON.parse(bytes.toString()) as { signatures: unknown[] };
    const old = Buffer.from(JSON.stringify({ ...json, signatures: json.signatures.slice(0, 2) }));
    expect(codeOf(acceptRoot(start, old))).toBe('TRUST_UNSIGNED');
  });

  test('must be the very next one', () => {
    const repository = new TestRepository();
    const start = repository.enrolled();
    const [one, two] = [repository.file('1.root.json'), repository.root()];
    expect(acceptRoot(start, repository.root())).toMatchObject({
      ok: false,
      fault: { code: 'TRUST_MIXED', detail: 'The root 3 does not follow root 1: roots between are missing.' },
    });
    const next = value(acceptRoot(start, two));
    expect(codeOf(acceptRoot(next, two))).toBe('TRUST_OLDER');
    expect(codeOf(acceptRoot(next, one))).toBe('TRUST_OLDER');
    expect(next.root.version).toBe(2);
  });

  test('may have expired if another one follows, but nothing is believed under it', () => {
    const repository = new TestRepository();
    const expired = value(acceptRoot(repository.enrolled(), repository.root({ expires: inDays(-1) })));
    const files = repository.publish();
    expect(codeOf(acceptTimestamp(expired, files.timestamp, now))).toBe('TRUST_EXPIRED');
    const renewed = value(acceptRoot(expired, repository.root()));
    expect(codeOf(acceptTimestamp(renewed, files.timestamp, now))).toBe('accepted');
  });
});

describe('What was believed under the old root', () => {
  const huge = 4_000_000_000;

  test.each(['timestamp', 'snapshot'] as const)(
    'is given up if a key of the %s is revoked, so that versions run up by a thief do not shut out honest ones',
    (role) => {
      const repository = new TestRepository();
      const robbed = believe(repository.enrolled(), repository.release(huge));
      expect(codeOf(acceptTimestamp(robbed, repository.release(6).timestamp, now))).toBe('TRUST_OLDER');
      const recovered = value(
        acceptRoot(robbed, repository.root({ keys: { ...repository.keys, [role]: [makePair()] } })),
      );
      expect(recovered.timestamp).toBeUndefined();
      expect(recovered.snapshot).toBeUndefined();
      const trusted = believe(recovered, repository.release(6));
      expect(targetsOf(trusted)).toEqual([makeTarget(6)]);
      expect(value(openTrust(filesOf(trusted))).targets?.version).toBe(6);
    },
  );

  test('can be opened again at every step of such a recovery', () => {
    const repository = new TestRepository();
    const robbed = believe(repository.enrolled(), repository.release(huge));
    const keys = { ...repository.keys, snapshot: [makePair()] };
    const recovered = value(acceptRoot(robbed, repository.root({ keys })));
    const files = repository.release(6);
    const stamped = value(acceptTimestamp(recovered, files.timestamp, now));
    const snapped = value(acceptSnapshot(stamped, files.snapshot, now));
    for (const step of [recovered, stamped, snapped])
      expect(codeOf(openTrust(filesOf(step)))).toBe('accepted');
    expect(targetsOf(stamped)).toEqual([makeTarget(huge)]);
    expect(targetsOf(snapped)).toEqual([]);
  });

  test('stays if a key is only added', () => {
    const repository = new TestRepository();
    const trusted = believe(repository.enrolled(), repository.release(5));
    const keys = { ...repository.keys, timestamp: [...repository.keys.timestamp, makePair()] };
    const next = value(acceptRoot(trusted, repository.root({ keys })));
    expect(next).toMatchObject({
      timestamp: { version: 5 },
      snapshot: { version: 5 },
      targets: { version: 5 },
    });
    expect(codeOf(acceptTimestamp(next, repository.release(4).timestamp, now))).toBe('TRUST_OLDER');
  });

  test('loses only the targets if a key of the targets is revoked', () => {
    const repository = new TestRepository();
    const trusted = believe(repository.enrolled(), repository.release(5));
    const keys = { ...repository.keys, targets: [makePair()] };
    const next = value(acceptRoot(trusted, repository.root({ keys })));
    expect(next.snapshot?.version).toBe(5);
    expect(targetsOf(next)).toEqual([]);
    expect(codeOf(openTrust(filesOf(next)))).toBe('accepted');
    expect(targetsOf(believe(next, repository.release(6)))).toEqual([makeTarget(6)]);
  });
});
