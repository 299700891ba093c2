import { createPrivateKey } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fingerprintKeyContext, FingerprintKeys, fingerprintKeysType } from '#contracts/fingerprint-keys.ts';
import { openEnvelope, readTrustedKey, type TrustedKeyFile } from '#formats/envelope.ts';
import { unwrap } from '#formats/sealed.ts';
import { revoke, type Rotated, rotateFingerprint } from '#provisioning/index.ts';
import { parseJson } from '#runtime/parse.ts';
import { type Bureau, faultOf, makeBureau, valueOf } from '#test/rigs/bureau.ts';

let bureau: Bureau;
beforeEach(async () => {
  bureau = await makeBureau();
  mkdirSync(bureau.at('repository', 'metadata'), { recursive: true });
  writeFileSync(bureau.at('repository', 'metadata', '1.root.json'), read('authority', 'editions-root.json'));
});
afterEach(() => bureau.close());

const read = (...names: string[]): string => readFileSync(bureau.at(...names), 'utf8');
const secret = (name: string): unknown => JSON.parse(read('authority', 'keys', `${name}.json`));
const handedOut = (): string[] => readdirSync(bureau.at('repository', 'keys')).sort();

async function rotate(publishedWith = '1', again = false): Promise<Rotated> {
  const order = { ...bureau.authority, repository: bureau.at('repository'), publishedWith, again };
  return valueOf(await rotateFingerprint(order, bureau.parts));
}

/** The keys that a terminal finds in the repository, believed and opened with what enrolment left on it. */
function keysFor(terminal: string, state: string): unknown[] {
  const trusted = (JSON.parse(read(state, 'keys', 'trusted.json')) as { keys: TrustedKeyFile[] }).keys;
  const { payload } = valueOf(
    openEnvelope(JSON.parse(read('repository', 'keys', `${terminal}.json`)), {
      payloadType: fingerprintKeysType,
      role: 'editions',
      trusted: trusted.map(readTrustedKey),
    }),
  );
  const file = valueOf(parseJson(FingerprintKeys, payload.toString(), 'ENVELOPE_INVALID'));
  expect(file.terminal).toBe(terminal);
  const own = createPrivateKey(read(state, 'keys', 'wrapping.pem'));
  return file.keys.map(({ id, wrapped }) =>
    JSON.parse(valueOf(unwrap(own, fingerprintKeyContext(terminal, id), wrapped)).toString()),
  );
}

