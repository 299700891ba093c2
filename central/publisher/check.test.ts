import { createSecretKey } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { filesBelow, valueOf } from '#test/rigs/bureau.ts';
import { recordOf, TestRepository, type TestRecord } from '#test/rigs/edition-repository.ts';
import { describeRepositoryIn, verifyRepository } from './index.ts';

const some = (count: number): TestRecord[] => Array.from({ length: count }, (_, at) => recordOf(`SPEC${at}`));
let folder: string;
let repository: TestRepository;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-check-'));
  repository = new TestRepository(join(folder, 'repository'));
  await repository.publish(some(300));
  await repository.publish(some(310));
  await repository.publish(some(320), { newBase: true });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The code of the fault and its words; every word but `ok` is one. */
async function verdict(): Promise<{ readonly code: string; readonly detail: string }> {
  const verified = await verifyRepository(repository.folder, repository.secret);
  return verified.ok ? { code: 'ok', detail: '' } : verified.fault;
}

/** The path of the one file whose name ends so. */
function fileOf(end: string): string {
  const names = [...filesBelow(repository.folder).keys()].filter((name) => name.endsWith(end));
  return join(repository.folder, names.find((name) => !name.startsWith('state/')) ?? '');
}

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
  return copy;
}

const targets = [
  ['sltd/1/base.fingerprints', 'sltd/3/base.fingerprints'],
  ['sltd/1/base.payload', 'sltd/3/base.payload'],
  ['sltd/2/delta', 'sltd/3/delta'],
  ['sltd/3/delta', 'sltd/1/base.payload'],
] as const;
const endOf = (name: string): string => `.${name.split('/')[2]}`;
const pathOf = (name: string): string => {
  const names = [...filesBelow(repository.folder).keys()];
  const folderOf = `targets/${name.split('/').slice(0, 2).join('/')}/`;
  return join(
    repository.folder,
    names.find((one) => one.startsWith(folderOf) && one.endsWith(endOf(name))) ?? 'none',
  );
};

describe('verifying a repository', () => {
  test('accepts a sound one, and says what is in it', async () => {
    const summary = valueOf(await verifyRepository(repository.folder, repository.secret));
    expect(summary).toEqual({
      edition: 3,
      date: '2026-11-28T06:00:00.000Z',
      records: 320,
      fingerprintKey: '1',
      bases: [1, 3],
      deltas: [2, 3],
      expires: {
        root: '2036-11-22T06:00:00.000Z',
        targets: '2027-02-26T06:00:00.000Z',
        snapshot: '2027-02-26T06:00:00.000Z',
        timestamp: '2026-12-05T06:00:00.000Z',
      },
    });
    expect(valueOf(await describeRepositoryIn(repository.folder))).toEqual(summary);
  });

  test.each(targets)(
    'refuses %s with a byte flipped, cut off, gone or taken from %s, by its name',
    async (name, other) => {
      const path = pathOf(name);
      const right = readFileSync(path);
      const wrong = [
        ...[0, 130, right.length >> 1, right.length - 1].map((at) => flipped(right, at)),
        right.subarray(0, -1),
        right.subarray(0, 0),
        Buffer.concat([right, Buffer.alloc(1)]),
        readFileSync(pathOf(other)),
      ];
      for (const bytes of wrong) {
        writeFileSync(path, bytes);
        expect(await verdict()).toMatchObject({
          code: 'EDITION_DAMAGED',
          detail: expect.stringContaining(name),
        });
      }
      rmSync(path);
      expect(await verdict()).toMatchObject({ code: 'FILE_REFUSED', detail: expect.stringContaining(name) });
      writeFileSync(path, right);
      expect((await verdict()).code).toBe('ok');
    },
  );

  test.each([
    ['1.root.json', 'timestamp.json'],
    ['3.targets.json', '2.targets.json'],
    ['3.snapshot.json', '2.snapshot.json'],
    ['timestamp.json', '3.snapshot.json'],
  ])('refuses %s with a byte flipped, cut off, or with %s in its place', async (name, other) => {
    const path = fileOf(name);
    const right = readFileSync(path);
    const wrong = [
      ...[right.indexOf('"sig":') + 10, right.indexOf('"expires":"') + 11].map((at) => flipped(right, at)),
      right.subarray(0, -1),
      readFileSync(fileOf(other)),
    ];
    for (const bytes of wrong) {
      writeFileSync(path, bytes);
      expect((await verdict()).code).toMatch(/^TRUST_(DAMAGED|UNSIGNED|MIXED)$/);
    }
    writeFileSync(path, right);
    expect((await verdict()).code).toBe('ok');
  });

  test('tells an edition that was made with another fingerprint key', async () => {
    const secret = { id: '1', key: createSecretKey(Buffer.alloc(32, 8)) };
    const verified = await verifyRepository(repository.folder, secret);
    expect(verified).toMatchObject({ ok: false, fault: { code: 'EDITION_FOREIGN' } });
    expect(JSON.stringify(verified)).toContain('sltd/2/delta');
  });

  test('says so where nothing was published', async () => {
    for (const place of [join(folder, 'none'), folder]) {
      expect(await verifyRepository(place, repository.secret)).toMatchObject({
        fault: { code: 'REPOSITORY_ABSENT' },
      });
    }
  });
});
