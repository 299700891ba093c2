import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { payloadOf, reportsOf } from './hid-report.ts';

const report = (length: number, text: string): Uint8Array => {
  const bytes = new Uint8Array(64);
  bytes[0] = length;
  bytes.set(Buffer.from(text), 1);
  return bytes;
};

describe('what a report holds', () => {
  test('The first byte says how many of the bytes after it count', () => {
    expect(Buffer.from(payloadOf(report(5, 'P<UTOERIKSSON'))).toString()).toBe('P<UTO');
  });

  test('Bit 7 of the length is a flow flag and no part of it', () => {
    expect(Buffer.from(payloadOf(report(0x85, 'P<UTOERIKSSON'))).toString()).toBe('P<UTO');
  });

  test.each([
    ['a report of zeros', new Uint8Array(64)],
    ['a report with the flow flag alone', report(0x80, 'P<UTO')],
    ['an empty report', new Uint8Array(0)],
    ['a report of a length alone', Uint8Array.of(7)],
  ])('%s holds nothing', (_, bytes) => {
    expect(payloadOf(bytes)).toHaveLength(0);
  });

  test('Whatever comes, it never throws and never gives more than the report holds or says', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const payload = payloadOf(bytes);
        expect(payload.length).toBeLessThanOrEqual(Math.max(0, bytes.length - 1));
        expect(payload.length).toBeLessThanOrEqual((bytes[0] ?? 0) & 0x7f);
        expect([...payload]).toEqual(Array.from(bytes.subarray(1, 1 + payload.length)));
      }),
    );
  });

  test('What it gives stays the same when the buffer that it came in is used again', () => {
    const bytes = report(3, 'UTO');
    const payload = payloadOf(bytes);
    bytes.fill(0);
    expect(Buffer.from(payload).toString()).toBe('UTO');
  });
});

describe('what is sent', () => {
  test('A command is one report: id, length, bytes, zeros up to 64', () => {
    const [only, ...others] = reportsOf(Uint8Array.of(0x1b, 0x42));
    expect(others).toEqual([]);
    expect([...(only ?? [])]).toEqual([0, 2, 0x1b, 0x42, ...Array.from({ length: 61 }, () => 0)]);
  });

  test('A longer one is split, and its parts are what was sent, whatever it is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        const reports = reportsOf(bytes);
        expect(reports).toHaveLength(Math.ceil(bytes.length / 63));
        for (const one of reports) expect([one.length, one[0]]).toEqual([65, 0]);
        expect(reports.flatMap((one) => [...payloadOf(one.subarray(1))])).toEqual([...bytes]);
      }),
    );
  });
});
