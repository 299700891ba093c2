import { createSecretKey, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { searchKey, type SearchKey } from '#contracts/search-key.ts';
import { encodeEdition, trustedSigner } from '#formats/edition.ts';
import { createLog } from '#runtime/log.ts';
import { TestClock } from '#runtime/test-clock.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { type EditionWatch, openEdition, watchEdition } from './index.ts';

const fingerprint = { id: '1', key: createSecretKey(Buffer.alloc(32, 1)) };
const signer = { id: 'editions-1', key: generateKeyPairSync('ed25519').privateKey };
const trusted = [trustedSigner(signer)];
const key = searchKey('UTO', 'L898902C3') as SearchKey;

let folder: string;
let file: string;
let watch: EditionWatch | undefined;
let clock: TestClock;
let logged: string[];
let changes: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-edition-'));
  file = join(folder, 'sltd.edition');
  clock = new TestClock();
  logged = [];
  changes = 0;
});
afterEach(async () => {
  await watch?.close();
  watch = undefined;
  rmSync(folder, { recursive: true, force: true });
});

function edition(version: number): Buffer {
  const record = {
    documentType: 'passport',
    kindOfLoss: 'stolen',
    reportedOn: '2026-03-02',
    reportedBy: 'UTO',
  } as const;
  return encodeEdition(
    {
      state: { collection: 'sltd', version, date: '2026-11-24T08:00:00.000Z' },
      records: [{ key, record }],
    },
    { fingerprint, signer },
  );
}

function put(bytes: Buffer): void {
  writeFileSync(`${file}.new`, bytes);
  renameSync(`${file}.new`, file);
}

async function start(): Promise<EditionWatch> {
  watch = await watchEdition({
    file,
    trusted,
    fingerprint,
    clock,
    log: createLog('trace', 'test', { write: (line) => logged.push(line) }),
    onChange: () => changes++,
  });
  return watch;
}

/** One look of the watch, to its end: it waits for the next one only then. */
async function look(): Promise<void> {
  await clock.advance(1000);
  await eventually(() => clock.waiting === 1);
}

const version = (): number | undefined => watch?.current()?.describe().version;
const codes = (): unknown[] => logged.flatMap((line) => (JSON.parse(line) as { code?: string }).code ?? []);

describe('the edition of a file', () => {
  test('is in use at once, and a new one that is renamed over it within a second', async () => {
    put(edition(1));
    await start();
    expect(version()).toBe(1);
    expect(changes).toBe(0);
    put(edition(2));
    await look();
    expect(version()).toBe(2);
    expect(changes).toBe(1);
    expect(watch?.current()?.search(key)).toHaveLength(1);
  });

  test('is not opened again while nothing changes', async () => {
    put(edition(1));
    await start();
    const first = watch?.current();
    await look();
    await look();
    expect(watch?.current()).toBe(first);
    expect(changes).toBe(0);
  });

  test('is gone when its file is removed, and back when one is brought, also an older one', async () => {
    put(edition(5));
    await start();
    rmSync(file);
    await look();
    expect(watch?.current()).toBeUndefined();
    expect(codes()).toEqual(['EDITION_ABSENT']);
    put(edition(4));
    await look();
    expect(version()).toBe(4);
    expect(changes).toBe(2);
  });

  test('may be missing at the start and come later', async () => {
    await start();
    expect(watch?.current()).toBeUndefined();
    put(edition(1));
    await look();
    expect(version()).toBe(1);
    expect(changes).toBe(1);
  });

  test('stays in use when an older one is put over it: an older one is never obeyed', async () => {
    put(edition(5));
    await start();
    put(edition(4));
    await look();
    expect(version()).toBe(5);
    expect(codes()).toEqual(['EDITION_OLDER']);
    expect(changes).toBe(0);
    expect(watch?.current()?.search(key)).toHaveLength(1);
  });

  test.each([
    ['cut off', (bytes: Buffer) => bytes.subarray(0, bytes.length - 1), 'EDITION_DAMAGED'],
    ['empty', () => Buffer.alloc(0), 'EDITION_DAMAGED'],
    ['of a newer format', (bytes: Buffer) => Buffer.from(bytes.fill(9, 7, 8)), 'EDITION_NEWER'],
  ])('stays in use when a file that is %s is put over it, which is reported once', async (_, spoil, code) => {
    put(edition(1));
    await start();
    put(spoil(edition(2)));
    await look();
    await look();
    expect(version()).toBe(1);
    expect(codes()).toEqual([code]);
    put(edition(3));
    await look();
    expect(version()).toBe(3);
  });

  test('is taken when a copy that was still being written is whole', async () => {
    put(edition(1));
    await start();
    const bytes = edition(2);
    writeFileSync(file, bytes.subarray(0, 40));
    await look();
    expect(version()).toBe(1);
    expect(codes()).toEqual(['EDITION_DAMAGED']);
    writeFileSync(file, bytes);
    await look();
    expect(version()).toBe(2);
  });

  test('is tried again when it could not be read, without filling the log', async () => {
    await start();
    rmSync(file, { force: true });
    // A folder in its place cannot be read, as a file on a failing disk cannot.
    const { mkdirSync, rmdirSync } = await import('node:fs');
    mkdirSync(file);
    await look();
    await look();
    await look();
    expect(codes()).toEqual(['EDITION_ABSENT', 'FILE_REFUSED']);
    rmdirSync(file);
    put(edition(1));
    await look();
    expect(version()).toBe(1);
  });

  test('is not looked at any more after closing', async () => {
    put(edition(1));
    const closed = await start();
    await closed.close();
    watch = undefined;
    expect(closed.current()).toBeUndefined();
    expect(clock.waiting).toBe(0);
  });
});

test('openEdition names the file in its fault', async () => {
  const missing = await openEdition(file, { trusted, fingerprint });
  expect(missing).toMatchObject({ ok: false, fault: { code: 'EDITION_ABSENT' } });
  put(edition(1));
  const foreign = await openEdition(file, {
    trusted,
    fingerprint: { id: '2', key: createSecretKey(Buffer.alloc(32, 2)) },
  });
  expect(foreign).toMatchObject({ ok: false, fault: { code: 'EDITION_FOREIGN' } });
  expect(!foreign.ok && foreign.fault.detail).toContain(file);
});
