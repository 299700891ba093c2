import { closeSync, readdirSync, readlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { seeded } from '#test/rigs/random.ts';
import { Base } from './base.ts';
import { decodeBucket, findInBucket, isWholeBucket } from './base-bucket.ts';
import { bucketBytes, maxBucket, mostPrefixBits, prefixBits } from './base-layout.ts';
import { BaseWriter, BucketFull } from './base-writer.ts';
import { type Entries, makeEntries } from './entries.ts';
import { type EditionHeader, headerBytes } from './header.ts';
import {
  type BaseFiles,
  bytesOf,
  codeOf,
  collected,
  entriesOf,
  equalRows,
  extremeRows,
  Folder,
  headerOf,
  highest,
  Model,
  overwrite,
  prefixedRows,
  type Random,
  randomRows,
  repeatedRows,
  type Row,
  rowsOf,
  valueOf,
  word,
} from './test-bench.ts';
import { verifyFile } from './verify-file.ts';

let folder: Folder;
beforeEach(() => {
  folder = new Folder();
});
afterEach(() => {
  folder.remove();
});

/** Fingerprints that differ from one that is there in one bit, and some that have nothing to do with any. */
function strangers(model: Model, random: Random): [number, number][] {
  const keys = model.keys().slice(0, 2000);
  const near = keys.map(([hi, lo]): [number, number] => {
    const bit = (1 << Math.floor(random() * 32)) >>> 0;
    return random() < 0.5 ? [(hi ^ bit) >>> 0, lo] : [hi, (lo ^ bit) >>> 0];
  });
  const far = Array.from({ length: 500 }, (): [number, number] => [word(random), word(random)]);
  return [...near, ...far, [0, 0], [0, highest], [highest, 0], [highest, highest]];
}

/** The keys of which the base does not say what the model says. */
function wrong(base: Base, model: Model, keys: readonly (readonly [number, number])[]): unknown[] {
  return keys.filter(([hi, lo]) => {
    const found = valueOf(base.search(hi, lo));
    const right = model.payloads(hi, lo);
    return found.length !== right.length || found.some((payload, at) => payload !== right[at]);
  });
}

function showsRight(rows: readonly Row[], random: Random): void {
  const base = folder.open(folder.write(entriesOf(rows)));
  const model = new Model(rows);
  expect(wrong(base, model, model.keys())).toEqual([]);
  expect(wrong(base, model, strangers(model, random))).toEqual([]);
  expect(rowsOf(collected(base.entries()))).toEqual(rowsOf(entriesOf(rows)));
}

describe('a base that was written and opened', () => {
  const sizes = [0, 1, 2, ...Array.from({ length: 68 }, (_, i) => 63 + i), 255, 256, 257, 1000, 20_000];
  test.each(sizes)('holds each of %i records, and no other', (size) => {
    const random = seeded(size + 1);
    showsRight(randomRows(size, random), random);
  });

  const kinds: [string, (random: Random) => Row[]][] = [
    ['many of one document, alike or not', (random) => repeatedRows(3000, random)],
    ['all of them the same', (random) => equalRows(500, random)],
    ['the first and last that there can be', extremeRows],
    ['the first and last among others', (random) => [...extremeRows(random), ...randomRows(5000, random)]],
    ['all under one prefix of 32 bits', (random) => prefixedRows(4000, random)],
    ['all under the lowest prefix', (random) => prefixedRows(1000, random, 0)],
    ['all under the highest prefix', (random) => prefixedRows(1000, random, highest)],
    [
      'thousands in one bucket, hundreds in few others',
      (random) => [
        ...prefixedRows(9000, random),
        ...prefixedRows(300, random),
        ...equalRows(200, random),
        ...randomRows(64, random),
      ],
    ],
    [
      'all in one slot of their bucket',
      (random) => randomRows(2000, random).map(([hi, ...rest]): Row => [0x5a00_0000 + (hi >>> 15), ...rest]),
    ],
  ];
  test.each(kinds)('holds records of which there are %s', (_, make) => {
    const random = seeded(11);
    showsRight(make(random), random);
  });

  test('says of itself what it was written with', () => {
    const header = headerOf(100, { edition: highest, date: 0, fingerprintKey: 'x'.repeat(62) });
    const { written, ...files } = folder.write(entriesOf(randomRows(100, seeded(3))), header);
    const base = folder.open(files);
    expect(base.header).toEqual(header);
    expect(base.bytes).toBe(written.fingerprints.bytes + written.payload.bytes);
    const { fingerprints, payload } = bytesOf(files);
    expect([fingerprints.length, payload.length]).toEqual([
      written.fingerprints.bytes,
      written.payload.bytes,
    ]);
  });

  test('gives its records in chunks of whole fingerprints, each on memory of its own', () => {
    const rows = repeatedRows(50_000, seeded(4));
    const chunks = [...folder.open(folder.write(entriesOf(rows))).entries()].map(valueOf);
    expect(chunks.length).toBeGreaterThan(2);
    chunks.forEach(({ hi }, at) => {
      expect(hi.length).toBeLessThanOrEqual(16_384);
      const before = chunks[at - 1];
      if (before !== undefined) expect(hi[0]).toBeGreaterThan(before.hi.at(-1) as number);
    });
    expect(
      new Set(chunks.flatMap(({ hi, lo, payload }) => [hi.buffer, lo.buffer, payload.buffer])).size,
    ).toBe(3 * chunks.length);
  });

  test('is not there again once it is closed', () => {
    const base = folder.open(folder.write(entriesOf(randomRows(200, seeded(5)))));
    const entries = base.entries();
    base.close();
    base.close();
    expect(() => base.search(1, 2)).toThrow('closed');
    expect(() => entries.next()).toThrow('closed');
  });

  test('takes 1.1 times the bits that a million random fingerprints have in them, at the most', () => {
    const count = 1_000_000;
    const random = seeded(6);
    const prints = new BigUint64Array(count);
    for (let at = 0; at < count; at++) prints[at] = (BigInt(word(random)) << 32n) | BigInt(word(random));
    const entries = makeEntries(count);
    prints.sort().forEach((print, at) => {
      entries.hi[at] = Number(print >> 32n);
      entries.lo[at] = Number(print & 0xffff_ffffn);
      entries.payload[at] = at;
    });
    const { written, ...files } = folder.write(entries, headerOf(count), 65_536);
    const bits = (8 * written.fingerprints.bytes) / count;
    expect(bits).toBeLessThanOrEqual(1.1 * (Math.log2(2 ** 64 / count) + 1.44));
    const base = folder.open(files);
    for (let at = 0; at < count; at += 997) {
      expect(valueOf(base.search(entries.hi[at] as number, entries.lo[at] as number))).toEqual([at]);
    }
  });
});

describe('a writer of a base', () => {
  test('makes the same bytes of the same records, whatever chunks they come in', () => {
    const entries = entriesOf(repeatedRows(2000, seeded(7)));
    const first = folder.write(entries);
    for (const size of [1, 63, 64, 65, 5000]) {
      const again = folder.write(entries, headerOf(2000), size);
      expect(again.written).toEqual(first.written);
      expect(bytesOf(again)).toEqual(bytesOf(first));
    }
  });

  test.each<[string, Row[][]]>([
    ['fingerprints', [[[5, 5, 1]], [[5, 4, 1]]]],
    ['upper halves', [[[5, 5, 1]], [[4, 9, 9]]]],
    ['payloads of one fingerprint', [[[5, 5, 2]], [[5, 5, 1]]]],
  ])('refuses %s out of order, within a chunk and between two', (_, chunks) => {
    const parts = chunks.map(entriesOf);
    const writer = new BaseWriter(folder.files(), headerOf(2));
    writer.add(parts[0] as Entries);
    writer.add(makeEntries(0));
    expect(() => writer.add(parts[1] as Entries)).toThrow(TypeError);
    writer.abandon();

    const both = makeEntries(2);
    parts.forEach(({ hi, lo, payload }, at) => {
      both.hi.set(hi, at);
      both.lo.set(lo, at);
      both.payload.set(payload, at);
    });
    const another = new BaseWriter(folder.files(), headerOf(2));
    expect(() => another.add(both)).toThrow('not in order');
    another.abandon();
  });

  test.each([0, 99, 101])('refuses to finish when 100 records came for %i', (count) => {
    const writer = new BaseWriter(folder.files(), headerOf(count));
    writer.add(entriesOf(randomRows(100, seeded(8))));
    expect(() => writer.finish()).toThrow(TypeError);
    writer.abandon();
  });

  test(`takes ${maxBucket} records into a bucket and says so when there is one more`, () => {
    const random = seeded(9);
    const rows = equalRows(maxBucket + 1, random);
    const [hi, lo, payload] = rows[0] as Row;
    const most = folder.open(folder.write(entriesOf(rows.slice(1))));
    expect(valueOf(most.search(hi, lo))).toEqual(Array.from({ length: maxBucket }, () => payload));
    const writer = new BaseWriter(folder.files(), headerOf(rows.length));
    expect(() => writer.add(entriesOf(rows))).toThrow(BucketFull);
    writer.abandon();
  });

  test('does not write over a file that is there, and leaves none open then', () => {
    const files = folder.files();
    writeFileSync(files.payload, 'here before');
    const before = openFiles().length;
    expect(() => new BaseWriter(files, headerOf(0))).toThrow('EEXIST');
    expect(openFiles()).toHaveLength(before);
  });
});

describe('the number of prefix bits', () => {
  test('leaves 64 to 128 fingerprints to a bucket on average', () => {
    expect([0, 1, 127].map(prefixBits)).toEqual([0, 0, 0]);
    for (const count of [128, 129, 255, 256, 1e6, 23e6, 1e8, 2 ** 31 - 1, 2 ** 31]) {
      const average = count / 2 ** prefixBits(count);
      expect(average, `${count} records`).toBeGreaterThanOrEqual(64);
      expect(average, `${count} records`).toBeLessThan(128);
    }
    expect(prefixBits(2 ** 32 - 1)).toBe(mostPrefixBits);
  });
});

/** A bucket bit by bit, as base-layout.ts describes it; its check is not looked at here. */
function bucketOfBits(prints: readonly bigint[], q: number): Buffer {
  const width = BigInt(25 - q);
  const rest = prints.map((print) => print & ((1n << BigInt(64 - q)) - 1n));
  let slots = '';
  for (let slot = 0n; slot < 128n; slot++) {
    slots += `${'1'.repeat(rest.filter((print) => print >> (32n + width) === slot).length)}0`;
  }
  const middles = rest.map((print) =>
    width === 0n ? '' : ((print >> 32n) & ((1n << width) - 1n)).toString(2).padStart(Number(width), '0'),
  );
  const ends = rest.map((print) => (print & 0xffff_ffffn).toString(16).padStart(8, '0'));
  const packed = [slots, middles.join('')].map((bits) =>
    Uint8Array.from(bits.match(/.{1,8}/g) ?? [], (byte) => Number.parseInt(byte.padEnd(8, '0'), 2)),
  );
  return Buffer.concat([Buffer.alloc(4), ...packed, Buffer.from(ends.join(''), 'hex')]);
}

describe('a bucket', () => {
  test.each(Array.from({ length: mostPrefixBits + 1 }, (_, q) => q))(
    'under a prefix of %i bits gives each of its fingerprints, and no other',
    (q) => {
      const random = seeded(q);
      const bucket = Math.floor(random() * 2 ** q);
      const inBucket = (): bigint => {
        const bits = (BigInt(word(random)) << 32n) | BigInt(word(random));
        return (BigInt(bucket) << BigInt(64 - q)) | (bits & ((1n << BigInt(64 - q)) - 1n));
      };
      for (const count of [1, 7, 8, 9, 90, 300]) {
        const first = BigInt(bucket) << BigInt(64 - q);
        const last = first | ((1n << BigInt(64 - q)) - 1n);
        const prints = [first, last, ...Array.from({ length: count }, inBucket)];
        // One of them three times, and runs that fill the first, some, or the last slot.
        prints.push(prints[2] as bigint, prints[2] as bigint);
        for (let near = 1n; near <= 20n; near++) prints.push(first | near, last - near, inBucket());
        prints.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
        const bytes = bucketOfBits(prints, q);
        expect(bytes).toHaveLength(bucketBytes(prints.length, q));
        expect(isWholeBucket(bytes, prints.length)).toBe(true);
        expect(isWholeBucket(bytes, prints.length + 1)).toBe(false);
        const columns = makeEntries(prints.length + 2);
        decodeBucket(bytes, bucket, prints.length, q, columns, 1);
        prints.forEach((print, at) => {
          expect((BigInt(columns.hi[at + 1] as number) << 32n) | BigInt(columns.lo[at + 1] as number)).toBe(
            print,
          );
        });
        for (const print of [
          ...prints,
          ...prints.map((print) => print ^ 1n),
          ...prints.map(() => inBucket()),
        ]) {
          const found = findInBucket(
            bytes,
            prints.length,
            q,
            Number(print >> 32n),
            Number(print & 0xffff_ffffn),
          );
          const from = prints.indexOf(print);
          expect(found).toEqual(
            from === -1 ? { from: 0, to: 0 } : { from, to: prints.lastIndexOf(print) + 1 },
          );
        }
      }
    },
  );
});

/** Files that this process has open in the test's folder, by their number. */
function openFiles(): [fd: number, file: string][] {
  return readdirSync('/proc/self/fd').flatMap((fd): [number, string][] => {
    try {
      const file = readlinkSync(`/proc/self/fd/${fd}`);
      return file.startsWith(folder.path) ? [[Number(fd), file]] : [];
    } catch {
      return [];
    }
  });
}

/** Several buckets, repeated fingerprints, the last block of payloads shorter than the others. */
function smallEdition(seed: number): { rows: Row[]; model: Model; keys: [number, number][] } {
  const random = seeded(seed);
  const rows = [...repeatedRows(140, random), ...randomRows(152, random), ...equalRows(8, random)];
  const model = new Model(rows);
  return { rows, model, keys: [...model.keys(), ...strangers(model, random).slice(-60)] };
}

/** Of how many keys the base cannot say; anything but the right answer or EDITION_DAMAGED fails the test. */
function doubts(base: Base, model: Model, keys: readonly (readonly [number, number])[]): number {
  let faults = 0;
  for (const [hi, lo] of keys) {
    const found = base.search(hi, lo);
    if (!found.ok) {
      if (found.fault.code !== 'EDITION_DAMAGED') throw new Error(found.fault.code);
      faults++;
      continue;
    }
    const right = model.payloads(hi, lo);
    if (found.value.length !== right.length || found.value.some((payload, at) => payload !== right[at])) {
      throw new Error(`a wrong answer: ${found.value.join()} in place of ${right.join()}`);
    }
  }
  return faults;
}

describe('a base that is damaged', () => {
  test.each(['fingerprints', 'payload'] as const)(
    'in any byte of its %s is refused when it is opened, or gives right answers and EDITION_DAMAGED only',
    (which) => {
      const { rows, model, keys } = smallEdition(21);
      const { written, ...files } = folder.write(entriesOf(rows));
      const whole = bytesOf(files)[which];
      const { leavesAt, tree } = written[which];
      let refused = 0;
      let doubtful = 0;
      for (let at = 0; at < whole.length; at++) {
        const byte = whole[at] as number;
        overwrite(files[which], Buffer.from([byte ^ (1 << (at & 7))]), at);
        expect(codeOf(verifyFile(files[which], tree)), `byte ${at}`).toBe('EDITION_DAMAGED');
        const opened = Base.open(files);
        if (opened.ok) {
          try {
            const faults = doubts(opened.value, model, keys);
            // What is looked at shows; leaf hashes are for `verifyFile` only.
            expect(faults > 0, `byte ${at}`).toBe(at < leavesAt);
            doubtful += faults > 0 ? 1 : 0;
            const all = [...opened.value.entries()];
            expect(codeOf(all.at(-1) as (typeof all)[number]), `byte ${at}`).toBe(
              at < leavesAt ? 'EDITION_DAMAGED' : undefined,
            );
          } finally {
            opened.value.close();
          }
        } else {
          expect(['EDITION_DAMAGED', 'EDITION_NEWER']).toContain(opened.fault.code);
          refused++;
        }
        overwrite(files[which], Buffer.from([byte]), at);
      }
      // Header and index are looked at when it is opened, all else when it is asked for.
      const index = which === 'fingerprints' ? 2 * 4 + 4 : 0;
      expect(refused).toBe(headerBytes + index);
      expect(refused + doubtful).toBe(leavesAt);
      expect(verifyFile(files[which], tree).ok).toBe(true);
      expect(doubts(folder.open(files), model, keys)).toBe(0);
    },
  );

  test.each(['fingerprints', 'payload'] as const)(
    'by its %s being cut off at any length is refused',
    (which) => {
      const { rows } = smallEdition(22);
      const files = folder.write(entriesOf(rows));
      for (let length = bytesOf(files)[which].length - 1; length >= 0; length--) {
        truncateSync(files[which], length);
        expect(codeOf(Base.open(files)), `${length} bytes`).toBe('EDITION_DAMAGED');
      }
      expect(openFiles()).toEqual([]);
    },
  );

  test.each(['fingerprints', 'payload'] as const)('by bytes behind the end of its %s is refused', (which) => {
    const files = folder.write(entriesOf(smallEdition(22).rows));
    const whole = bytesOf(files)[which];
    for (const more of [1, 31, 32, 33, 1000]) {
      writeFileSync(files[which], Buffer.concat([whole, Buffer.alloc(more)]));
      expect(codeOf(Base.open(files)), `${more} bytes more`).toBe('EDITION_DAMAGED');
    }
  });

  test.each<[string, Partial<EditionHeader>]>([
    ['number', { edition: 8 }],
    ['date', { date: 5 }],
    ['key', { fingerprintKey: 'UTO-2' }],
    ['secret', { fingerprintCheck: 'f'.repeat(16) }],
  ])('by a payload of another %s is refused', (_, other) => {
    const entries = entriesOf(smallEdition(23).rows);
    const files = folder.write(entries);
    const { payload } = folder.write(entries, headerOf(300, other));
    expect(codeOf(Base.open({ ...files, payload }))).toBe('EDITION_DAMAGED');
  });

  test('by a payload of another count, or one of its files in place of the other, is refused', () => {
    const files = folder.write(entriesOf(smallEdition(23).rows));
    const { payload } = folder.write(entriesOf(randomRows(299, seeded(1))));
    expect(codeOf(Base.open({ ...files, payload }))).toBe('EDITION_DAMAGED');
    const { fingerprints } = files;
    expect(codeOf(Base.open({ fingerprints, payload: fingerprints }))).toBe('EDITION_DAMAGED');
    expect(openFiles()).toEqual([]);
  });

  test('by a bucket that stands where its neighbour should is never a wrong answer', () => {
    const random = seeded(24);
    // As many in each of the four buckets, so that they are as long as each other.
    const rows = Array.from({ length: 300 }, (_, at): Row => [
      ((at & 3) * 2 ** 30 + word(random) / 4) >>> 0,
      word(random),
      at,
    ]);
    const files = folder.write(entriesOf(rows));
    const length = bucketBytes(75, 2);
    const second = bytesOf(files).fingerprints.subarray(headerBytes + length, headerBytes + 2 * length);
    overwrite(files.fingerprints, second, headerBytes);
    const model = new Model(rows);
    expect(doubts(folder.open(files), model, model.keys())).toBe(75);
  });

  test('by the file of another edition of the same size is found when it is verified', () => {
    const one = folder.write(entriesOf(randomRows(100, seeded(25))));
    const other = folder.write(entriesOf(randomRows(100, seeded(26))));
    for (const which of ['fingerprints', 'payload'] as const) {
      expect(other.written[which].bytes).toBe(one.written[which].bytes);
      expect(codeOf(verifyFile(other[which], one.written[which].tree))).toBe('EDITION_DAMAGED');
    }
  });

  test('by a file that is not there is an error of the system, and leaves the other closed', () => {
    const files = folder.write(entriesOf([]));
    expect(() => Base.open({ ...files, payload: `${files.payload}.gone` })).toThrow('ENOENT');
    expect(() => Base.open({ ...files, fingerprints: `${files.fingerprints}.gone` })).toThrow('ENOENT');
    expect(openFiles()).toEqual([]);
  });
});

describe('a disk that cannot be read', () => {
  const opened = (): { files: BaseFiles; base: Base; model: Model; keys: [number, number][] } => {
    const { rows, model, keys } = smallEdition(31);
    const files = folder.write(entriesOf(rows));
    return { files, base: folder.open(files), model, keys };
  };

  test.each(['fingerprints', 'payload'] as const)(
    'gives EDITION_DAMAGED and never an empty list when the file of the %s has become shorter',
    (which) => {
      const { files, base, model, keys } = opened();
      let before = 0;
      for (let length = bytesOf(files)[which].length - 1; length > 0; length -= 97) {
        truncateSync(files[which], length);
        const faults = doubts(base, model, keys);
        expect(faults).toBeGreaterThanOrEqual(before);
        before = faults;
      }
      truncateSync(files[which], 0);
      // Without its payload a base still knows who is not in it.
      const known =
        which === 'payload' ? keys.filter(([hi, lo]) => model.payloads(hi, lo).length === 0).length : 0;
      expect(doubts(base, model, keys)).toBe(keys.length - known);
      expect([...base.entries()].map(codeOf)).toEqual(['EDITION_DAMAGED']);
    },
  );

  test('gives EDITION_DAMAGED and never an empty list when reading fails', () => {
    const { rows, model, keys } = smallEdition(32);
    const files = folder.write(entriesOf(rows));
    const base = valueOf(Base.open(files));
    // Closed behind its back: every read is an error of the system from here on.
    for (const [fd] of openFiles()) closeSync(fd);
    expect(doubts(base, model, keys)).toBe(keys.length);
    expect([...base.entries()].map(codeOf)).toEqual(['EDITION_DAMAGED']);
  });
});
