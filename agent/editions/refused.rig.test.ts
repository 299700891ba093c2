import { cpSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { createSecretKey } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { wall } from '#contracts/units.ts';
import { recordOf, TestRepository } from '#test/rigs/edition-repository.ts';
import { EditionBench, numbers } from '#test/rigs/edition-bench.ts';

const bench = new EditionBench();
const { at, open, renew, kinds, edition, refusals } = bench;

describe('what is not as it was signed', () => {
  /** Spoils every file of the repository that fits, in a copy of it. */
  function spoiled(fits: RegExp, spoil: (file: string) => void): string {
    const copy = at(`copy-${Math.random()}`);
    cpSync(at('repository'), copy, { recursive: true });
    let done = 0;
    for (const name of readdirSync(copy, { recursive: true, encoding: 'utf8' })) {
      if (!fits.test(name) || !statSync(join(copy, name)).isFile()) continue;
      spoil(join(copy, name));
      done++;
    }
    expect(done).toBeGreaterThan(0);
    return copy;
  }
  const flip = (file: string): void => {
    const bytes = readFileSync(file);
    bytes[Math.floor(bytes.length / 2)] = (bytes[Math.floor(bytes.length / 2)] ?? 0) ^ 1;
    rmSync(file);
    writeFileSync(file, bytes);
  };
  const cut = (file: string): void => {
    const bytes = readFileSync(file);
    rmSync(file);
    writeFileSync(file, bytes);
    truncateSync(file, bytes.length - 1);
  };

  test.each([
    ['a delta with one bit flipped', /targets.*delta$/, flip, 'EDITION_DAMAGED'],
    ['a delta that is cut off', /targets.*delta$/, cut, 'EDITION_DAMAGED'],
    ['the targets with one bit flipped', /metadata.*\d\.targets/, flip, /TRUST_/],
    ['a snapshot that is cut off', /metadata.*\d\.snapshot/, cut, /TRUST_/],
  ])('%s is refused by its name, told, and the edition in use stays in use', async (_, fits, spoil, code) => {
    await bench.repository.publish([recordOf('A1')]);
    await open();
    await renew();
    await bench.repository.publish([recordOf('A2')]);
    await renew(spoiled(fits, spoil));
    expect([edition(), kinds('A1'), kinds('A2')]).toEqual([1, ['stolen'], []]);
    expect(refusals()).toHaveLength(1);
    expect(refusals()[0]).toMatch(code);
    expect(bench.terminal?.state().refused?.code).toMatch(code);
    // The sound one is taken all the same.
    await renew();
    expect([edition(), bench.terminal?.state().refused]).toEqual([2, undefined]);
  });

  test.each([
    ['fingerprints with one bit flipped', /base\.fingerprints$/, flip],
    ['payload that is cut off', /base\.payload$/, cut],
  ])(
    'a base whose %s leaves the bench.terminal without one, and the sound one is taken',
    async (_, fits, spoil) => {
      await bench.repository.publish(numbers(300));
      await open();
      await renew(spoiled(new RegExp(`targets.*${fits.source}`), spoil));
      expect([bench.terminal?.current(), ...refusals()]).toEqual([undefined, 'EDITION_DAMAGED']);
      await renew();
      expect([edition(), kinds('N0000001')]).toEqual([1, ['stolen']]);
    },
  );

  test('a base and deltas of another bureau are refused, and so is a stick that is older than what is believed', async () => {
    await bench.repository.publish([recordOf('A1')]);
    await bench.repository.stick(at('old'));
    await bench.repository.publish([recordOf('A2')]);
    const other = new TestRepository(at('other'));
    await other.publish([recordOf('B1')]);
    await open();
    await renew();
    await renew(at('other'));
    await renew(at('old'));
    expect(refusals()).toEqual(['TRUST_UNSIGNED', 'TRUST_OLDER']);
    expect([edition(), kinds('A2')]).toEqual([2, ['stolen']]);
  });

  test('a stick whose description has expired is refused', async () => {
    await bench.repository.publish([recordOf('A1')]);
    await open();
    bench.repository.now = wall(bench.repository.now + 91 * 86_400_000);
    await renew();
    expect([refusals(), bench.terminal?.current()]).toEqual([['TRUST_EXPIRED'], undefined]);
  });

  test('an edition of another fingerprint key is refused: it would find nothing and say so of everything', async () => {
    await bench.repository.publish([recordOf('A1')]);
    await open({ secret: { id: '1', key: createSecretKey(Buffer.alloc(32, 8)) } });
    await renew();
    expect([refusals(), bench.terminal?.current()]).toEqual([['EDITION_FOREIGN'], undefined]);
    expect(readdirSync(at('terminal/bases'))).toEqual([]);
  });
});
