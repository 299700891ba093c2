import { describe, expect, test } from 'vitest';
import { readListing } from './readback.ts';

const element = (address: string, expires: number) => ({
  elem: { val: { concat: [address, 'tcp', 443] }, timeout: 60, expires },
});

/** As `nft --json list table` prints it (nft 1.0.6), with what changes by itself as an argument. */
function listing({
  handle = 1,
  packets = 0,
  hubs = ['198.51.100.7', '198.51.100.8'],
  timed = [element('192.0.2.9', 9)] as unknown[],
  verdict = 'drop',
} = {}) {
  return JSON.stringify({
    nftables: [
      { metainfo: { version: '1.0.6' } },
      { table: { family: 'inet', name: 'checkpost', handle } },
      { set: { name: 'hubs4', handle, elem: hubs.map((hub) => ({ concat: [hub, 51_820] })) } },
      {
        set: {
          name: 'enrolment4',
          handle,
          flags: ['timeout'],
          ...(timed.length === 0 ? {} : { elem: timed }),
        },
      },
      { chain: { name: 'output', handle, hook: 'output', policy: 'drop' } },
      {
        rule: {
          chain: 'output',
          handle,
          expr: [{ counter: { packets, bytes: packets } }, { [verdict]: null }],
        },
      },
    ],
  });
}
function digest(given: Parameters<typeof listing>[0] = {}): string {
  const read = readListing(listing(given));
  if (!read.ok) throw new Error(read.fault.detail);
  return read.value.digest;
}

describe('What the kernel holds', () => {
  test('is the same whatever was counted, numbered, ordered otherwise or has run out', () => {
    const before = digest();
    expect(digest({ handle: 7 })).toBe(before);
    expect(digest({ packets: 99 })).toBe(before);
    expect(digest({ hubs: ['198.51.100.8', '198.51.100.7'] })).toBe(before);
    expect(digest({ timed: [] })).toBe(before);
    expect(digest({ timed: [element('192.0.2.9', 3), element('192.0.2.10', 3)] })).toBe(before);
  });

  test('is another with another verdict, another hub, or something in a timed set that never runs out', () => {
    const before = digest();
    expect(digest({ verdict: 'accept' })).not.toBe(before);
    expect(digest({ hubs: ['198.51.100.7'] })).not.toBe(before);
    expect(digest({ timed: [{ concat: ['192.0.2.9', 'tcp', 443] }] })).not.toBe(before);
  });

  test('tells how many rules there are, and what is open for how long', () => {
    const read = readListing(listing());
    expect(read).toMatchObject({
      ok: true,
      value: {
        rules: 1,
        open: [
          { mode: 'enrolment', target: { address: '192.0.2.9', protocol: 'tcp', port: 443 }, seconds: 9 },
        ],
      },
    });
  });

  test.each(['', 'nonsense', '[]', '{}', '{"nftables": 1}', '{"nftables": [1]}', 'null'])(
    'is a fault where nft prints %o',
    (text) => {
      expect(readListing(text)).toMatchObject({ ok: false, fault: { code: 'FIREWALL_FAILED' } });
    },
  );
});
