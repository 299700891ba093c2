import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { wall } from '#contracts/units.ts';
import { targetsOf, type Trusted } from '#formats/trust/index.ts';
import { faultOf, filesBelow, valueOf } from '#test/rigs/bureau.ts';
import { recordOf, TestRepository, type TestRecord } from '#test/rigs/edition-repository.ts';
import { publishEdition, verifyRepository } from './index.ts';

const day = 86_400_000;
const some = (count: number): TestRecord[] => Array.from({ length: count }, (_, at) => recordOf(`SPEC${at}`));
let folder: string;
let repository: TestRepository;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-interrupted-'));
  repository = new TestRepository(join(folder, 'repository'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const newest = (trusted: Trusted): number =>
  Math.max(...targetsOf(trusted).map(({ about }) => about.edition));

/** Copies of a repository as it lies at each moment of a publishing at which a machine may lose its power. */
async function moments(records: readonly TestRecord[], newBase: boolean) {
  const copies: { readonly when: string; readonly at: string }[] = [];
  const copy = (when: string): string => {
    const at = join(folder, `copy-${copies.length}`);
    if (existsSync(repository.folder)) cpSync(repository.folder, at, { recursive: true });
    copies.push({ when, at });
    return at;
  };
  const publish = (to: string) =>
    publishEdition(repository.order(records, { repository: to, newBase }), repository.now);
  // While it reads, sorts and compares.
  const seen = new Set<string>();
  const whole = join(folder, 'whole');
  if (existsSync(repository.folder)) cpSync(repository.folder, whole, { recursive: true });
  const order = repository.order(records, {
    repository: whole,
    newBase,
    say: ({ phase }) => {
      if (seen.has(phase)) return;
      seen.add(phase);
      const at = join(folder, `copy-${copies.length}`);
      cpSync(whole, at, { recursive: true });
      copies.push({ when: phase, at });
    },
  });
  const before = existsSync(repository.folder) ? filesBelow(repository.folder) : new Map<string, Buffer>();
  valueOf(await publishEdition(order, repository.now));
  // At each file that it writes: where something stands in its way, the publishing ends there.
  const written = [...filesBelow(whole)].filter(
    ([name, bytes]) => /^(metadata|targets)\//.test(name) && before.get(name)?.equals(bytes) !== true,
  );
  for (const [name] of written) {
    const at = copy(name);
    const beside = join(at, dirname(name), `.${basename(name)}.${process.pid}.new`);
    const obstacles = name.includes('base.') ? [join(at, name)] : [beside];
    for (const obstacle of obstacles) mkdirSync(obstacle, { recursive: true });
    expect(faultOf(await publish(at))).toBe('FILE_REFUSED');
    for (const obstacle of obstacles) rmSync(obstacle, { recursive: true });
  }
  return copies;
}

describe('a publishing that is interrupted', () => {
  test('in the first one leaves nothing that a terminal would believe, and the next one begins', async () => {
    const found = await moments(some(200), false);
    expect(found.map(({ when }) => when.replace(/[0-9a-f]{64}/, 'HASH')).sort()).toEqual([
      'metadata/1.root.json',
      'metadata/1.snapshot.json',
      'metadata/1.targets.json',
      'metadata/timestamp.json',
      'targets/sltd/1/HASH.base.fingerprints',
      'targets/sltd/1/HASH.base.payload',
      'write',
    ]);
    for (const { at } of found) {
      expect(faultOf(await repository.refresh({ folder: at }))).toBe('TRUST_DAMAGED');
      const order = repository.order(some(210), { repository: at });
      expect(valueOf(await publishEdition(order, repository.now))).toMatchObject({
        edition: 1,
        records: 210,
      });
      expect(newest(valueOf(await repository.refresh({ folder: at })))).toBe(1);
      expect(valueOf(await verifyRepository(at, repository.secret)).records).toBe(210);
    }
  });

  test.each([
    ['with a delta only', false, 6],
    ['with a whole base', true, 8],
  ])(
    'leaves terminals the edition before, at whatever moment, and the next one is sound: %s',
    async (_, newBase, count) => {
      await repository.publish(some(200));
      await repository.publish(some(220));
      const trusted = valueOf(await repository.refresh());
      const tidy = [...filesBelow(repository.folder).keys()].filter((name) => name.startsWith('targets/'));
      repository.now = wall(repository.now + day);
      const found = await moments(some(240), newBase);
      expect(found).toHaveLength(count);
      for (const { when, at } of found) {
        const seen = await repository.refresh({ folder: at, trusted });
        expect([when, newest(valueOf(seen))]).toEqual([when, 2]);
        expect(valueOf(await verifyRepository(at, repository.secret)).edition).toBe(2);
        const order = repository.order(some(250), { repository: at });
        expect(valueOf(await publishEdition(order, repository.now))).toMatchObject({
          edition: 3,
          records: 250,
          deltaBytes: expect.any(Number),
        });
        expect(newest(valueOf(await repository.refresh({ folder: at, trusted })))).toBe(3);
        expect(valueOf(await verifyRepository(at, repository.secret)).records).toBe(250);
        // Nothing of the broken one is left.
        const files = [...filesBelow(at).keys()];
        expect(files.filter((name) => /unfinished|\.new$/.test(name))).toEqual([]);
        expect(files.filter((name) => name.startsWith('targets/'))).toHaveLength(tidy.length + 1);
      }
    },
  );
});