describe('the next fingerprint key', () => {
  test('is the present one after it lies in the repository for each terminal, wrapped to it, with the one before', async () => {
    await bureau.enrolled(1);
    await bureau.enrolled(2);
    const first = secret('fingerprint');
    expect(await rotate()).toEqual({
      key: '2',
      continued: false,
      given: ['UTO-0001-1', 'UTO-0001-2'],
      without: [],
    });
    const second = secret('fingerprint');
    expect(second).toMatchObject({ id: '2' });
    expect(second).not.toMatchObject({ secret: (first as { secret: string }).secret });
    expect(secret('fingerprint-1')).toEqual(first);
    expect(keysFor('UTO-0001-1', 'terminal-1')).toEqual([second, first]);
    expect(keysFor('UTO-0001-2', 'terminal-2')).toEqual([second, first]);
    expect(() => keysFor('UTO-0001-2', 'terminal-1')).toThrow('SEAL_BROKEN');
    // What is wrapped lies in clear nowhere in the repository.
    const all = handedOut().map((name) => read('repository', 'keys', name));
    const clear = (second as { secret: string }).secret;
    expect(all.filter((text) => text.includes(clear))).toEqual([]);
    expect(existsSync(bureau.at('authority', 'keys', 'fingerprint-next.json'))).toBe(false);
    for (const name of ['fingerprint', 'fingerprint-1', 'fingerprint-before']) {
      expect(statSync(bureau.at('authority', 'keys', `${name}.json`)).mode & 0o077).toBe(0);
    }
  });

  test('comes with the key that editions were made with, however many keys were made since', async () => {
    await bureau.enrolled(1);
    const first = secret('fingerprint');
    await rotate();
    const second = secret('fingerprint');
    expect(await rotate('1')).toMatchObject({ key: '3', continued: false });
    expect(keysFor('UTO-0001-1', 'terminal-1')).toEqual([secret('fingerprint'), second, first]);
    expect([secret('fingerprint-1'), secret('fingerprint-2')]).toEqual([first, second]);
    const third = secret('fingerprint');
    expect(await rotate('3')).toMatchObject({ key: '4' });
    expect(keysFor('UTO-0001-1', 'terminal-1')).toEqual([secret('fingerprint'), third]);
  });

  test('is not for a terminal that was revoked, and what lay there for it goes', async () => {
    await bureau.enrolled(1);
    await bureau.enrolled(2);
    await rotate();
    valueOf(await revoke({ ...bureau.authority, terminal: 'UTO-0001-1' }, bureau.parts));
    expect(await rotate('2')).toMatchObject({ given: ['UTO-0001-2'], without: [] });
    expect(handedOut()).toEqual(['UTO-0001-2.json']);
  });

  test('cannot be given to a terminal that an older release enrolled: it is named, until it is enrolled again', async () => {
    await bureau.enrolled(1);
    // As the migration finds terminals of the release before.
    const database = new Database(bureau.at('authority', 'authority.db'));
    database.exec('UPDATE terminals SET wrapping_key = NULL');
    database.close();
    await bureau.enrolled(2);
    expect(await rotate()).toMatchObject({ given: ['UTO-0001-2'], without: ['UTO-0001-1'] });
    await bureau.enrolled(1);
    expect(await rotate('1', true)).toMatchObject({
      key: '2',
      given: ['UTO-0001-1', 'UTO-0001-2'],
      without: [],
    });
  });

  test('and the one before come with the enrolment of a terminal while editions are of the one before', async () => {
    await rotate();
    await bureau.enrolled(1);
    const onTerminal = (name: string): unknown => JSON.parse(read('terminal-1', 'keys', `${name}.json`));
    expect(onTerminal('fingerprint')).toEqual(secret('fingerprint'));
    expect(onTerminal('fingerprint-before')).toEqual(secret('fingerprint-1'));
    expect(statSync(bureau.at('terminal-1', 'keys', 'wrapping.pem')).mode & 0o077).toBe(0);
  });

  test('has a higher number than any that the repository knows, where the authority came out of a backup', async () => {
    expect(await rotate('7')).toMatchObject({ key: '8' });
  });

  test('is handed out again without a new one being made', async () => {
    await bureau.enrolled(1);
    await rotate();
    const second = secret('fingerprint');
    rmSync(bureau.at('repository', 'keys'), { recursive: true });
    expect(await rotate('2', true)).toMatchObject({ key: '2', given: ['UTO-0001-1'] });
    expect(secret('fingerprint')).toEqual(second);
    expect(keysFor('UTO-0001-1', 'terminal-1')).toEqual([second]);
  });
});

test('A key that could not be handed out is not the present one, and the next attempt goes on with the same', async () => {
  await bureau.enrolled(1);
  const first = secret('fingerprint');
  writeFileSync(bureau.at('repository', 'keys'), 'in the way');
  await expect(rotate()).rejects.toThrow('FILE_REFUSED');
  expect(secret('fingerprint')).toEqual(first);
  const begun = secret('fingerprint-next');
  rmSync(bureau.at('repository', 'keys'));
  // Whoever is enrolled in between is handed it too.
  await bureau.enrolled(2);
  expect(await rotate()).toEqual({
    key: '2',
    continued: true,
    given: ['UTO-0001-1', 'UTO-0001-2'],
    without: [],
  });
  expect(secret('fingerprint')).toEqual(begun);
});

test('Nothing is made for a folder that is no repository, or that is another bureau’s', async () => {
  writeFileSync(bureau.at('repository', 'metadata', '1.root.json'), '{}');
  for (const folder of ['repository', 'nowhere']) {
    const order = {
      ...bureau.authority,
      repository: bureau.at(folder),
      publishedWith: '1',
      again: false,
    };
    expect(faultOf(await rotateFingerprint(order, bureau.parts))).toBe('REPOSITORY_ABSENT');
  }
  expect(secret('fingerprint')).toMatchObject({ id: '1' });
  expect(existsSync(bureau.at('authority', 'keys', 'fingerprint-next.json'))).toBe(false);
});
