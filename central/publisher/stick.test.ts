import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { targetPath } from '#contracts/edition-target.ts';
import { wall } from '#contracts/units.ts';
import { acceptSeed, openTrust, targetsOf, type Trusted } from '#formats/trust/index.ts';
import { faultOf, filesBelow, valueOf } from '#test/rigs/bureau.ts';
import { recordOf, TestRepository, type TestRecord } from '#test/rigs/edition-repository.ts';
import { writeStick } from './index.ts';

const some = (count: number): TestRecord[] => Array.from({ length: count }, (_, at) => recordOf(`SPEC${at}`));
let folder: string;
let repository: TestRepository;
let stick: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-stick-'));
  stick = join(folder, 'stick');
  repository = new TestRepository(join(folder, 'repository'));
  await repository.publish(some(300));
  await repository.publish(some(310));
  await repository.publish(some(320), { newBase: true });
  await repository.publish(some(330));
  await repository.publish(some(340));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (from = repository, say: (done: number, total: number) => void = () => {}) =>
  writeStick(from.folder, stick, say);
const names = (): string[] =>
  [...filesBelow(stick).keys()].map((name) => name.replace(/[0-9a-f]{64}/, 'HASH')).sort();
/** What a terminal believes that knows the root only and is shown the stick. */
function seeded(from = repository, now = repository.now): Trusted {
  const files = [...filesBelow(join(stick, 'metadata'))];
  const of = (role: string) =>
    files.filter(([name]) => name.endsWith(`.${role}.json`)).map(([, bytes]) => bytes);
  const [snapshot, ...moreSnapshots] = of('snapshot');
  const [targets, ...moreTargets] = of('targets');
  expect([moreSnapshots, moreTargets]).toEqual([[], []]);
  if (snapshot === undefined || targets === undefined) throw new Error('it is no stick');
  const root = valueOf(openTrust({ root: from.root }));
  return valueOf(acceptSeed(root, { roots: of('root'), snapshot, targets }, now));
}

const expected = [
  'metadata/1.root.json',
  'metadata/5.snapshot.json',
  'metadata/5.targets.json',
  'targets/sltd/3/HASH.base.fingerprints',
  'targets/sltd/3/HASH.base.payload',
  'targets/sltd/4/HASH.delta',
  'targets/sltd/5/HASH.delta',
];

