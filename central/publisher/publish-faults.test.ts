import { createSecretKey, generateKeyPairSync } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fail, ok } from '#contracts/result.ts';
import { wall } from '#contracts/units.ts';
import { targetsOf } from '#formats/trust/index.ts';
import { faultOf, filesBelow, valueOf } from '#test/rigs/bureau.ts';
import { keyOf, recordOf, TestRepository, type TestRecord } from '#test/rigs/edition-repository.ts';
import { describeRepositoryIn, publishEdition, type PublishOrder, refreshTimestamp } from './index.ts';

const day = 86_400_000;
const some = (count: number): TestRecord[] => Array.from({ length: count }, (_, at) => recordOf(`SPEC${at}`));
let folder: string;
let repository: TestRepository;
const at = (...names: string[]): string => join(repository.folder, ...names);

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-publish-'));
  repository = new TestRepository(join(folder, 'repository'));
  await repository.publish(some(100));
  await repository.publish(some(110));
  repository.now = wall(repository.now + day);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const publish = (more: Partial<PublishOrder> = {}, count = 120) =>
  publishEdition(repository.order(some(count), more), repository.now);

/** The code of a publishing's fault, once it is seen that all files are to the last byte as they were. */
async function refusal(more: Partial<PublishOrder>): Promise<string | undefined> {
  const before = filesBelow(repository.folder);
  const published = await publish(more);
  expect(filesBelow(repository.folder)).toEqual(before);
  return faultOf(published);
}

/** The next publishing works, and a terminal believes it. */
async function goesOn(edition: number): Promise<void> {
  expect(valueOf(await publish()).edition).toBe(edition);
  expect(targetsOf(valueOf(await repository.refresh())).at(-1)?.about.edition).toBe(edition);
}

