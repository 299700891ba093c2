import { createPrivateKey } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fingerprintKeyContext, type FingerprintKeys } from '#contracts/fingerprint-keys.ts';
import { unwrap } from '#formats/sealed.ts';
import { rotateFingerprint } from '#provisioning/index.ts';
import { type Bureau, makeBureau, valueOf } from '#test/rigs/bureau.ts';
import { killedAt } from '#test/rigs/killed-at.ts';
import { requires } from '#test/rigs/requirements.ts';

const without = requires({ test: 'a rotation that is killed at any write', tools: ['strace'] });
const specimens = resolve(import.meta.dirname, '../central/publisher/specimens.csv');

describe.skipIf(without !== undefined)('a rotation that is killed while it writes', () => {
  let bureau: Bureau;
  const terminals = ['UTO-0001-1', 'UTO-0001-2'];

  beforeAll(async () => {
    bureau = await makeBureau();
    await bureau.enrolled(1);
    await bureau.enrolled(2);
    const publish = ['edition', 'publish', '--csv', specimens, '--authority', bureau.authority.dir];
    expect(killedAt('rename', 1000, [...publish, '--repository', bureau.at('repository')])).toBe(false);
  });
  afterAll(() => bureau.close());

  const idIn = (...path: string[]): string => {
    return (JSON.parse(readFileSync(join(...path), 'utf8')) as { id: string }).id;
  };

  /** The secrets that a terminal can open in this repository, by their ids. */
  function opened(folder: string, terminal: string): ReadonlyMap<string, string> {
    const file = join(folder, 'repository', 'keys', `${terminal}.json`);
    if (!existsSync(file)) return new Map();
    const { payload } = JSON.parse(readFileSync(file, 'utf8')) as { payload: string };
    const { keys } = JSON.parse(Buffer.from(payload, 'base64').toString()) as FingerprintKeys;
    const own = createPrivateKey(
      readFileSync(bureau.at(`terminal-${terminal.at(-1)}`, 'keys', 'wrapping.pem')),
    );
    return new Map(
      keys.map(({ id, wrapped }) => {
        const plain = valueOf(unwrap(own, fingerprintKeyContext(terminal, id), wrapped));
        return [id, (JSON.parse(plain.toString()) as { secret: string }).secret];
      }),
    );
  }

  /** Whoever publishes now makes an edition that every terminal can open. */
  function everybodyCanFollow(folder: string): void {
    const file = join(folder, 'authority', 'keys', 'fingerprint.json');
    const present = JSON.parse(readFileSync(file, 'utf8')) as { id: string; secret: string };
    for (const terminal of terminals) {
      const enrolled = join(bureau.at(`terminal-${terminal.at(-1)}`), 'keys', 'fingerprint.json');
      const held = JSON.parse(readFileSync(enrolled, 'utf8')) as { id: string; secret: string };
      const secret = held.id === present.id ? held.secret : opened(folder, terminal).get(present.id);
      expect(secret, `${terminal}, key ${present.id}`).toBe(present.secret);
    }
  }

  test.each(['rename', 'fsync'])(
    'at any %s, the present key is one that every terminal can get, and the same command goes on',
    async (call) => {
      const work = bureau.at('work');
      let n = 1;
      for (; ; n++) {
        rmSync(work, { recursive: true, force: true });
        for (const name of ['authority', 'repository']) {
          cpSync(bureau.at(name), join(work, name), { recursive: true });
        }
        const [dir, repository] = [join(work, 'authority'), join(work, 'repository')];
        const rotate = ['authority', 'rotate-fingerprint', '--dir', dir, '--repository', repository];
        if (!killedAt(call, n, rotate)) break;
        everybodyCanFollow(work);
        const before = idIn(dir, 'keys', 'fingerprint.json');
        const order = { dir, repository, publishedWith: '1', again: false };
        const { key } = valueOf(await rotateFingerprint(order, bureau.parts));
        // One that had come to its end has made its key; another one costs nothing.
        expect(key).toBe(before === '1' ? '2' : '3');
        everybodyCanFollow(work);
        expect([...opened(work, 'UTO-0001-1').keys()]).toContain('1');
        const left = ['authority/keys', 'repository/keys'].flatMap((name) => readdirSync(join(work, name)));
        expect(left.filter((name) => name.endsWith('.new') || name.includes('next'))).toEqual([]);
      }
      expect(n).toBeGreaterThan(6);
    },
    240_000,
  );
});
