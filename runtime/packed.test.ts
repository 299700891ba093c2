import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { bytes } from '#contracts/units.ts';
import { pack, unpack } from './packed.ts';

const long = JSON.stringify(Array.from({ length: 200 }, (_, i) => ({ kind: 'audit-head', entry: i })));

describe('a text on the line', () => {
  test('goes as it is while it is short, and shorter than it was when it is long', () => {
    expect(pack('{"v":1}').toString()).toBe('{"v":1}');
    expect(pack(long).length).toBeLessThan(long.length / 5);
  });

  test('comes back as it was, in any script', () => {
    for (const text of ['', '{}', long, JSON.stringify('пост Достук '.repeat(100))])
      expect(unpack(pack(text))).toEqual({ ok: true, value: text });
  });

  test('goes as it is where packing would make it longer', () => {
    const random = Array.from({ length: 600 }, (_, i) =>
      String.fromCodePoint(0x4e00 + ((i * 7919) % 20_000)),
    );
    const text = random.join('');
    expect(pack(text).length).toBeLessThanOrEqual(Buffer.byteLength(text));
  });
});

describe('what is refused', () => {
  const refused = (packed: Uint8Array, longest?: number): string => {
    const result = longest === undefined ? unpack(packed) : unpack(packed, bytes(longest));
    return result.ok ? 'taken' : `${result.fault.code} ${result.fault.detail}`;
  };

  test('a few bytes that would unpack to a gigabyte are refused before they take the memory', () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1_048_576));
    const before = process.memoryUsage().arrayBuffers;
    expect(bomb.length).toBeLessThan(70_000);
    expect(refused(bomb)).toBe('MESSAGE_INVALID It is longer than 1048576 bytes.');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8_388_608);
  });

  test('so are many members after one another, a text that is too long unpacked, and one at the limit is taken', () => {
    const member = gzipSync(Buffer.alloc(600_000));
    expect(refused(Buffer.concat([member, member]))).toContain('longer than');
    expect(refused(Buffer.from('x'.repeat(11)), 10)).toContain('longer than 10');
    expect(refused(Buffer.from('x'.repeat(10)), 10)).toBe('taken');
  });

  test('so is what begins like gzip and is none, what is cut, and what is not UTF-8', () => {
    expect(refused(Buffer.from([0x1f, 0x8b, 1, 2]))).toBe('MESSAGE_INVALID It cannot be unpacked.');
    expect(refused(pack(long).subarray(0, 60))).toContain('cannot be unpacked');
    expect(refused(Buffer.from([0x22, 0xff, 0x22]))).toBe('MESSAGE_INVALID It is not UTF-8.');
    expect(refused(gzipSync(Buffer.from([0xff])))).toBe('MESSAGE_INVALID It is not UTF-8.');
  });
});
