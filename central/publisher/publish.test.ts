import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { targetPath } from '#contracts/edition-target.ts';
import { wall } from '#contracts/units.ts';
import {
  Base,
  BaseWriter,
  decodeDelta,
  Edition,
  mergedEntries,
  noFilter,
  Overlay,
} from '#formats/edition/index.ts';
import { targetsOf, type Trusted } from '#formats/trust/index.ts';
import { faultOf, filesBelow, valueOf } from '#test/rigs/bureau.ts';
import { keyOf, recordOf, TestRepository, type TestRecord } from '#test/rigs/edition-repository.ts';
import { seeded } from '#test/rigs/random.ts';
import { describeRepositoryIn, publishEdition, refreshTimestamp } from './index.ts';

const day = 86_400_000;
let folder: string;
let repository: TestRepository;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-publish-'));
  repository = new TestRepository(join(folder, 'repository'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const some = (from: number, to: number): TestRecord[] =>
  Array.from({ length: to - from }, (_, at) => recordOf(`SPEC${from + at}`));

/** What a terminal makes of what is served: the oldest served base, and every delta after it. */
function install(trusted: Trusted) {
  const targets = targetsOf(trusted);
  const file = (edition: number, part: string): string => {
    const target = targets.find(({ about }) => about.edition === edition && about.part === part);
    if (target === undefined) throw new Error(`there is no ${part} of edition ${edition}`);
    return join(repository.folder, targetPath(target));
  };
  const [first = 0] = targets.flatMap(({ about }) =>
    about.part === 'payload' && about.served ? about.edition : [],
  );
  const base = valueOf(
    Base.open({ fingerprints: file(first, 'fingerprints'), payload: file(first, 'payload') }),
  );
  let [overlay, header] = [Overlay.empty, base.header];
  for (const { about } of targets) {
    if (about.part !== 'delta' || about.edition <= first) continue;
    const delta = valueOf(decodeDelta(readFileSync(file(about.edition, 'delta'))));
    const { from, ...next } = delta.header;
    expect(from).toBe(header.edition);
    header = next;
    overlay = valueOf(overlay.with(delta));
  }
  return new Edition({ base, overlay, filter: noFilter, header, secret: repository.secret });
}

describe('publishing', () => {
  test('begins a repository that a terminal believes, with every record in it', async () => {
    const records = [...some(0, 200), recordOf('SPEC7', { kindOfLoss: 'lost', reportedBy: 'XKX' })];
    const published = await repository.publish(records);
    expect(published).toMatchObject({
      collection: 'sltd',
      edition: 1,
      date: '2026-11-26T06:00:00.000Z',
      records: 201,
      fingerprintKey: '1',
      deltaBytes: null,
      baseServed: true,
    });
    const edition = install(valueOf(await repository.refresh()));
    expect(edition.describe()).toMatchObject({ version: 1, count: 201, bytes: published.baseBytes });
    expect(valueOf(edition.search(keyOf('SPEC199')))).toHaveLength(1);
    expect(valueOf(edition.search(keyOf('SPEC7'))).map(({ kindOfLoss }) => kindOfLoss)).toEqual([
      'stolen',
      'lost',
    ]);
    expect(valueOf(edition.search(keyOf('SPEC200')))).toEqual([]);
    edition.close();
  });

  test('makes deltas next, from which a terminal makes, to the last byte, the base that is described', async () => {
    const random = seeded(5);
    let records = some(0, 500);
    await repository.publish(records);
    let trusted = valueOf(await repository.refresh());
    for (let edition = 2; edition <= 5; edition++) {
      // Some go, some come, some come twice, one changes.
      records = records.filter(() => random() > 0.1);
      records.push(...some(edition * 1000, edition * 1000 + 30), records[3] as TestRecord);
      records[0] = recordOf('SPEC1', { kindOfLoss: 'revoked', reportedOn: `2026-11-0${edition}` });
      const published = await repository.publish(records);
      expect(published).toMatchObject({ edition, records: records.length, baseServed: false });
      expect(published.deltaBytes).toBeGreaterThan(100);
      trusted = valueOf(await repository.refresh({ trusted }));
      const terminal = install(trusted);
      expect(terminal.header).toMatchObject({ edition, count: records.length });
      const files = { fingerprints: join(folder, `${edition}.f`), payload: join(folder, `${edition}.p`) };
      const writer = new BaseWriter(files, terminal.header);
      for (const chunk of mergedEntries(terminal.base, terminal.overlay)) writer.add(valueOf(chunk));
      const written = writer.finish();
      terminal.close();
      const described = targetsOf(trusted).filter(({ about }) => about.edition === edition);
      for (const part of ['fingerprints', 'payload'] as const) {
        expect(described.find(({ about }) => about.part === part)?.sha256).toBe(written[part].sha256);
      }
    }
  });

  test('makes an edition with a younger date of a collection in which nothing has changed', async () => {
    await repository.publish(some(0, 50));
    const again = await repository.publish(some(0, 50));
    expect(again).toMatchObject({ edition: 2, date: '2026-11-27T06:00:00.000Z', records: 50 });
    // A header and empty columns.
    expect(again.deltaBytes).toBeLessThan(200);
    const edition = install(valueOf(await repository.refresh()));
    expect(edition.describe()).toMatchObject({ version: 2, date: '2026-11-27T06:00:00.000Z', count: 50 });
    edition.close();
  });

  test('keeps two records that are alike in everything as two, and can take one of them away', async () => {
    const twin = recordOf('SPECTWICE');
    await repository.publish([twin, twin, recordOf('SPECONCE')]);
    let edition = install(valueOf(await repository.refresh()));
    expect(valueOf(edition.search(keyOf('SPECTWICE')))).toHaveLength(2);
    edition.close();
    expect(await repository.publish([twin, recordOf('SPECONCE')])).toMatchObject({ records: 2 });
    edition = install(valueOf(await repository.refresh()));
    expect(valueOf(edition.search(keyOf('SPECTWICE')))).toHaveLength(1);
    edition.close();
  });

  test('publishes an empty collection, and from it a full one', async () => {
    expect(await repository.publish([])).toMatchObject({ records: 0 });
    await repository.publish(some(0, 10));
    const edition = install(valueOf(await repository.refresh()));
    expect(valueOf(edition.search(keyOf('SPEC9')))).toHaveLength(1);
    edition.close();
  });

  test('never dates an edition into the future', async () => {
    const order = repository.order(some(0, 5), { date: wall(repository.now + day) });
    expect(valueOf(await publishEdition(order, repository.now)).date).toBe('2026-11-25T06:00:00.000Z');
  });

  test('serves a whole base when it is asked to, and removes what nobody needs any more', async () => {
    for (let edition = 1; edition <= 6; edition++) {
      await repository.publish(some(0, 100 + edition), { newBase: edition % 2 === 0 });
    }
    const summary = valueOf(await describeRepositoryIn(repository.folder));
    expect(summary).toMatchObject({ edition: 6, records: 106, bases: [4, 6], deltas: [5, 6] });
    const files = [...filesBelow(repository.folder).keys()].map((name) =>
      name.replace(/[0-9a-f]{64}/, 'HASH'),
    );
    expect(files.filter((name) => name.startsWith('targets/')).sort()).toEqual([
      'targets/sltd/4/HASH.base.fingerprints',
      'targets/sltd/4/HASH.base.payload',
      'targets/sltd/5/HASH.delta',
      'targets/sltd/6/HASH.base.fingerprints',
      'targets/sltd/6/HASH.base.payload',
      'targets/sltd/6/HASH.delta',
    ]);
    // The description before stays for whoever has just read the timestamp before.
    expect(files.filter((name) => name.startsWith('metadata/'))).toEqual([
      'metadata/1.root.json',
      'metadata/5.snapshot.json',
      'metadata/5.targets.json',
      'metadata/6.snapshot.json',
      'metadata/6.targets.json',
      'metadata/timestamp.json',
    ]);
    expect(files.filter((name) => name.startsWith('state/'))).toEqual([
      'state/6/base.fingerprints',
      'state/6/base.payload',
    ]);
  });
});

describe('refreshing the timestamp', () => {
  const key = () => repository.keys.timestamp.privateKey;

  test('lets terminals go on believing that the newest edition is the newest', async () => {
    await repository.publish(some(0, 5));
    const trusted = valueOf(await repository.refresh());
    repository.now = wall(repository.now + 8 * day);
    expect(faultOf(await repository.refresh({ trusted }))).toBe('TRUST_EXPIRED');
    expect(valueOf(await refreshTimestamp(repository.folder, key(), repository.now))).toEqual({
      expires: '2026-12-11T06:00:00.000Z',
    });
    const refreshed = valueOf(await repository.refresh({ trusted }));
    expect(targetsOf(refreshed)).toEqual(targetsOf(trusted));
    expect(refreshed.timestamp?.version).toBe(2);
    await repository.publish(some(0, 6));
    expect(valueOf(await repository.refresh({ trusted: refreshed })).timestamp?.version).toBe(3);
  });

  test('with another key or without a repository changes nothing', async () => {
    expect(faultOf(await refreshTimestamp(folder, key(), repository.now))).toBe('REPOSITORY_ABSENT');
    expect([...filesBelow(folder).keys()]).toEqual([]);
    await repository.publish(some(0, 5));
    const before = readFileSync(join(repository.folder, 'metadata/timestamp.json'));
    const other = repository.keys.snapshot.privateKey;
    expect(faultOf(await refreshTimestamp(repository.folder, other, repository.now))).toBe('TRUST_UNSIGNED');
    expect(readFileSync(join(repository.folder, 'metadata/timestamp.json'))).toEqual(before);
  });
});
