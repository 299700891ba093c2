import { createPrivateKey } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  addSite,
  initAuthority,
  issueServer,
  needsPassphrase,
  revoke,
  showSite,
  writeBundle,
} from '#provisioning/index.ts';
import { type Bureau, bureauSite, faultOf, filesBelow, makeBureau, valueOf } from '#test/rigs/bureau.ts';

let bureau: Bureau;
beforeEach(async () => {
  bureau = await makeBureau();
});
afterEach(() => bureau.close());

const passphrase = 'a specimen of a passphrase';
const server = () => ({
  ...bureau.authority,
  name: 'central',
  dns: ['localhost'],
  ip: [],
  out: bureau.at('central'),
});

test('a second authority in the same folder is refused and the first one is unchanged', async () => {
  const before = filesBelow(bureau.authority.dir);
  const again = { ...bureau.authority, bureau: 'UTO', passphrase: null };
  expect(faultOf(await initAuthority(again, bureau.parts))).toBe('AUTHORITY_EXISTS');
  expect(filesBelow(bureau.authority.dir)).toEqual(before);
});

test('a folder with other things in it does not become an authority', async () => {
  mkdirSync(bureau.at('other'));
  writeFileSync(bureau.at('other', 'notes'), 'x');
  const order = { dir: bureau.at('other'), bureau: 'UTO', passphrase: null };
  expect(faultOf(await initAuthority(order, bureau.parts))).toBe('AUTHORITY_EXISTS');
  expect([...filesBelow(bureau.at('other')).keys()]).toEqual(['notes']);
});

test('with a passphrase no private key opens without it, and a wrong or missing one signs nothing', async () => {
  const dir = bureau.at('locked');
  expect(faultOf(await initAuthority({ dir, bureau: 'UTO', passphrase: 'short' }, bureau.parts))).toBe(
    'USAGE',
  );
  valueOf(await initAuthority({ dir, bureau: 'UTO', passphrase }, bureau.parts));
  expect(needsPassphrase(dir)).toBe(true);
  expect(needsPassphrase(bureau.authority.dir)).toBe(false);
  const keys = [...filesBelow(bureau.at('locked', 'keys'))].filter(([name]) => name.endsWith('.pem'));
  expect(keys).toHaveLength(12);
  for (const [name, pem] of keys) {
    expect(() => createPrivateKey(pem), name).toThrow();
    expect(createPrivateKey({ key: pem, passphrase }).type).toBe('private');
  }
  valueOf(await addSite({ dir, site: bureauSite }, bureau.parts));
  const urls = { centralUrl: 'https://localhost', fleetUrl: 'mqtts://localhost' };
  const order = { dir, site: 'UTO-0001', terminal: 1, out: bureau.at('stick'), ...urls };
  expect(faultOf(await writeBundle(order, bureau.parts))).toBe('PASSPHRASE_WRONG');
  expect(faultOf(await writeBundle({ ...order, passphrase: 'a wrong passphrase' }, bureau.parts))).toBe(
    'PASSPHRASE_WRONG',
  );
  expect(faultOf(await writeBundle({ ...order, passphrase }, bureau.parts))).toBeUndefined();
});

test('a folder without an authority is named as such', async () => {
  expect(faultOf(await showSite({ dir: bureau.at('nowhere'), id: 'UTO-0001' }))).toBe('AUTHORITY_ABSENT');
});

test('a site is entered once: the same again changes nothing, other data under its id is refused', async () => {
  expect(faultOf(await addSite({ ...bureau.authority, site: bureauSite }, bureau.parts))).toBeUndefined();
  const other = { ...bureauSite, name: 'Another crossing' };
  expect(faultOf(await addSite({ ...bureau.authority, site: other }, bureau.parts))).toBe('SITE_EXISTS');
});

test.each([
  ['an id of another bureau', { id: 'XOM-0001' }],
  ['a time zone that does not exist', { id: 'UTO-0002', timeZone: 'Nowhere/Land' }],
  ['a latitude alone', { id: 'UTO-0002', latitude: 42.5 }],
  ['a latitude beyond the pole', { id: 'UTO-0002', latitude: 91, longitude: 0 }],
  ['no terminals', { id: 'UTO-0002', terminals: 0 }],
])('a site with %s is refused', async (_what, wrong) => {
  const site = { ...bureauSite, ...wrong } as never;
  expect(faultOf(await addSite({ ...bureau.authority, site }, bureau.parts))).toBe('USAGE');
});

test('a server’s certificate is kept while it is good, and made anew for other names or a month before its end', async () => {
  expect(valueOf(await issueServer(server(), bureau.parts)).kept).toBe(false);
  expect(valueOf(await issueServer(server(), bureau.parts)).kept).toBe(true);
  expect(valueOf(await issueServer({ ...server(), dns: ['elsewhere'] }, bureau.parts)).kept).toBe(false);
  await bureau.clock.advance(701 * 86_400_000);
  expect(valueOf(await issueServer({ ...server(), dns: ['elsewhere'] }, bureau.parts)).kept).toBe(false);
});

test('a server cannot be given a name that a terminal could have', async () => {
  expect(faultOf(await issueServer({ ...server(), name: 'UTO-0001-1' }, bureau.parts))).toBe('USAGE');
});

test('a terminal that is revoked stays so, and its open bundle is void', async () => {
  await bureau.enrolled();
  const { code } = await bureau.bundle();
  valueOf(await bureau.enrol(code));
  const order = { ...bureau.authority, terminal: 'UTO-0001-1' };
  const first = valueOf(await revoke(order, bureau.parts));
  expect(first.openBundles).toBe(1);
  await bureau.clock.advance(1000);
  expect(valueOf(await revoke(order, bureau.parts)).revokedAt).toBe(first.revokedAt);
  expect(faultOf(await bureau.sign())).toBe('TOKEN_EXPIRED');
  expect(faultOf(await revoke({ ...order, terminal: 'UTO-0001-2' }, bureau.parts))).toBe('TERMINAL_UNKNOWN');
});

test('what a killed command did not publish, the next command publishes', async () => {
  await bureau.enrolled();
  const registry = bureau.at('authority', 'registry.json');
  const whole = readFileSync(registry, 'utf8');
  rmSync(registry);
  valueOf(await showSite({ ...bureau.authority, id: 'UTO-0001' }));
  expect(readFileSync(registry, 'utf8')).toBe(whole);
});
