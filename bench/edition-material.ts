import { createSecretKey, randomBytes } from 'node:crypto';
import { appendFileSync, mkdirSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { open as openLmdb, type RootDatabase } from 'lmdb';
import { openSource, publishEdition, type Published } from '#central/publisher/index.ts';
import { searchKey, type SearchKey } from '#contracts/search-key.ts';
import { wall } from '#contracts/units.ts';
import { Base } from '#formats/edition/index.ts';
import { Fingerprinter } from '#formats/fingerprint.ts';
import type { NamedSecret } from '#formats/keyed.ts';
import { valueOf } from '#test/rigs/bureau.ts';
import { TestRepository } from '#test/rigs/edition-repository.ts';
import { syntheticRecords, unrecordedNumbers, writeSyntheticCsv } from './collection.ts';

/** A synthetic collection, its editions by the real publisher, and the rivals with the very same fingerprints. */
export interface Material {
  readonly repository: TestRepository;
  readonly count: number;
  readonly first: Published;
  /** The first edition's files. */
  readonly base: { readonly fingerprints: string; readonly payload: string };
  readonly missing: readonly SearchKey[];
  readonly present: readonly SearchKey[];
  /** Makes and publishes the next day's edition: 0.05 % added, 0.01 % removed. */
  nextDay(): Promise<{ readonly published: Published; readonly added: number; readonly removed: number }>;
}

const seed = 20_261_125;
const day = 86_400_000;

export async function makeMaterial(
  folder: string,
  count: number,
  lookups: number,
  say: (text: string) => void,
): Promise<Material> {
  mkdirSync(folder, { recursive: true });
  const repository = new TestRepository(join(folder, 'repository'), wall(Date.now() - 2 * day));
  repository.secret = { id: '1', key: createSecretKey(randomBytes(32)) };
  say(`writing ${count} synthetic records`);
  const csv = join(folder, 'synthetic.csv');
  writeSyntheticCsv(csv, { seed, count });
  say('publishing the first edition');
  const publish = async (file: string): Promise<Published> => {
    const now = wall(repository.now + day);
    repository.now = now;
    const { fill } = valueOf(await openSource({ kind: 'csv', file }, now));
    const { root, keys, secret } = repository;
    return valueOf(
      await publishEdition(
        {
          repository: repository.folder,
          root,
          keys: {
            targets: keys.targets.privateKey,
            snapshot: keys.snapshot.privateKey,
            timestamp: keys.timestamp.privateKey,
          },
          fingerprint: secret,
          date: now,
          fill,
          newBase: false,
          fewer: false,
          say: () => {},
        },
        now,
      ),
    );
  };
  const first = await publish(csv);
  const base = repositoryState(repository, 1);
  const keyOf = (one: { issuingState: string; documentNumber: string }): SearchKey => {
    const key = searchKey(one.issuingState, one.documentNumber);
    if (key === undefined) throw new TypeError('a synthetic number is none');
    return key;
  };
  const missing = Array.from(unrecordedNumbers({ seed, count: lookups }), keyOf);
  const runs = 100;
  const present = Array.from({ length: runs }, (_, run) =>
    Array.from(
      syntheticRecords({ seed, from: Math.floor((count / runs) * run), count: Math.floor(lookups / runs) }),
      keyOf,
    ),
  ).flat();
  return {
    repository,
    count,
    first,
    base,
    missing,
    present: shuffled(present),
    async nextDay() {
      const added = Math.round(count * 0.0005);
      const every = Math.round(count / (count * 0.0001));
      const next = join(folder, 'next.csv');
      let removed = 0;
      say('writing and publishing the next day');
      writeSyntheticCsv(next, {
        seed,
        count,
        remove: (i) => {
          const gone = i % every === 7;
          if (gone) removed++;
          return gone;
        },
      });
      appendFileSync(next, recentRows(count, added, repository.now));
      return { published: await publish(next), added, removed };
    },
  };
}

export function repositoryState(repository: TestRepository, edition: number) {
  const folder = join(repository.folder, 'state', String(edition));
  return { fingerprints: join(folder, 'base.fingerprints'), payload: join(folder, 'base.payload') };
}

/** What a day adds was mostly reported that day or the days before. */
function recentRows(count: number, added: number, now: number): string {
  let draw = 1;
  return Array.from(syntheticRecords({ seed, from: count, count: added }), (one) => {
    draw = (draw * 1_103_515_245 + 12_345) % 2 ** 31;
    const back = Math.floor(-Math.log((draw + 1) / (2 ** 31 + 1)) * 2);
    const reported = new Date(now - back * day).toISOString().slice(0, 10);
    const { record, issuingState, documentNumber, documentType, kindOfLoss, reportedBy } = one;
    return `${record},${issuingState},${documentNumber},${documentType},${kindOfLoss},${reported},${reportedBy}\n`;
  }).join('');
}

function shuffled<T>(items: readonly T[]): T[] {
  const copy = [...items];
  let draw = 7;
  for (let at = copy.length - 1; at > 0; at--) {
    draw = (draw * 1_103_515_245 + 12_345) % 2 ** 31;
    const other = draw % (at + 1);
    [copy[at], copy[other]] = [copy[other] as T, copy[at] as T];
  }
  return copy;
}

/** One way to look a search key up; each pays for its own hashing. */
export interface Rival {
  readonly name: string;
  has(key: SearchKey): boolean;
  close(): void | Promise<void>;
}

/** Every rival gets the fingerprint as fast as we do. */
function printOf(secret: NamedSecret): (key: SearchKey) => Buffer {
  const print = new Fingerprinter(secret);
  return (key) => {
    print.of(key);
    return print.bytes();
  };
}

/** Tables of the same fingerprints and payloads, filled in their order, which is the fastest that each can be filled. */
export async function makeRivals(
  material: Material,
  folder: string,
  say: (text: string) => void,
): Promise<Rival[]> {
  const file = join(folder, 'rival.db');
  const print = printOf(material.repository.secret);
  say('filling the SQLite table');
  const filling = new Database(file);
  filling.pragma('journal_mode = OFF');
  filling.pragma('synchronous = OFF');
  filling.exec('CREATE TABLE records (fingerprint BLOB PRIMARY KEY, payload INTEGER) WITHOUT ROWID');
  const insert = filling.prepare('INSERT OR IGNORE INTO records VALUES (?, ?)');
  filling.exec('BEGIN');
  eachEntry(material.base, (key, payload) => insert.run(key, payload));
  filling.exec('COMMIT');
  filling.close();
  say('filling lmdb');
  const lmdb: RootDatabase<number, Buffer> = openLmdb({
    path: join(folder, 'rival.lmdb'),
    keyEncoding: 'binary',
    noSync: true,
    mapSize: 2 ** 34,
  });
  let batch: [Buffer, number][] = [];
  const flush = (): void => {
    lmdb.transactionSync(() => {
      for (const [key, payload] of batch) lmdb.putSync(key, payload);
    });
    batch = [];
  };
  eachEntry(material.base, (key, payload) => {
    batch.push([Buffer.from(key), payload]);
    if (batch.length === 200_000) flush();
  });
  flush();
  const better = new Database(file, { readonly: true });
  const select = better.prepare('SELECT payload FROM records WHERE fingerprint = ?').raw();
  const built = new DatabaseSync(file, { readOnly: true });
  const builtSelect = built.prepare('SELECT payload FROM records WHERE fingerprint = ?');
  return [
    {
      name: 'better-sqlite3',
      has: (key) => select.get(print(key)) !== undefined,
      close: () => void better.close(),
    },
    {
      name: 'node:sqlite',
      has: (key) => builtSelect.get(print(key)) !== undefined,
      close: () => built.close(),
    },
    { name: 'lmdb', has: (key) => lmdb.get(print(key)) !== undefined, close: () => lmdb.close() },
  ];
}

export function eachEntry(
  files: { readonly fingerprints: string; readonly payload: string },
  act: (key: Buffer, payload: number) => void,
): void {
  const base = valueOf(Base.open(files));
  const key = Buffer.alloc(8);
  for (const chunk of base.entries()) {
    const { hi, lo, payload } = valueOf(chunk);
    for (let at = 0; at < hi.length; at++) {
      key.writeUInt32BE(hi[at] as number, 0);
      key.writeUInt32BE(lo[at] as number, 4);
      act(key, payload[at] as number);
    }
  }
  base.close();
}