describe('a publishing that is refused changes no file', () => {
  test('with a collection that is older than the edition published last; of the same age it is none', async () => {
    const published = repository.now - day;
    expect(await refusal({ date: wall(published - 1) })).toBe('EDITION_OLDER');
    expect(valueOf(await publish({ date: wall(published) })).date).toBe(new Date(published).toISOString());
  });

  test('with keys that the root does not trust for this, before the collection is read', async () => {
    const { targets, snapshot, timestamp } = repository.keys;
    const [right, swapped] = [targets.privateKey, snapshot.privateKey];
    const keys = { targets: right, snapshot: swapped, timestamp: timestamp.privateKey };
    const stranger = generateKeyPairSync('ed25519').privateKey;
    for (const wrong of [
      { targets: swapped, snapshot: right },
      { targets: stranger },
      { snapshot: stranger },
      { timestamp: stranger },
      { timestamp: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey },
    ]) {
      let read = false;
      const fill: PublishOrder['fill'] = () => {
        read = true;
        return Promise.resolve(ok(undefined));
      };
      expect(await refusal({ keys: { ...keys, ...wrong }, fill })).toMatch(/^TRUST_(UNSIGNED|DAMAGED)$/);
      expect(read).toBe(false);
    }
    await goesOn(3);
  });

  test('with a collection that is found wrong in the midst of it, or a mistake of ours', async () => {
    const half =
      (end: () => ReturnType<PublishOrder['fill']>): PublishOrder['fill'] =>
      (sink) => {
        for (const { number, ...record } of some(50)) sink(keyOf(number), record);
        return end();
      };
    const invalid = half(() => Promise.resolve(fail('COLLECTION_INVALID', 'row 51')));
    expect(await refusal({ fill: invalid })).toBe('COLLECTION_INVALID');
    const full = half(() => Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' })));
    expect(await refusal({ fill: full })).toBe('FILE_REFUSED');
    const mistake = half(() => Promise.reject(new TypeError('a mistake')));
    await expect(refusal({ fill: mistake })).rejects.toThrow('a mistake');
    await goesOn(3);
  });

  test('with far fewer records than before, as of a pipe whose other end died, unless somebody says that it is right', async () => {
    const left = (count: number) => ({ ...repository.order(some(count)), fewer: false });
    expect(await refusal(left(98))).toBe('COLLECTION_SHRUNK');
    expect(valueOf(await publish(left(99))).records).toBe(99);
    expect(valueOf(await publish({}, 1)).records).toBe(1);
  });

  test('with tens of thousands of records of one document', async () => {
    const { number, ...record } = recordOf('SPECSAME');
    const fill: PublishOrder['fill'] = (sink) => {
      for (let i = 0; i < 70_000; i++) sink(keyOf(number), record);
      return Promise.resolve(ok(undefined));
    };
    expect(await refusal({ fill })).toBe('COLLECTION_INVALID');
    await goesOn(3);
  });

  test.each(['1.root.json', '2.snapshot.json', '2.targets.json', 'timestamp.json'])(
    'when somebody has altered %s, which is not signed over',
    async (name) => {
      const file = at('metadata', name);
      const right = readFileSync(file);
      const altered = Buffer.from(right);
      const place = altered.lastIndexOf('"version":') + '"version":'.length;
      altered.write(altered.toString('latin1', place, place + 1) === '9' ? '8' : '9', place);
      const key = repository.keys.timestamp.privateKey;
      for (const wrong of [altered, right.subarray(0, -1), Buffer.from('{}')]) {
        writeFileSync(file, wrong);
        expect(await refusal({})).toMatch(/^TRUST_/);
        expect(faultOf(await refreshTimestamp(repository.folder, key, repository.now))).toMatch(/^TRUST_/);
        expect(faultOf(await describeRepositoryIn(repository.folder))).toMatch(/^TRUST_/);
      }
      rmSync(file);
      expect(await refusal({})).toMatch(/^(TRUST_DAMAGED|FILE_REFUSED)$/);
      writeFileSync(file, right);
      await goesOn(3);
    },
  );

  test('when an older description was put in its place', async () => {
    cpSync(at('metadata'), join(folder, 'older'), { recursive: true });
    await publish();
    for (const role of ['snapshot', 'targets']) {
      const right = readFileSync(at(`metadata/3.${role}.json`));
      cpSync(join(folder, `older/2.${role}.json`), at(`metadata/3.${role}.json`));
      expect(await refusal({})).toBe('TRUST_MIXED');
      expect(faultOf(await describeRepositoryIn(repository.folder))).toBe('TRUST_MIXED');
      writeFileSync(at(`metadata/3.${role}.json`), right);
    }
    await goesOn(4);
  });

  test('begins no repository with a root that is none, or that trusts other keys', async () => {
    const fresh = new TestRepository(join(folder, 'fresh'));
    for (const root of [Buffer.from('{}'), repository.root, fresh.root.subarray(1)]) {
      const order = { ...fresh.order(some(3)), root };
      expect(faultOf(await publishEdition(order, fresh.now))).toMatch(/^TRUST_/);
      expect([...filesBelow(fresh.folder).keys()].filter((name) => name !== 'lock')).toEqual([]);
    }
    expect(await fresh.publish(some(3))).toMatchObject({ edition: 1 });
  });

  test('where the folder of the repository is a file', async () => {
    writeFileSync(join(folder, 'file'), '');
    expect(faultOf(await publish({ repository: join(folder, 'file') }))).toBe('FILE_REFUSED');
  });
});

describe('the lock', () => {
  test('lets one publishing at a time change the repository, and others once it has ended', async () => {
    const begun = Promise.withResolvers<void>();
    const end = Promise.withResolvers<void>();
    const first = publish({
      fill: async (sink) => {
        const { number, ...record } = recordOf('SPECFIRST');
        sink(keyOf(number), record);
        begun.resolve();
        await end.promise;
        return ok(undefined);
      },
    });
    await begun.promise;
    expect(faultOf(await publish())).toBe('REPOSITORY_BUSY');
    const key = repository.keys.timestamp.privateKey;
    expect(faultOf(await refreshTimestamp(repository.folder, key, repository.now))).toBe('REPOSITORY_BUSY');
    // Reading needs no lock.
    expect(valueOf(await describeRepositoryIn(repository.folder)).edition).toBe(2);
    end.resolve();
    expect(valueOf(await first)).toMatchObject({ edition: 3, records: 1 });
    await goesOn(4);
  });
});

describe('where no delta can be made, a whole base is served instead', () => {
  test('when the state of the edition before is lost', async () => {
    rmSync(at('state'), { recursive: true });
    expect(valueOf(await publish())).toMatchObject({ edition: 3, deltaBytes: null, baseServed: true });
    expect(valueOf(await publish({}, 121))).toMatchObject({
      deltaBytes: expect.any(Number),
      baseServed: false,
    });
  });

  test.each(['fingerprints', 'payload'])(
    'when the %s of the edition before are not to the last byte those that were signed',
    async (part) => {
      const file = at('state/2', `base.${part}`);
      const right = readFileSync(file);
      for (const place of [130, right.length >> 1, right.length - 1]) {
        const copy = join(folder, `copy-${place}`);
        cpSync(repository.folder, copy, { recursive: true });
        const wrong = Buffer.from(right);
        wrong.writeUInt8(wrong.readUInt8(place) ^ 1, place);
        writeFileSync(join(copy, 'state/2', `base.${part}`), wrong);
        expect(valueOf(await publish({ repository: copy }))).toMatchObject({
          deltaBytes: null,
          baseServed: true,
        });
      }
    },
  );

  test('when the fingerprint key is another one, by its id or by its secret alone', async () => {
    repository.secret = { id: '1', key: createSecretKey(Buffer.alloc(32, 8)) };
    expect(valueOf(await publish())).toMatchObject({ deltaBytes: null, baseServed: true });
    repository.secret = { id: '2', key: createSecretKey(Buffer.alloc(32, 8)) };
    await publish();
    const described = targetsOf(valueOf(await repository.refresh()));
    expect(new Set(described.map(({ about }) => about.fingerprintKey))).toEqual(new Set(['2']));
  });

  test('when nearly all has changed', async () => {
    const many = (from: number): TestRecord[] =>
      Array.from({ length: 12_000 }, (_, at) => recordOf(`SPEC${from + at}`));
    await publishEdition(repository.order(many(0)), repository.now);
    const published = valueOf(await publishEdition(repository.order(many(100_000)), repository.now));
    expect(published).toMatchObject({ deltaBytes: null, baseServed: true });
  });
});
