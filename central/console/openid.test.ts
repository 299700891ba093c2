import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SessionState } from '#contracts/api/accounts.ts';
import { type Desk, deskPassword, openDesk } from '#test/rigs/console-desk.ts';
import { MadeUpCentre } from '#test/rigs/made-up-centre.ts';
import { type Misbehaviour, type OidcProvider, startOidcProvider } from '#test/rigs/oidc-provider.ts';

const anna = {
  sub: 'anna-1',
  preferred_username: 'Anna',
  checkpost_role: ['staff', 'viewer', 'operator'],
  checkpost_bureau: 'UTO',
};
let provider: OidcProvider;
let desk: Desk;
let folder: string;

beforeEach(async () => {
  provider = await startOidcProvider();
  provider.person = anna;
  folder = mkdtempSync(join(tmpdir(), 'checkpost-openid-'));
  writeFileSync(join(folder, 'secret'), `${provider.clientSecret}\n`);
  const { issuer, clientId } = provider;
  const openIdConnect = { issuer, clientId, clientSecretFile: join(folder, 'secret') };
  // The rest of the group has defaults.
  desk = await openDesk({
    centre: new MadeUpCentre(),
    settings: { openIdConnect: openIdConnect as never },
  });
});
afterEach(async () => {
  await desk.close();
  await provider.close();
  rmSync(folder, { recursive: true });
});

test('whoever the provider names comes in, with the highest role of the claim and its bureau', async () => {
  const jar = new Jar();
  expect(await jar.signIn(desk.url)).toBe('/');
  const session = await jar.session(desk.url);
  expect(session.identity).toEqual({ name: 'anna', role: 'operator', bureau: 'UTO' });
  expect(session.openIdConnect).toEqual({ title: 'Single sign-on' });
});

test('the role follows the provider at the next time, and a star is all bureaus', async () => {
  await new Jar().signIn(desk.url);
  provider.person = { ...anna, checkpost_role: 'viewer', checkpost_bureau: '*' };
  const jar = new Jar();
  await jar.signIn(desk.url);
  expect((await jar.session(desk.url)).identity).toEqual({ name: 'anna', role: 'viewer', bureau: null });
});

test('neither the code nor its state works twice', async () => {
  const jar = new Jar();
  const begun = await jar.get(`${desk.url}/api/v1/session/openid`);
  const back = await fetch(begun, { redirect: 'manual' });
  const callback = back.headers.get('location') ?? '';
  const cookies = jar.copy();
  expect(await jar.get(callback)).toBe('/');
  expect(await cookies.get(callback)).toBe('/#sign-in?fault=OPENID_FAILED');
});

test('an answer that was begun in another browser is refused', async () => {
  const begun = await new Jar().get(`${desk.url}/api/v1/session/openid`);
  const back = await fetch(begun, { redirect: 'manual' });
  const victim = new Jar();
  expect(await victim.get(back.headers.get('location') ?? '')).toBe('/#sign-in?fault=OPENID_FAILED');
  expect((await victim.session(desk.url)).identity).toBeNull();
});

describe('a provider that is not to be believed brings nobody in', () => {
  test.each<Misbehaviour>([
    'foreign-key',
    'unsigned',
    'other-nonce',
    'other-audience',
    'other-issuer',
    'expired',
    'other-state',
  ])('%s', async (misbehaviour) => {
    provider.misbehaviour = misbehaviour;
    expect(await attempt()).toEqual(refusedBy('OPENID_FAILED'));
  });
});

describe('claims that say too little bring nobody in', () => {
  test.each([
    ['no role', { ...anna, checkpost_role: undefined }],
    ['a role that there is not', { ...anna, checkpost_role: 'root' }],
    ['no bureau', { ...anna, checkpost_bureau: undefined }],
    ['a bureau that is none', { ...anna, checkpost_bureau: 'everywhere' }],
    ['no name', { ...anna, preferred_username: undefined }],
    ['a name that no account may have', { ...anna, preferred_username: '../root' }],
  ])('%s', async (_, person) => {
    provider.person = person;
    expect(await attempt()).toEqual(refusedBy('OPENID_FAILED'));
  });
});

