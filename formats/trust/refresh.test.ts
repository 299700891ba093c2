import { describe, expect, test } from 'vitest';
import { fail, ok } from '#contracts/result.ts';
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
import { filesOf, openTrust, refreshTrust, targetsOf, type Trusted } from './index.ts';

/** A terminal that keeps what it believes, as files do, and opens it anew for each update. */
class Terminal {
  files: ReturnType<typeof filesOf>;
  kept = 0;
  /** How many steps can be kept before the power fails. */
  power = Number.POSITIVE_INFINITY;
  readonly repository: TestRepository;

  constructor(repository: TestRepository) {
    this.repository = repository;
    this.files = filesOf(repository.enrolled());
  }

  get believed(): Trusted {
    return value(openTrust(this.files));
  }

  async refresh(at = now): Promise<Awaited<ReturnType<typeof refreshTrust>>> {
    this.repository.asked.length = 0;
    return refreshTrust(this.believed, this.repository.fetchFile, at, (trusted) => {
      if (this.kept >= this.power) return Promise.resolve(fail('STORE_FAILED', 'The power failed.'));
      this.kept += 1;
      this.files = filesOf(trusted);
      return Promise.resolve(ok(undefined));
    });
  }
}

describe('An update', () => {
  test('from nothing but the root of the enrolment fetches everything once', async () => {
    const repository = new TestRepository();
    repository.release(3);
    const terminal = new Terminal(repository);
    const { trusted, changed } = value(await terminal.refresh());
    expect(changed).toBe(true);
    expect(targetsOf(trusted)).toEqual([makeTarget(3)]);
    expect(filesOf(trusted)).toEqual(terminal.files);
    expect(repository.asked).toEqual(['timestamp.json', '2.root.json', '3.snapshot.json', '3.targets.json']);
  });

  test('costs one request if nothing has changed', async () => {
    const repository = new TestRepository();
    repository.release(3);
    const terminal = new Terminal(repository);
    await terminal.refresh();
    const kept = terminal.kept;
    expect(value(await terminal.refresh()).changed).toBe(false);
    expect(repository.asked).toEqual(['timestamp.json']);
    expect(terminal.kept).toBe(kept);
  });

  test('fetches only what has changed', async () => {
    const repository = new TestRepository();
    repository.release(3);
    const terminal = new Terminal(repository);
    await terminal.refresh();
    repository.publish({ timestamp: 4, snapshot: 3, targets: 3 });
    expect(value(await terminal.refresh()).changed).toBe(true);
    expect(repository.asked).toEqual(['timestamp.json', '2.root.json']);
    repository.publish({ timestamp: 5, snapshot: 4, targets: 3 });
    await terminal.refresh();
    expect(repository.asked).toEqual(['timestamp.json', '2.root.json', '4.snapshot.json']);
  });

  test('follows every new root first, and then looks at the timestamp again', async () => {
    const repository = new TestRepository();
    repository.release(3);
    const terminal = new Terminal(repository);
    await terminal.refresh();
    repository.root({ expires: inDays(-1) });
    repository.root({ keys: makeKeys() });
    repository.release(4);
    expect(targetsOf(value(await terminal.refresh()).trusted)).toEqual([makeTarget(4)]);
    expect(repository.asked).toEqual([
      'timestamp.json',
      '2.root.json',
      '3.root.json',
      '4.root.json',
      'timestamp.json',
      '4.snapshot.json',
      '4.targets.json',
    ]);
  });

  test('notices a revoked key of the timestamp as soon as a timestamp is new', async () => {
    const repository = new TestRepository();
    repository.release(3);
    const terminal = new Terminal(repository);
    await terminal.refresh();
    const stolen = repository.keys.timestamp;
    repository.root({ keys: { ...repository.keys, timestamp: [makePair()] } });
    repository.release(4, { signers: { timestamp: stolen } });
    expect(codeOf(await terminal.refresh())).toBe('TRUST_UNSIGNED');
    expect(terminal.believed).toMatchObject({ root: { version: 2 }, targets: { version: 3 } });
    expect(terminal.believed.timestamp).toBeUndefined();
  });

  test('follows at most 64 roots, and the next one goes on from there', async () => {
    const repository = new TestRepository();
    for (let count = 0; count < 70; count++) repository.root();
    repository.release(1);
    const terminal = new Terminal(repository);
    expect(value(await terminal.refresh()).trusted.root.version).toBe(65);
    repository.publish({ timestamp: 2 });
    expect(value(await terminal.refresh()).trusted.root.version).toBe(71);
  });

  test('interrupted after any step has lost nothing and is finished by the next', async () => {
    for (let power = 0; power < 5; power++) {
      const repository = new TestRepository();
      repository.release(3);
      const terminal = new Terminal(repository);
      await terminal.refresh();
      repository.root();
      repository.release(4);
      terminal.power = terminal.kept + power;
      const interrupted = await terminal.refresh();
      expect(codeOf(interrupted)).toBe(power < 4 ? 'STORE_FAILED' : 'accepted');
      expect(targetsOf(terminal.believed)).toEqual([makeTarget(power < 4 ? 3 : 4)]);
      terminal.power = Number.POSITIVE_INFINITY;
      const { trusted, changed } = value(await terminal.refresh());
      expect(targetsOf(trusted)).toEqual([makeTarget(4)]);
      expect(changed).toBe(power < 4);
    }
  });

  test('finishes what was interrupted although the timestamp has not changed since', async () => {
    const repository = new TestRepository();
    const { targets } = repository.release(3);
    const terminal = new Terminal(repository);
    repository.files.delete('metadata/3.targets.json');
    expect(codeOf(await terminal.refresh())).toBe('TRUST_MIXED');
    expect(targetsOf(terminal.believed)).toEqual([]);
    repository.files.set('metadata/3.targets.json', targets);
    expect(targetsOf(value(await terminal.refresh()).trusted)).toEqual([makeTarget(3)]);
    expect(repository.asked).toEqual(['timestamp.json', '2.root.json', '3.targets.json']);
  });
});

