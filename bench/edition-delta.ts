import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { Budget, centralRepository, HttpsEditionTransport } from '#agent/editions/index.ts';
import { targetName, targetPath } from '#contracts/edition-target.ts';
import { Base, decodeDelta, decodeFilter, type Delta, Edition, Overlay } from '#formats/edition/index.ts';
import { systemClock } from '#runtime/clock.ts';
import { replaceFile } from '#runtime/durable-file.ts';
import { valueOf } from '#test/rigs/bureau.ts';
import { startEditionCentre } from '#test/rigs/edition-centre.ts';
import { openTerminal, stickOf } from '#test/rigs/edition-terminal.ts';
import { type Figure, percentile, round } from './bench.ts';
import type { Material } from './edition-material.ts';
import { startSlowLine } from './slow-line.ts';

const line = { bytesPerSecond: 8000, roundTrip: 600 } as const;
const rounds = 7;

/** A day's delta: its size, how long it takes over a satellite line, and applying it beside a SQLite transaction. */
export async function benchDelta(
  material: Material,
  folder: string,
  filterFile: string,
  say: (text: string) => void,
): Promise<Figure[]> {
  const { repository, count } = material;
  const terminalFolder = join(folder, 'terminal');
  const terminal = await openTerminal(terminalFolder, repository, { now: () => repository.now });
  say('seeding a terminal');
  await terminal.renew(stickOf(repository.folder, terminalFolder));
  // The state of the first edition goes with the next publishing.
  mkdirSync(join(folder, 'first'), { recursive: true });
  for (const part of ['fingerprints', 'payload'] as const) {
    copyFileSync(material.base[part], join(folder, 'first', part));
  }
  const { published, added, removed } = await material.nextDay();
  const figures = sizes(published.deltaBytes ?? 0, added, removed);

  say('the delta over the satellite line');
  const centre = await startEditionCentre({ folder, clock: systemClock });
  const slow = await startSlowLine(centre.port, line);
  const transport = new HttpsEditionTransport({
    url: `https://localhost:${slow.port}`,
    tls: {
      authority: centre.authority.certificate,
      certificate: centre.terminal.certificate,
      key: centre.terminal.key,
    },
    clock: systemClock,
  });
  const began = performance.now();
  await terminal.renew(
    centralRepository({
      transport,
      downloads: join(terminalFolder, 'downloads'),
      budget: new Budget(systemClock, 0),
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  if (terminal.current()?.describe().version !== 2) throw new Error('the delta did not arrive');
  figures.push(
    {
      name: 'a day over 64 kbit/s, 600 ms',
      case: 'connection to in use',
      value: round(seconds),
      unit: 's',
      target: 20,
    },
    { name: 'a day over 64 kbit/s, 600 ms', case: 'bytes on the line', value: slow.crossed, unit: 'B' },
  );
  transport.close();
  await slow.close();
  await centre.service.close();
  await terminal.close();

  say('applying the delta');
  const file = deltaFile(repository.folder, 2);
  figures.push(...(await applying(material, folder, { file, filterFile, count })));
  return figures;
}

function sizes(deltaBytes: number, added: number, removed: number): Figure[] {
  const limit = (n: number): number => (n * (64 - Math.log2(n) + 1.44)) / 8;
  return [
    {
      name: 'a day’s delta',
      case: `${added} added, ${removed} removed`,
      value: deltaBytes,
      unit: 'B',
      target: 110_000,
    },
    {
      name: 'a day’s delta',
      case: 'limit of its fingerprints',
      value: Math.round(limit(added) + limit(removed)),
      unit: 'B',
    },
  ];
}

/** The delta's file in the repository, by what its description says. */
export function deltaFile(folder: string, edition: number): string {
  const name = targetName({ collection: 'sltd', edition, part: 'delta' });
  const targets = JSON.parse(readFileSync(join(folder, 'metadata', `${edition}.targets.json`), 'utf8')) as {
    signed: { targets: Record<string, { hashes: { sha256: string } }> };
  };
  const sha256 = targets.signed.targets[name]?.hashes.sha256 ?? '';
  return join(folder, targetPath({ name, sha256 }));
}

async function applying(
  material: Material,
  folder: string,
  { file, filterFile, count }: { readonly file: string; readonly filterFile: string; readonly count: number },
): Promise<Figure[]> {
  const bytes = readFileSync(file);
  const delta = valueOf(decodeDelta(bytes));
  const first = { fingerprints: join(folder, 'first/fingerprints'), payload: join(folder, 'first/payload') };
  const base = valueOf(Base.open(first));
  const filter = valueOf(decodeFilter(readFileSync(filterFile), Buffer.alloc(32), count));
  const { secret } = material.repository;
  const rice = await fingerprintBytes(bytes, delta);
  const db = new Database(join(folder, 'rival.db'));
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  const insert = db.prepare('INSERT OR REPLACE INTO records VALUES (?, ?)');
  const remove = db.prepare('DELETE FROM records WHERE fingerprint = ?');
  const rows = rowsOf(delta);
  const own: number[] = [];
  const other: number[] = [];
  let ownBytes = 0;
  let otherBytes = 0;
  // The first turn warms up, both alike.
  for (let turn = 0; turn <= rounds; turn++) {
    const before = written();
    const began = performance.now();
    // As agent/editions does it: on disk and synced, checked, decoded, applied, and the pointer to it replaced.
    valueOf(await replaceFile(join(folder, 'applied.delta'), bytes, 0o600));
    createHash('sha256')
      .update(readFileSync(join(folder, 'applied.delta')))
      .digest('hex');
    const decoded = valueOf(decodeDelta(bytes));
    const overlay = valueOf(Overlay.empty.with(decoded));
    const edition = new Edition({ base, filter, overlay, header: decoded.header, secret });
    valueOf(
      await replaceFile(join(folder, 'current.json'), Buffer.from(JSON.stringify(edition.describe())), 0o600),
    );
    if (turn > 0) own.push(performance.now() - began);
    ownBytes = written() - before;

    const start = written();
    const from = performance.now();
    db.exec('BEGIN');
    for (const key of rows.removed) remove.run(key);
    for (const [key, payload] of rows.added) insert.run(key, payload);
    db.exec('COMMIT');
    db.pragma('wal_checkpoint(TRUNCATE)');
    if (turn > 0) other.push(performance.now() - from);
    otherBytes = written() - start;
    // Back to the edition before, so that the next round does the same.
    db.exec('BEGIN');
    for (const [key] of rows.added) remove.run(key);
    for (const key of rows.removed) insert.run(key, 0);
    db.exec('COMMIT');
    db.pragma('wal_checkpoint(TRUNCATE)');
  }
  db.close();
  base.close();
  rmSync(join(folder, 'applied.delta'), { force: true });
  const [ours, theirs] = [percentile(own, 0.5), percentile(other, 0.5)];
  return [
    {
      name: 'a day’s delta',
      case: 'fingerprints, times their limit',
      value: round(rice),
      unit: '×',
      target: 1.02,
    },
    {
      name: 'a day applied',
      case: 'durably, median',
      value: round(ours),
      unit: 'ms',
      rival: `better-sqlite3 (${round(theirs)} ms)`,
      ratio: round(ours / theirs),
    },
    { name: 'a day applied', case: 'times as fast', value: round(theirs / ours), unit: '×' },
    {
      name: 'a day applied',
      case: 'bytes written',
      value: ownBytes,
      unit: 'B',
      rival: `better-sqlite3 (${otherBytes} B)`,
      ratio: round(ownBytes / otherBytes),
    },
    {
      name: 'a day applied',
      case: 'times fewer bytes written',
      value: round(otherBytes / ownBytes),
      unit: '×',
    },
  ];
}

/** Bytes of the coded fingerprints against what the best code could do. */
async function fingerprintBytes(bytes: Buffer, { additions, removals }: Delta): Promise<number> {
  const { encodeRice, riceParameter } = await import('#formats/edition/rice.ts');
  const coded =
    encodeRice(additions, riceParameter(additions)).length +
    encodeRice(removals, riceParameter(removals)).length;
  if (coded > bytes.length) throw new Error('the fingerprints are longer than their delta');
  const limit = (n: number): number => (n * (64 - Math.log2(n) + 1.44)) / 8;
  return coded / (limit(additions.hi.length) + limit(removals.hi.length));
}

function rowsOf({ additions, removals }: Delta) {
  const key = (hi: number, lo: number): Buffer => {
    const bytes = Buffer.alloc(8);
    bytes.writeUInt32BE(hi, 0);
    bytes.writeUInt32BE(lo, 4);
    return bytes;
  };
  return {
    added: Array.from(
      additions.hi,
      (hi, at) => [key(hi, additions.lo[at] as number), additions.payload[at] as number] as const,
    ),
    removed: Array.from(removals.hi, (hi, at) => key(hi, removals.lo[at] as number)),
  };
}

/** What this process has written so far, in bytes, as the kernel counts it. */
function written(): number {
  const [, bytes] = /wchar: (\d+)/.exec(readFileSync('/proc/self/io', 'utf8')) ?? [];
  return Number(bytes);
}