test('the provider cannot hand out the name of a local account, nor of somebody else', async () => {
  const account = { name: 'local', role: 'administrator', bureau: null, password: deskPassword } as const;
  await desk.access.accounts.add(account, 'test');
  provider.person = { ...anna, preferred_username: 'local' };
  expect(await attempt()).toEqual(refusedBy('SIGN_IN_REFUSED'));
  provider.person = anna;
  await new Jar().signIn(desk.url);
  provider.person = { ...anna, sub: 'anna-2' };
  expect(await attempt()).toEqual(refusedBy('SIGN_IN_REFUSED'));
});

test('an account of the provider that was disabled here does not come in, and has no password', async () => {
  await new Jar().signIn(desk.url);
  const changed = await desk.access.accounts.change('anna', { password: deskPassword }, 'test');
  expect(changed).toMatchObject({ ok: false, fault: { code: 'REQUEST_INVALID' } });
  await desk.access.accounts.change('anna', { disabled: true }, 'test');
  expect(await attempt()).toEqual(refusedBy('SIGN_IN_REFUSED'));
});

test('whoever begins to sign in again and again does not fill the disk', async () => {
  const at = new Date().toISOString();
  await desk.db.transaction(async (tx) => {
    for (let n = 0; n < 10_100; n++)
      await tx.run(
        'INSERT INTO openid_starts (hash, verifier, nonce, at) VALUES (?, ?, ?, ?)',
        `${n}`,
        'v',
        'n',
        at,
      );
  });
  expect(await new Jar().signIn(desk.url)).toBe('/');
  const left = await desk.db.read((tx) => tx.get<{ n: number }>('SELECT count(*) AS n FROM openid_starts'));
  expect(left.ok && (left.value?.n ?? 0)).toBeLessThanOrEqual(10_000);
});

test('a provider that is away is said, and does no harm', async () => {
  await provider.close();
  const answer = await fetch(`${desk.url}/api/v1/session/openid`, { redirect: 'manual' });
  expect(answer.status).toBe(502);
  expect(await answer.json()).toMatchObject({ code: 'OPENID_FAILED' });
});

/** Tries to come in with a new browser: where the page is sent, and as whom it is then. */
async function attempt(): Promise<{ place: string; identity: SessionState['identity'] }> {
  const jar = new Jar();
  const place = await jar.signIn(desk.url);
  return { place, identity: (await jar.session(desk.url)).identity };
}

function refusedBy(code: string): Awaited<ReturnType<typeof attempt>> {
  return { place: `/#sign-in?fault=${code}`, identity: null };
}

/** A browser's cookies; it follows no redirect by itself. */
class Jar {
  readonly #cookies = new Map<string, string>();

  copy(): Jar {
    const other = new Jar();
    for (const [name, value] of this.#cookies) other.#cookies.set(name, value);
    return other;
  }

  /** To the provider and back; the answer is where the page is sent at last. */
  async signIn(url: string): Promise<string> {
    const provider = await this.get(`${url}/api/v1/session/openid`);
    const back = await fetch(provider, { redirect: 'manual' });
    return this.get(back.headers.get('location') ?? '');
  }

  async session(url: string): Promise<SessionState> {
    const answer = await fetch(`${url}/api/v1/session`, { headers: this.#header() });
    return (await answer.json()) as SessionState;
  }

  async get(url: string): Promise<string> {
    const answer = await fetch(url, { redirect: 'manual', headers: this.#header() });
    for (const line of answer.headers.getSetCookie()) {
      const [name = '', value = ''] = (line.split(';')[0] ?? '').split('=');
      if (value === '') this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
    return answer.headers.get('location') ?? '';
  }

  #header(): Record<string, string> {
    return { cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ') };
  }
}
