import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bundleHeaders, bundlesPath } from '#contracts/bundle.ts';
import { CentralSettings } from '#contracts/settings/central.ts';
import { silentLog } from '#runtime/log.ts';
import { parseSettings } from '#runtime/settings.ts';
import { TestClock } from '#runtime/test-clock.ts';
import { type Credentials, makeAuthority, type TestAuthority } from '#test/rigs/certificates.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { type LookupService, openBundleStore, startLookupService } from './index.ts';

let authority: TestAuthority;
let server: Credentials;
const terminals = new Map<string, Credentials>();
let folder: string;
let clock: TestClock;
let service: LookupService;
let agents: Agent[] = [];
const at = (...names: string[]): string => join(folder, ...names);

beforeAll(async () => {
  authority = await makeAuthority();
  server = await authority.issue({ name: 'central', dns: ['localhost'], days: 30 });
  for (const name of ['UTO-0001-1', 'UTO-0001-2', 'UTO-0001-9'])
    terminals.set(name, await authority.issue({ name, days: 30 }));
});

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-bundles-'));
  clock = new TestClock(new Date().toISOString());
  writeFileSync(at('authority.pem'), authority.certificate);
  writeFileSync(at('certificate.pem'), server.certificate);
  writeFileSync(at('key.pem'), server.key);
  copyFileSync(join(import.meta.dirname, '../publisher/specimens.csv'), at('collection.csv'));
  const registered = ['UTO-0001-1', 'UTO-0001-2'].map((terminal) => ({
    bureau: 'UTO',
    site: 'UTO-0001',
    siteName: 'Specimen crossing',
    enrolledAt: '2026-01-01T00:00:00.000Z',
    terminal,
    certificate: terminals.get(terminal)?.digest,
  }));
  writeFileSync(at('registry.json'), JSON.stringify({ v: 1, terminals: registered }));
  await start();
});

afterEach(async () => {
  for (const agent of agents.splice(0)) agent.destroy();
  await service.close();
  rmSync(folder, { recursive: true, force: true });
});

async function start(budgetBytes = 10_000_000): Promise<void> {
  const settings = parseSettings(
    CentralSettings,
    {
      state: 'state',
      registry: 'registry.json',
      orders: { key: 'commands.pem', trusted: 'trusted.json' },
      tls: { authority: 'authority.pem', certificate: 'certificate.pem', key: 'key.pem' },
      lookup: { port: 0, collection: 'collection.csv' },
      bundles: { budgetBytes },
      controller: { url: 'mqtts://localhost:1', certificate: 'x', key: 'x' },
    },
    at('central.json'),
  );
  if (!settings.ok) throw new Error(settings.fault.detail);
  const started = await startLookupService(settings.value, { clock, log: silentLog });
  if (!started.ok) throw new Error(started.fault.detail);
  service = started.value;
}

interface Reply {
  readonly status: number;
  readonly offset: number;
  readonly complete: boolean;
}

