import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { desiredType } from '#contracts/configuration.ts';
import type { TrustedKeys } from '#contracts/trusted-keys.ts';
import { readPrivateKey, signEnvelope } from '#formats/envelope.ts';
import { type Bureau, makeBureau, valueOf } from '#test/rigs/bureau.ts';
import { ManagedProcess } from '#test/rigs/process.ts';

// The agent as a process, enrolled by a real bureau, with what the centre wanted lying on its disk.

let bureau: Bureau;
let agent: ManagedProcess;
let folder: string;
beforeEach(async () => {
  bureau = await makeBureau();
  const enrolled = await bureau.enrolled(1);
  const config = join(enrolled, 'agent.json');
  const written = JSON.parse(readFileSync(config, 'utf8')) as { state: string };
  writeFileSync(config, JSON.stringify({ ...written, officer: { port: 0 }, readers: [] }));
  folder = join(resolve(enrolled, written.state), 'configuration');
  mkdirSync(folder, { recursive: true });
  agent = new ManagedProcess({
    name: 'agent',
    command: process.execPath,
    args: [resolve(import.meta.dirname, '../main.ts'), 'agent', '--config', config],
    logFile: bureau.at('agent.log'),
    waitForReady: true,
  });
});
afterEach(async () => {
  await agent.stop();
  bureau.close();
});

/** A configuration that the controller's key has signed, as the agent keeps it. */
function signed(version: number): object {
  const key = valueOf(readPrivateKey(readFileSync(bureau.at('authority', 'keys', 'commands.pem'), 'utf8')));
  const trusted = JSON.parse(readFileSync(bureau.at('authority', 'trusted.json'), 'utf8')) as TrustedKeys;
  const id = trusted.keys.find(({ role }) => role === 'commands')?.id ?? '';
  const desired = {
    v: 1,
    terminal: 'UTO-0001-1',
    version,
    at: '2026-01-15T08:00:00.000Z',
    layers: [{ scope: { layer: 'fleet' }, values: { log: { level: 'debug' } } }],
    limits: [],
    uplink: null,
  };
  const envelope = signEnvelope(desiredType, Buffer.from(JSON.stringify(desired)), { id, key });
  return { v: 1, since: desired.at, envelope, limits: [] };
}
const file = (name: string): string => readFileSync(join(folder, name), 'utf8');
const startsOnTrial = (): unknown => (JSON.parse(file('probation.json')) as { trial: unknown }).trial;

test('An agent that is killed three times with a configuration on probation goes on with the one before, and says so', async () => {
  const trial = { failedMillis: 0, crashes: 0, boots: 0 };
  const probation = { ...signed(4), boot: 'before', running: false, trial, before: [] };
  writeFileSync(join(folder, 'probation.json'), JSON.stringify(probation));
  await agent.start();
  for (const crashes of [1, 2]) {
    await agent.stop('SIGKILL');
    await agent.start();
    expect(startsOnTrial()).toMatchObject({ crashes });
  }
  await agent.stop();
  await agent.start();
  expect(startsOnTrial()).toMatchObject({ crashes: 2 });
  await agent.stop('SIGKILL');
  await agent.start();
  expect(JSON.parse(file('refused.json'))).toMatchObject({
    version: 4,
    state: 'undone',
    code: 'CONFIGURATION_CRASHED',
  });
  expect(() => file('probation.json')).toThrow('ENOENT');
});

test('An agent starts although what it kept is damaged, and says which file', async () => {
  writeFileSync(join(folder, 'current.json'), '{"v":1,');
  await agent.start();
  await agent.stop();
  expect(readFileSync(bureau.at('agent.log'), 'utf8')).toMatch(/CONFIGURATION_DAMAGED.*current\.json/);
});
