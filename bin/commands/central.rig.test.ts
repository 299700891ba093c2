import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeAuthority } from '#test/rigs/certificates.ts';
import { ManagedProcess } from '#test/rigs/process.ts';
import { run } from '#test/rigs/stack.ts';
import { command as account } from './account.ts';
import { command } from './central.ts';

/** `checkpost central` as a real process, without a broker: it starts all the same. */
let folder: string;
let central: ManagedProcess;
const root = resolve(import.meta.dirname, '../..');
const file = (name: string): string => join(folder, name);

function configure(over: object = {}): void {
  const settings = {
    state: 'state',
    registry: 'registry.json',
    tls: { authority: 'authority.pem', certificate: 'certificate.pem', key: 'key.pem' },
    lookup: { port: 0, collection: join(root, 'central/publisher/specimens.csv') },
    controller: { url: 'mqtts://localhost:1', certificate: 'certificate.pem', key: 'key.pem' },
    orders: { key: 'commands.pem', trusted: 'trusted.json' },
    console: { port: 0, access: 'open' },
    ...over,
  };
  writeFileSync(file('central.json'), JSON.stringify(settings));
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'central-command-'));
  const authority = await makeAuthority();
  const own = await authority.issue({ name: 'central', dns: ['localhost'], ip: ['127.0.0.1'] });
  writeFileSync(file('authority.pem'), authority.certificate);
  writeFileSync(file('certificate.pem'), own.certificate);
  writeFileSync(file('key.pem'), own.key, { mode: 0o600 });
  const online = generateKeyPairSync('ed25519');
  writeFileSync(file('commands.pem'), online.privateKey.export({ type: 'pkcs8', format: 'pem' }), {
    mode: 0o600,
  });
  const publicKey = online.publicKey.export({ type: 'spki', format: 'pem' });
  writeFileSync(
    file('trusted.json'),
    JSON.stringify({ keys: [{ id: 'commands-1', role: 'commands', publicKey }] }),
  );
  const one = {
    terminal: 'UTO-0001-1',
    bureau: 'UTO',
    site: 'UTO-0001',
    siteName: 'Specimen crossing',
    certificate: 'a'.repeat(64),
    enrolledAt: '2026-01-01T00:00:00.000Z',
  };
  writeFileSync(file('registry.json'), JSON.stringify({ v: 1, terminals: [one] }));
  configure();
  central = new ManagedProcess({
    name: 'central',
    command: process.execPath,
    args: [join(root, 'bin/main.ts'), 'central', '--config', file('central.json')],
    logFile: file('central.log'),
    waitForReady: true,
  });
});

afterEach(async () => {
  await central.stop('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

test('the centre starts without a broker, shows its terminals and metrics, and stops in order at SIGTERM', async () => {
  const ready = await central.start();
  expect(ready).toMatchObject({ event: 'ready', lookup: expect.stringMatching(/^https:/) as string });
  const page = String(ready['console']);
  const fleet = (await (await fetch(new URL('/api/v1/fleet', page))).json()) as object;
  expect(fleet).toMatchObject({ terminals: [{ terminal: 'UTO-0001-1', state: 'never' }] });
  const metrics = await (await fetch(new URL('/metrics', page))).text();
  expect(metrics).toMatch(/^checkpost_terminals\{state="never"\} 1$/m);
  expect(metrics).toMatch(/^checkpost_collection_records [1-9]/m);
  expect(readFileSync(file('central.log'), 'utf8')).toContain('BROKER_UNREACHABLE');
  expect(await central.stop()).toBe(0);
  // The state is whole: it starts again.
  await central.start();
  expect(await central.stop()).toBe(0);
});

test('the first account is made while the centre runs, and nobody comes in without one', async () => {
  configure({ console: { port: 0 } });
  const page = String((await central.start())['console']);
  for (const path of ['/api/v1/fleet', '/metrics'])
    expect((await fetch(new URL(path, page))).status).toBe(401);
  const made = await run(account, ['add', 'root', '--config', file('central.json'), '--json']);
  const { password } = JSON.parse(made) as { password: string };
  const signedIn = await fetch(new URL('/api/v1/session', page), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'root', password }),
  });
  const cookie = signedIn.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  for (const path of ['/api/v1/fleet', '/metrics', '/api/v1/layers', '/api/v1/waves', '/api/v1/alerts']) {
    const answer = await fetch(new URL(path, page), { headers: { cookie } });
    expect([path, answer.status]).toEqual([path, 200]);
  }
  const audit = await fetch(new URL('/api/v1/audit', page), { headers: { cookie } });
  expect(await audit.json()).toMatchObject([{ action: 'sign-in', by: 'root' }, { action: 'account' }]);
  expect(await central.stop()).toBe(0);
});

test('a second centre on the same state folder ends with a fault in words, and the first one goes on', async () => {
  await central.start();
  const second = new ManagedProcess({
    name: 'second',
    command: process.execPath,
    args: [join(root, 'bin/main.ts'), 'central', '--config', file('central.json')],
    logFile: file('second.log'),
    waitForReady: true,
  });
  await expect(second.start()).rejects.toThrow(/STORE_LOCKED/);
  expect(await second.exited()).toBe(1);
  expect(central.running).toBe(true);
});

test('a port of the operators’ page that is taken ends it with what to do', async () => {
  const other: Server = createServer();
  const port = await new Promise<number>((done) => {
    other.listen(0, '127.0.0.1', () => done((other.address() as { port: number }).port));
  });
  configure({ console: { port } });
  await expect(central.start()).rejects.toThrow(/PORT_IN_USE[\s\S]*What to do/);
  expect(await central.exited()).toBe(1);
  other.close();
});

test('--check-config names every wrong setting at once and starts nothing', async () => {
  expect(await run(command, ['--config', file('central.json'), '--check-config'])).toContain(
    'every setting is good',
  );
  configure({ console: { port: 70_000 }, registry: '' });
  await expect(run(command, ['--config', file('central.json'), '--check-config'])).rejects.toThrow(
    /ended with 1[\s\S]*(registry[\s\S]*console\.port|console\.port[\s\S]*registry)/,
  );
  await expect(run(command, [])).rejects.toThrow(/ended with 2/);
});
