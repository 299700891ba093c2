import { createSecretKey, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { searchKey, type SearchKey } from '#contracts/search-key.ts';
import { wall } from '#contracts/units.ts';
import { openEdition } from '#formats/edition.ts';
import { describeEdition, publishEdition, type PublishOrder, verifyEdition } from './index.ts';

const pair = generateKeyPairSync('ed25519');
const passphrase = 'correct horse';
const now = wall(Date.parse('2026-11-24T08:00:00.000Z'));
let folder: string;
let order: PublishOrder;
const at = (name: string): string => join(folder, name);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-publish-'));
  writeFileSync(at('key.pem'), pair.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  writeFileSync(
    at('sealed.pem'),
    pair.privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase }),
  );
  const publicKey = pair.publicKey.export({ type: 'spki', format: 'pem' });
  writeFileSync(
    at('trusted.json'),
    JSON.stringify({ keys: [{ id: 'editions-1', role: 'editions', publicKey }] }),
  );
  writeFileSync(at('fingerprint.json'), JSON.stringify({ id: '1', secret: '01'.repeat(32) }));
  writeFileSync(at('c.csv'), readFileSync(join(import.meta.dirname, 'specimens.csv')));
  order = {
    csv: at('c.csv'),
    key: at('key.pem'),
    keyId: 'editions-1',
    fingerprint: at('fingerprint.json'),
    out: at('out.edition'),
  };
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const verify = () => verifyEdition(order.out, { trust: at('trusted.json'), fingerprint: order.fingerprint });
const codeOf = (result: { ok: true } | { ok: false; fault: { code: string } }): string =>
  result.ok ? 'ok' : result.fault.code;

describe('publishing', () => {
  test('makes an edition that a terminal opens and finds every record of the collection in', async () => {
    const published = await publishEdition(order, now);
    expect(published).toMatchObject({
      ok: true,
      value: { version: now / 1000, date: '2026-11-24T08:00:00.000Z', count: 20, signedBy: 'editions-1' },
    });
    expect(await verify()).toEqual(published);
    expect(await describeEdition(order.out, at('trusted.json'))).toEqual(published);
    const opened = openEdition(readFileSync(order.out), {
      trusted: [{ id: 'editions-1', role: 'editions', key: pair.publicKey }],
      fingerprint: { id: '1', key: createSecretKey(Buffer.from('01'.repeat(32), 'hex')) },
    });
    const find = (number: string) => opened.ok && opened.value.search(searchKey('UTO', number) as SearchKey);
    expect(find('L898902C3')).toEqual([
      { documentType: 'passport', kindOfLoss: 'stolen', reportedOn: '2026-03-02', reportedBy: 'UTO' },
    ]);
    expect(find('SPECTWICE')).toHaveLength(2);
    expect(find('X734211K5')).toEqual([]);
    expect(statSync(order.out).mode & 0o777).toBe(0o644);
    expect(readdirSync(folder).filter((name) => name.endsWith('.new'))).toEqual([]);
  });

  test('raises the version also when two are made in one second or the clock was set back', async () => {
    const versions: number[] = [];
    for (const when of [now, now, wall(now - 86_400_000)]) {
      const published = await publishEdition(order, when);
      versions.push(published.ok ? published.value.version : 0);
    }
    expect(versions).toEqual([now / 1000, now / 1000 + 1, now / 1000 + 2]);
  });

  test('puts a sound edition over a damaged file', async () => {
    writeFileSync(order.out, 'noise');
    expect(codeOf(await publishEdition(order, now))).toBe('ok');
    expect(codeOf(await verify())).toBe('ok');
  });

  test('opens a key with its passphrase, and with no other', async () => {
    const sealed = { ...order, key: at('sealed.pem') };
    expect(codeOf(await publishEdition({ ...sealed, passphrase }, now))).toBe('ok');
    expect(codeOf(await publishEdition({ ...sealed, passphrase: 'wrong' }, now))).toBe('PASSPHRASE_WRONG');
  });

  test.each([
    ['a wrong row', 'c.csv', 'COLLECTION_INVALID'],
    ['a damaged fingerprint key', 'fingerprint.json', 'CREDENTIAL_UNREADABLE'],
    ['a damaged signing key', 'key.pem', 'PASSPHRASE_WRONG'],
  ])('with %s leaves the edition that was there', async (_, spoilt, code) => {
    await publishEdition(order, now);
    const before = readFileSync(order.out);
    writeFileSync(at(spoilt), `${readFileSync(at(spoilt), 'utf8').slice(0, 60)}\nR,?`);
    expect(codeOf(await publishEdition(order, now))).toBe(code);
    expect(readFileSync(order.out).equals(before)).toBe(true);
  });

  test.each([
    ['the collection', 'csv', 'FILE_REFUSED'],
    ['the signing key', 'key', 'CREDENTIAL_UNREADABLE'],
    ['the fingerprint key', 'fingerprint', 'CREDENTIAL_UNREADABLE'],
  ] as const)('names the file when %s is missing', async (_, which, code) => {
    const published = await publishEdition({ ...order, [which]: at('missing') }, now);
    expect(codeOf(published)).toBe(code);
    expect(!published.ok && published.fault.detail).toContain(at('missing'));
  });

  test('into a folder that is not there says so', async () => {
    expect(codeOf(await publishEdition({ ...order, out: at('no/such.edition') }, now))).toBe('FILE_REFUSED');
  });
});

describe('verifying', () => {
  test('tells a foreign fingerprint key, a missing file and an altered one apart', async () => {
    await publishEdition(order, now);
    writeFileSync(at('other.json'), JSON.stringify({ id: '2', secret: '02'.repeat(32) }));
    const with_ = { trust: at('trusted.json'), fingerprint: at('other.json') };
    expect(codeOf(await verifyEdition(order.out, with_))).toBe('EDITION_FOREIGN');
    expect(codeOf(await verifyEdition(at('missing'), with_))).toBe('EDITION_ABSENT');
    const bytes = readFileSync(order.out);
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
    writeFileSync(order.out, bytes);
    expect(codeOf(await verify())).toBe('EDITION_DAMAGED');
  });
});
