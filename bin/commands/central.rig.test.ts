import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeAuthority } from '#test/rigs/certificates.ts';
import { ManagedProcess } from '#test/rigs/process.ts';
import { run } from '#test/rigs/stack.ts';
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
    console: { port: 0 },
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
  const terminals = (await (await fetch(new URL('/api/terminals', page))).json()) as object;
  expect(terminals).toMatchObject([{ terminal: 'UTO-0001-1', state: 'never' }]);
  const metrics = await (await fetch(new URL('/metrics', page))).text();
  expect(metrics).toMatch(/^checkpost_terminals\{state="never"\} 1$/m);
  expect(metrics).toMatch(/^checkpost_collection_records [1-9]/m);
  expect(readFileSync(file('central.log'), 'utf8')).toContain('BROKER_UNREACHABLE');
  expect(await central.stop()).toBe(0);
  // The state is whole: it starts again.
  await central.start();
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