function ask(
  method: string,
  id: string,
  {
    body,
    terminal = 'UTO-0001-1',
    ...headers
  }: Record<string, string | Buffer | undefined> & { terminal?: string } = {},
): Promise<Reply> {
  const who = terminals.get(terminal);
  const agent = new Agent({ ca: authority.certificate, cert: who?.certificate, key: who?.key });
  agents.push(agent);
  return new Promise((resolve, reject) => {
    const sent = request(
      new URL(`${bundlesPath}${id}`, service.url.replace('127.0.0.1', 'localhost')),
      { method, agent, family: 4, headers: headers as Record<string, string> },
      (response) => {
        response.resume();
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            offset: Number(response.headers[bundleHeaders.offset] ?? -1),
            complete: response.headers[bundleHeaders.complete] === 'yes',
          }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

function part(
  id: string,
  whole: Buffer,
  from: number,
  to: number,
  more: Record<string, string> = {},
): Promise<Reply> {
  return ask('PATCH', id, {
    [bundleHeaders.offset]: String(from),
    [bundleHeaders.length]: String(whole.length),
    [bundleHeaders.sha256]: createHash('sha256').update(whole).digest('hex'),
    body: whole.subarray(from, to),
    ...more,
  });
}
const send = (id: string, whole: Buffer, terminal = 'UTO-0001-1'): Promise<Reply> =>
  part(id, whole, 0, whole.length, { terminal });

describe('bundles of terminals', () => {
  test('come in parts, over a restart of the centre, and are listed whole only when the hash is right', async () => {
    const id = randomUUID();
    const whole = randomBytes(100_000);
    expect(await ask('HEAD', id)).toEqual({ status: 200, offset: 0, complete: false });
    expect(await part(id, whole, 0, 40_000)).toEqual({ status: 200, offset: 40_000, complete: false });
    expect((await service.bundles.read(id)).ok).toBe(false);
    await service.close();
    await start();
    expect(await ask('HEAD', id)).toEqual({ status: 200, offset: 40_000, complete: false });
    expect(await part(id, whole, 40_000, 100_000)).toEqual({ status: 200, offset: 100_000, complete: true });
    expect(await ask('HEAD', id)).toEqual({ status: 200, offset: 100_000, complete: true });
    const read = await service.bundles.read(id);
    expect(read.ok && read.value.bytes.equals(whole)).toBe(true);
    const row = { id, terminal: 'UTO-0001-1', bytes: 100_000, complete: true };
    expect(await service.bundles.list()).toMatchObject([row]);
    // What another process that has the folder sees.
    expect(await openBundleStore(at('state')).list('UTO-0001-1')).toMatchObject([row]);
    expect(readdirSync(at('state/bundles/UTO-0001-1'))).toEqual([id]);
  });

  test('keep what came before a connection broke', async () => {
    const id = randomUUID();
    const whole = randomBytes(50_000);
    const who = terminals.get('UTO-0001-1');
    const agent = new Agent({ ca: authority.certificate, cert: who?.certificate, key: who?.key });
    const sent = request(new URL(`${bundlesPath}${id}`, service.url.replace('127.0.0.1', 'localhost')), {
      method: 'PATCH',
      agent,
      family: 4,
      headers: {
        [bundleHeaders.offset]: 0,
        [bundleHeaders.length]: whole.length,
        [bundleHeaders.sha256]: createHash('sha256').update(whole).digest('hex'),
        'content-length': whole.length,
      },
    });
    sent.on('error', () => {});
    sent.write(whole.subarray(0, 30_000));
    const file = at('state/bundles/UTO-0001-1', `${id}.part`);
    await eventually(() => existsSync(file));
    await eventually(async () => (await openBundleStore(at('state')).list())[0]?.bytes === 30_000);
    // The old connection may be half open still: a new request ends it.
    expect(await ask('HEAD', id)).toEqual({ status: 200, offset: 30_000, complete: false });
    expect(await part(id, whole, 30_000, 50_000)).toMatchObject({ complete: true });
    agent.destroy();
    expect(service.counts().refused).toBe(0);
  });

  test('say where they are to whoever brings the wrong part', async () => {
    const id = randomUUID();
    const whole = randomBytes(1000);
    expect(await part(id, whole, 500, 1000)).toEqual({ status: 409, offset: 0, complete: false });
    await part(id, whole, 0, 600);
    expect(await part(id, whole, 0, 600)).toEqual({ status: 409, offset: 600, complete: false });
    await part(id, whole, 600, 1000);
    expect(await part(id, whole, 600, 1000)).toEqual({ status: 409, offset: 1000, complete: true });
  });

  test('are of the terminal whose certificate it is: another one does not see or touch them', async () => {
    const id = randomUUID();
    const whole = randomBytes(1000);
    await part(id, whole, 0, 500);
    expect(await ask('HEAD', id, { terminal: 'UTO-0001-2' })).toMatchObject({ offset: 0 });
    await send(id, randomBytes(10), 'UTO-0001-2');
    expect(await ask('HEAD', id)).toMatchObject({ offset: 500, complete: false });
    expect(await ask('HEAD', id, { terminal: 'UTO-0001-9' })).toMatchObject({ status: 403 });
    expect(readdirSync(at('state/bundles')).sort()).toEqual(['UTO-0001-1', 'UTO-0001-2']);
  });
});

describe('what is no bundle is refused', () => {
  const id = '019bc000-0000-7000-8000-000000000001';
  const whole = Buffer.alloc(1000, 1);
  test.each([
    ['a path out of the folder', () => ask('HEAD', '..%2f..%2fregistry.json'), 400],
    ['an id that is none', () => ask('HEAD', 'x'), 400],
    ['another method', () => ask('DELETE', id), 404],
    ['no headers', () => ask('PATCH', id, { body: whole }), 400],
    ['a negative offset', () => part(id, whole, 0, 10, { [bundleHeaders.offset]: '-1' }), 400],
    ['no length', () => part(id, whole, 0, 10, { [bundleHeaders.length]: '0' }), 422],
    ['one longer than is taken', () => part(id, whole, 0, 10, { [bundleHeaders.length]: '4194305' }), 422],
    ['more than was said', () => part(id, whole, 0, 1000, { [bundleHeaders.length]: '900' }), 422],
    ['another hash', () => part(id, whole, 0, 1000, { [bundleHeaders.sha256]: '0'.repeat(64) }), 422],
  ])('%s', async (_, make, status) => {
    expect(await make()).toMatchObject({ status });
    expect((await service.bundles.list()).filter(({ complete }) => complete)).toEqual([]);
    expect(service.counts().refused).toBe(1);
    // And a good one comes after it.
    expect(await send(randomUUID(), whole)).toMatchObject({ complete: true });
  });
});

describe('the space', () => {
  test('of one terminal is twenty: the oldest goes', async () => {
    const ids = Array.from({ length: 22 }, () => randomUUID());
    await send(randomUUID(), randomBytes(10), 'UTO-0001-2');
    for (const id of ids) {
      await clock.advance(10);
      await send(id, randomBytes(10));
    }
    const kept = await service.bundles.list('UTO-0001-1');
    expect(kept.map(({ id }) => id)).toEqual(ids.slice(2).reverse());
    expect(readdirSync(at('state/bundles/UTO-0001-1')).sort()).toEqual(ids.slice(2).sort());
    expect(await service.bundles.list('UTO-0001-2')).toHaveLength(1);
  });

  test('of all is bounded, also by what was begun and never ended: the oldest of all go', async () => {
    const begun = randomUUID();
    const whole = randomBytes(4_000_000);
    await part(begun, whole, 0, 1000, { terminal: 'UTO-0001-2' });
    const ids: string[] = [];
    for (let more = 0; more < 3; more++) {
      await clock.advance(10);
      ids.push(randomUUID());
      await send(ids.at(-1) ?? '', whole);
    }
    expect((await service.bundles.list()).map(({ id }) => id)).toEqual(ids.slice(1).reverse());
    expect(readdirSync(at('state/bundles/UTO-0001-2'))).toEqual([]);
  });
});