describe('An update is refused, and what was believed stays', () => {
  const believing = async (expires = {}): Promise<[TestRepository, Terminal]> => {
    const repository = new TestRepository();
    repository.release(3, { expires });
    const terminal = new Terminal(repository);
    value(await terminal.refresh());
    return [repository, terminal];
  };
  const refused = async (terminal: Terminal, at = now): Promise<string> => {
    const before = terminal.files;
    const code = codeOf(await terminal.refresh(at));
    expect(terminal.files).toEqual(before);
    return code;
  };

  test('if the repository has gone back', async () => {
    const [repository, terminal] = await believing();
    repository.release(2);
    expect(await refused(terminal)).toBe('TRUST_OLDER');
  });

  test.each(['timestamp', 'snapshot', 'targets'] as const)(
    'if the %s stays until it has expired',
    async (role) => {
      const far = { timestamp: inDays(200), snapshot: inDays(200), targets: inDays(200) };
      const [, terminal] = await believing({ ...far, [role]: inDays(2) });
      expect(await refused(terminal, inDays(1.9))).toBe('accepted');
      expect(await refused(terminal, inDays(2))).toBe('TRUST_EXPIRED');
    },
  );

  test('if the root has expired and none follows', async () => {
    const [, terminal] = await believing({
      timestamp: inDays(500),
      snapshot: inDays(500),
      targets: inDays(500),
    });
    expect(await refused(terminal, inDays(365))).toBe('TRUST_EXPIRED');
  });

  test('if there is no timestamp, or the file is longer than a timestamp may be', async () => {
    const [repository, terminal] = await believing();
    repository.files.set('metadata/timestamp.json', Buffer.alloc(20_000, 0x20));
    expect(await refused(terminal)).toBe('TRUST_DAMAGED');
    repository.files.delete('metadata/timestamp.json');
    expect(await refused(terminal)).toBe('TRUST_DAMAGED');
  });

  test('if another repository has taken its place', async () => {
    const [repository, terminal] = await believing();
    const foreign = new TestRepository();
    foreign.root();
    foreign.release(4);
    for (const [path, bytes] of foreign.files) repository.files.set(path, bytes);
    expect(await refused(terminal)).toBe('TRUST_UNSIGNED');
  });

  test('if the next root is one later than the next', async () => {
    const [repository, terminal] = await believing();
    repository.root();
    repository.files.set('metadata/2.root.json', repository.root());
    repository.release(4);
    expect(await refused(terminal)).toBe('TRUST_MIXED');
  });

  test('if the link fails, with the fault of the link', async () => {
    const [, terminal] = await believing();
    const fault = fail('EDITION_UNREACHABLE', 'No route.');
    const result = await refreshTrust(
      terminal.believed,
      () => Promise.resolve(fault),
      now,
      () => Promise.resolve(ok(undefined)),
    );
    expect(result).toBe(fault);
  });

  test('from the file on that does not fit, so that the snapshot before it is not fetched again', async () => {
    const [repository, terminal] = await believing();
    repository.release(4);
    repository.files.set('metadata/4.targets.json', repository.file('3.targets.json'));
    expect(codeOf(await terminal.refresh())).toBe('TRUST_MIXED');
    expect(terminal.believed).toMatchObject({ snapshot: { version: 4 }, targets: { version: 3 } });
    expect(codeOf(await terminal.refresh())).toBe('TRUST_MIXED');
    expect(repository.asked).toEqual(['timestamp.json', '2.root.json', '4.targets.json']);
  });
});
