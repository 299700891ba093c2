import { describe, expect, test } from 'vitest';
import type { EditionTarget, NamedTarget } from '#contracts/edition-target.ts';
import { codeOf, makeTarget, now, TestRepository, value } from './fixtures/repository.ts';
import {
  acceptRoot,
  acceptSnapshot,
  acceptTargets,
  acceptTimestamp,
  makeTargets,
  openTrust,
} from './index.ts';

const repository = new TestRepository();
const start = repository.enrolled();
const files = repository.publish();
const stamped = value(acceptTimestamp(start, files.timestamp, now));
const snapped = value(acceptSnapshot(stamped, files.snapshot, now));

describe('A damaged file', () => {
  test('is refused, whichever bit of the timestamp is another', () => {
    for (let at = 0; at < files.timestamp.length; at++) {
      for (let bit = 1; bit < 256; bit <<= 1) {
        const changed = Buffer.from(files.timestamp);
        changed[at] = (changed[at] ?? 0) ^ bit;
        expect(codeOf(acceptTimestamp(start, changed, now))).toMatch(/^TRUST_(DAMAGED|UNSIGNED)$/);
      }
    }
  });

  test('is refused wherever it ends', () => {
    for (let length = 0; length < files.timestamp.length; length++) {
      expect(codeOf(acceptTimestamp(start, files.timestamp.subarray(0, length), now))).toBe('TRUST_DAMAGED');
    }
    expect(codeOf(acceptSnapshot(stamped, files.snapshot.subarray(0, -1), now))).toBe('TRUST_DAMAGED');
    expect(codeOf(acceptTargets(snapped, files.targets.subarray(0, -1), now))).toBe('TRUST_DAMAGED');
    expect(codeOf(acceptRoot(start, repository.file('1.root.json').subarray(0, -1)))).toBe('TRUST_DAMAGED');
    expect(codeOf(openTrust({ root: repository.file('1.root.json').subarray(0, -1) }))).toBe('TRUST_DAMAGED');
  });

  test.each([
    '',
    'null',
    '[]',
    '{}',
    '{"signatures":[],"signed":{}}',
    '"x"',
    '\u{FEFF}{}',
    '['.repeat(16_000),
  ])('is refused if it is JSON of something else or none', (text) => {
    expect(codeOf(acceptTimestamp(start, Buffer.from(text), now))).toBe('TRUST_DAMAGED');
  });

  test('is refused if it is not UTF-8, also where nobody reads it', () => {
    const text = files.timestamp.toString('latin1').replace('"version":1', '"note":"\u00ff","version":1');
    expect(codeOf(acceptTimestamp(start, Buffer.from(text, 'latin1'), now))).toBe('TRUST_DAMAGED');
  });

  test('is refused if it is the file of another role', () => {
    expect(codeOf(acceptTimestamp(start, files.snapshot, now))).toBe('TRUST_DAMAGED');
    expect(codeOf(acceptRoot(start, files.targets))).toBe('TRUST_DAMAGED');
  });

  test('is not read if it is longer than its role allows, and the detail does not repeat it', () => {
    const long = Buffer.concat([files.timestamp, Buffer.alloc(16_384, 0x20)]);
    expect(codeOf(acceptTimestamp(start, long, now))).toBe('TRUST_DAMAGED');
    const name = 'x'.repeat(100_000);
    const result = acceptTargets(
      snapped,
      Buffer.from(`{"signatures":[],"signed":{"targets":{"${name}":1}}}`),
      now,
    );
    expect(codeOf(result)).toBe('TRUST_DAMAGED');
    expect(result.ok ? '' : result.fault.detail.length).toBeLessThan(600);
  });
});

describe('A file of the right form with a wrong content', () => {
  const changed = (file: Buffer, from: string | RegExp, to: string): Buffer => {
    const text = file.toString().replace(from, to);
    expect(text).not.toBe(file.toString());
    return Buffer.from(text);
  };

  test.each([
    ['a day that does not exist', /"expires":"[^"]*"/, '"expires":"2027-02-31T00:00:00Z"'],
    ['no date at all', /"expires":"[^"]*"/, '"expires":"tomorrow"'],
    ['version 0', /"version":1,"expires"/, '"version":0,"expires"'],
    ['half a version', /"version":1,"expires"/, '"version":1.5,"expires"'],
    ['another specification', '"spec_version":"1.', '"spec_version":"2.'],
    ['a longer snapshot than is read', /"length":\d+/, '"length":65537'],
    ['no hash', /"hashes":\{[^}]*\}/, '"hashes":{}'],
  ])('is refused before its signatures are looked at: %s', (_, from, to) => {
    expect(codeOf(acceptTimestamp(start, changed(files.timestamp, from, to), now))).toBe('TRUST_DAMAGED');
  });

  test('is refused if it is a root that lists a key under another id, under which it would count again', () => {
    const root = JSON.parse(repository.file('1.root.json').toString()) as {
      signed: { keys: Record<string, unknown>; roles: { root: { keyids: string[] } } };
    };
    const [id = ''] = root.signed.roles.root.keyids;
    root.signed.keys['0'.repeat(64)] = root.signed.keys[id];
    root.signed.roles.root.keyids.push('0'.repeat(64));
    expect(codeOf(acceptRoot(start, Buffer.from(JSON.stringify(root))))).toBe('TRUST_DAMAGED');
  });

  test('is refused if it is targets that name what is no file of an edition', () => {
    const [signer] = repository.keys.targets;
    const target = makeTarget(3, 'delta');
    const strangers: NamedTarget[] = [
      { ...target, name: 'sltd/4/delta' },
      { ...target, name: '../sltd/3/delta' },
      { ...target, about: { ...target.about, part: 'release' } as unknown as EditionTarget },
      { ...target, sha256: 'unknown' },
      { ...target, bytes: -1 },
    ];
    for (const stranger of strangers) {
      // The library itself refuses to write some of these.
      const bytes = (): Buffer =>
        makeTargets({ version: 1, expires: now, targets: [stranger] }, signer === undefined ? [] : [signer]);
      if (stranger.bytes < 0) expect(bytes).toThrow();
      else expect(codeOf(acceptTargets(snapped, bytes(), now))).toBe('TRUST_DAMAGED');
    }
  });

  test('is refused if it is targets that delegate', () => {
    const delegating = changed(
      files.targets,
      '"targets":{',
      '"delegations":{"keys":{},"roles":[]},"targets":{',
    );
    expect(codeOf(acceptTargets(snapped, delegating, now))).toBe('TRUST_DAMAGED');
  });
});