describe('a stick', () => {
  test('has just what seeds a terminal: the newest served base, the deltas after it, and no timestamp', async () => {
    const written = valueOf(await write());
    expect(names()).toEqual(expected);
    const trusted = seeded();
    const all = targetsOf(trusted);
    expect(all.at(-1)?.about.edition).toBe(5);
    let bytes = 0;
    for (const [name, content] of filesBelow(stick)) {
      expect(content.equals(readFileSync(join(repository.folder, name)))).toBe(true);
      if (name.startsWith('targets/')) bytes += content.length;
      if (name.startsWith('targets/')) expect(all.map((target) => targetPath(target))).toContain(name);
    }
    expect(written).toEqual({
      edition: 5,
      date: '2026-11-30T06:00:00.000Z',
      records: 340,
      bytes,
      expires: '2027-02-28T06:00:00.000Z',
    });
    // It seeds until that moment, and not from it on.
    const end = Date.parse(written.expires);
    expect(seeded(repository, wall(end - 1))).toBeDefined();
    expect(() => seeded(repository, wall(end))).toThrow('TRUST_EXPIRED');
  });

  test('gets its description last, and says how far it is', async () => {
    const said: [number, number][] = [];
    const withDescription: boolean[] = [];
    const { bytes } = valueOf(
      await write(repository, (done, total) => {
        said.push([done, total]);
        withDescription.push(names().some((name) => name.endsWith('.json')));
      }),
    );
    expect(withDescription).not.toContain(true);
    expect(said.at(-1)).toEqual([bytes, bytes]);
    expect(said.map(([done]) => done)).toEqual(said.map(([done]) => done).toSorted((a, b) => a - b));
  });

  test('is made anew where an older one is, and what is not of an edition stays', async () => {
    valueOf(await write());
    mkdirSync(join(stick, 'targets/of-the-engineer'));
    const own = ['bundle.json', 'metadata/notes.txt', 'targets/of-the-engineer/7.delta'];
    for (const name of own) writeFileSync(join(stick, name), 'mine');
    await repository.publish(some(350), { newBase: true });
    await repository.publish(some(360));
    valueOf(await write());
    expect(names().filter((name) => !own.includes(name))).toEqual([
      'metadata/1.root.json',
      'metadata/7.snapshot.json',
      'metadata/7.targets.json',
      'targets/sltd/6/HASH.base.fingerprints',
      'targets/sltd/6/HASH.base.payload',
      'targets/sltd/7/HASH.delta',
    ]);
    expect(own.map((name) => readFileSync(join(stick, name), 'utf8'))).toEqual(['mine', 'mine', 'mine']);
    expect(seeded().targets?.version).toBe(7);
  });

  test('of a bureau that has published less is not outdone by one of a bureau that has published more', async () => {
    valueOf(await write());
    const other = new TestRepository(join(folder, 'other'));
    await other.publish(some(5));
    valueOf(await write(other));
    expect(seeded(other).targets?.version).toBe(1);
    expect(names()).toHaveLength(5);
  });

  test('is none while the files of a new one are being copied', async () => {
    valueOf(await write());
    await repository.publish(some(350));
    let seen: string[] | undefined;
    valueOf(await write(repository, () => (seen ??= names().filter((name) => name.endsWith('.json')))));
    expect(seen).toEqual([]);
  });

  test('is not written from a file that is not the one that was signed, and then is none', async () => {
    const [name] = [...filesBelow(repository.folder).keys()].filter((one) =>
      /^targets\/sltd\/4\/.*delta$/.test(one),
    );
    const file = join(repository.folder, name ?? '');
    const right = readFileSync(file);
    writeFileSync(
      file,
      Buffer.concat([right.subarray(0, -1), Buffer.of(right.readUInt8(right.length - 1) ^ 1)]),
    );
    expect(await write()).toMatchObject({
      fault: { code: 'EDITION_DAMAGED', detail: expect.stringContaining('sltd/4/') },
    });
    rmSync(file);
    expect(await write()).toMatchObject({
      fault: { code: 'FILE_REFUSED', detail: expect.stringContaining('sltd/4/') },
    });
    expect(existsSync(join(stick, 'metadata/5.targets.json'))).toBe(false);
  });

  test('that is a repository, the same or another one, is left alone', async () => {
    const before = filesBelow(repository.folder);
    expect(faultOf(await writeStick(repository.folder, repository.folder, () => {}))).toBe('FILE_REFUSED');
    symlinkSync(repository.folder, stick);
    expect(faultOf(await write())).toBe('FILE_REFUSED');
    expect(filesBelow(repository.folder)).toEqual(before);
  });

  test('that is full or cannot be written is told as a value', async () => {
    // Writing to this device fails as writing to a full disk does.
    const [delta] = [...filesBelow(repository.folder).keys()].filter((one) => /sltd\/4\/.*delta$/.test(one));
    mkdirSync(join(stick, 'targets/sltd/4'), { recursive: true });
    symlinkSync('/dev/full', join(stick, delta ?? ''));
    expect(await write()).toMatchObject({
      fault: { code: 'FILE_REFUSED', detail: expect.stringContaining('ENOSPC') },
    });
    rmSync(stick, { recursive: true });
    writeFileSync(stick, 'a file');
    expect(faultOf(await write())).toBe('FILE_REFUSED');
  });

  test('is not made where nothing was published', async () => {
    expect(faultOf(await writeStick(join(folder, 'none'), stick, () => {}))).toBe('REPOSITORY_ABSENT');
    expect(existsSync(stick)).toBe(false);
  });
});
