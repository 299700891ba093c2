import { createHash, generateKeyPairSync, sign, verify } from 'node:crypto';
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
  acceptSnapshot,
  acceptTargets,
  acceptTimestamp,
  describeRepository,
  keyIdOf,
  makeRoot,
  makeTargets,
  type RoleName,
  targetsOf,
} from './index.ts';

interface Signed {
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[];
  readonly signed: Record<string, unknown>;
}

/** Canonical JSON for what stands in these files, written apart from the library: names sorted, nothing between. */
function canonical(json: unknown): string {
  if (Array.isArray(json)) return `[${json.map(canonical).join(',')}]`;
  if (typeof json !== 'object' || json === null) return JSON.stringify(json);
  const entries = Object.entries(json).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(',')}}`;
}

const parse = (bytes: Buffer): Signed => JSON.parse(bytes.toString()) as Signed;

describe('What the publisher signs', () => {
  const repository = new TestRepository();
  const files = repository.publish();

  test('is the canonical JSON, by a key whose id is the hash of its canonical JSON', () => {
    const [pair = makePair()] = repository.keys.timestamp;
    const { signatures, signed } = parse(files.timestamp);
    const [signature = { keyid: '', sig: '' }] = signatures;
    const sig = Buffer.from(signature.sig, 'hex');
    expect(verify(null, Buffer.from(canonical(signed)), pair.publicKey, sig)).toBe(true);
    const keys = parse(repository.file('1.root.json')).signed['keys'] as Record<string, object>;
    const key = keys[signature.keyid];
    expect(key).toMatchObject({ keytype: 'ed25519', scheme: 'ed25519' });
    expect(createHash('sha256').update(canonical(key)).digest('hex')).toBe(signature.keyid);
    expect(signature.keyid).toBe(keyIdOf(pair.publicKey));
    expect(keyIdOf(pair.key)).toBe(keyIdOf(pair.publicKey));
  });

  test('is the same bytes each time', () => {
    expect(repository.publish()).toEqual(files);
  });

  test('has the names, dates and listings of the specification', () => {
    const { signed } = parse(files.timestamp);
    expect(signed).toEqual({
      _type: 'timestamp',
      spec_version: '1.0.31',
      version: 1,
      expires: '2026-11-26T12:00:00Z',
      meta: {
        'snapshot.json': {
          version: 1,
          length: files.snapshot.length,
          hashes: { sha256: createHash('sha256').update(files.snapshot).digest('hex') },
        },
      },
    });
    expect(parse(repository.file('1.root.json')).signed).toMatchObject({
      _type: 'root',
      consistent_snapshot: true,
    });
  });

  test('may hold fields that a later publisher signs: a terminal that does not know them ignores them', () => {
    const [pair = makePair()] = repository.keys.timestamp;
    const signed = { ...parse(files.timestamp).signed, later: ['x', { y: 1 }] };
    const sig = sign(null, Buffer.from(canonical(signed)), pair.key).toString('hex');
    const bytes = Buffer.from(JSON.stringify({ signatures: [{ keyid: keyIdOf(pair.key), sig }], signed }));
    expect(codeOf(acceptTimestamp(repository.enrolled(), bytes, now))).toBe('accepted');
  });

  test('is small enough for a slow line, also with deltas of six weeks', () => {
    const deltas = Array.from({ length: 43 }, (_, index) => makeTarget(100 + index, 'delta'));
    const large = repository.publish({ files: [makeTarget(100), makeTarget(100, 'payload'), ...deltas] });
    expect(large.timestamp.length).toBeLessThan(600);
    expect(large.snapshot.length).toBeLessThan(600);
    expect(large.targets.length).toBeLessThan(16_384);
  });

  test('is read if it lists 1,024 files, and not if it lists more', () => {
    const many = Array.from({ length: 1_024 }, (_, index) => makeTarget(100 + index, 'delta'));
    const large = repository.publish({ files: many });
    const stamped = value(acceptTimestamp(repository.enrolled(), large.timestamp, now));
    const snapped = value(acceptSnapshot(stamped, large.snapshot, now));
    expect(targetsOf(value(acceptTargets(snapped, large.targets, now)))).toHaveLength(1_024);
    const more = makeTargets({ version: 1, expires: inDays(1), targets: [...many, makeTarget(1)] }, []);
    expect(codeOf(acceptTargets(snapped, more, now))).toBe('TRUST_DAMAGED');
  });
});

describe('A root', () => {
  const keys = makeKeys();
  const publicKeys = (role: RoleName) => keys[role].map((pair) => pair.publicKey);
  const plan = {
    version: 1,
    expires: inDays(365),
    keys: {
      root: publicKeys('root'),
      timestamp: publicKeys('timestamp'),
      snapshot: publicKeys('snapshot'),
      targets: publicKeys('targets'),
    },
    thresholds: { root: 2, timestamp: 1, snapshot: 1, targets: 1 },
  };

  test('is not made if its own keys do not sign it', () => {
    expect(codeOf(makeRoot(plan, keys.root))).toBe('accepted');
    expect(codeOf(makeRoot(plan, keys.root.slice(0, 1)))).toBe('TRUST_UNSIGNED');
    expect(codeOf(makeRoot(plan, keys.targets))).toBe('TRUST_UNSIGNED');
  });

  test('is not made if a role needs more signatures than it has different keys', () => {
    const twice = { ...plan.keys, targets: [...plan.keys.targets, ...plan.keys.targets] };
    const thresholds = { ...plan.thresholds, targets: 2 };
    expect(makeRoot({ ...plan, keys: twice, thresholds }, keys.root)).toMatchObject({
      ok: false,
      fault: {
        code: 'TRUST_UNSIGNED',
        detail: 'The targets would need 2 signatures; it must be between 1 and 1, the number of its keys.',
      },
    });
  });

  test('is not made with a threshold of none', () => {
    const thresholds = { ...plan.thresholds, timestamp: 0 };
    expect(codeOf(makeRoot({ ...plan, thresholds }, keys.root))).toBe('TRUST_UNSIGNED');
  });

  test('is not made with keys that are not Ed25519', () => {
    for (const { publicKey } of [
      generateKeyPairSync('ec', { namedCurve: 'P-256' }),
      generateKeyPairSync('x25519'),
    ]) {
      const strange = { ...plan.keys, timestamp: [publicKey] };
      expect(codeOf(makeRoot({ ...plan, keys: strange }, keys.root))).toBe('TRUST_DAMAGED');
    }
  });
});

describe('What the publisher reads back', () => {
  const repository = new TestRepository();
  const files = repository.publish({ timestamp: 9, snapshot: 5, targets: 4 });
  const root = repository.file('1.root.json');

  test('are the versions, expiries, keys and files, from which it goes on', () => {
    expect(value(describeRepository({ root, ...files }))).toMatchObject({
      root: {
        version: 1,
        expires: inDays(365),
        roles: { root: { threshold: 2 }, targets: { threshold: 1 } },
      },
      timestamp: { version: 9, expires: inDays(2) },
      snapshot: { version: 5, expires: inDays(90) },
      targets: { version: 4, files: [makeTarget(4)] },
    });
    expect(value(describeRepository({ root })).targets).toBeUndefined();
  });

  test('is nothing that was changed on its disk, so that it is not signed the next time', () => {
    const stranger = { version: 4, expires: inDays(90), targets: [makeTarget(99)] };
    const targets = makeTargets(stranger, [makePair()]);
    expect(codeOf(describeRepository({ root, ...files, targets }))).toBe('TRUST_UNSIGNED');
  });

  test('after an interrupted rotation is told by the root before', () => {
    const next = repository.root({ keys: { ...repository.keys, targets: [makePair()] } });
    expect(codeOf(describeRepository({ root: next, ...files }))).toBe('TRUST_UNSIGNED');
    expect(value(describeRepository({ root, ...files })).targets?.version).toBe(4);
  });
});
