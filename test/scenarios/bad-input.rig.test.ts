import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LookupView } from '#contracts/officer.ts';
import { cleanPassport, passport, stolenPassport } from '../rigs/documents.ts';
import { EventReader } from '../rigs/event-source.ts';
import { eventually } from '../rigs/eventually.ts';
import { ours, removeFolder, type Stack, startStack } from '../rigs/stack.ts';

// What goes wrong at sites, done to the program as it ships: each says what to do, and nothing is lost.

let folder: string;
let stack: Stack;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-bad-'));
  stack = await startStack({
    folder,
    agent: {
      central: { probeMillis: 500, retryMillis: 200 },
      fleet: { retryMillis: 200, sampleMillis: 500 },
    },
  });
});
afterAll(async () => {
  await stack.close();
  removeFolder(folder);
});

const swipe = (lines: readonly string[]): void => stack.reader.send(`${lines.join('\r')}\r`);

/** What the agent says when it cannot start with this configuration. */
async function refusal(changes: (settings: Record<string, unknown>) => unknown): Promise<string> {
  const file = join(folder, 'terminal', 'broken.json');
  const changed = changes(JSON.parse(readFileSync(stack.agentConfig, 'utf8')) as Record<string, unknown>);
  writeFileSync(file, typeof changed === 'string' ? changed : JSON.stringify(changed));
  const logFile = join(folder, `refused-${Math.random()}.log`);
  const agent = ours('refused agent', ['agent', '--config', file], logFile);
  await agent.start().then(
    () => expect.unreachable('the agent started'),
    () => undefined,
  );
  expect(await agent.exited()).toBe(1);
  return readFileSync(logFile, 'utf8');
}

test('A broken configuration: every wrong setting at once, with file, what was found and what is allowed', async () => {
  const said = await refusal((settings) => ({
    ...settings,
    terminal: 'no spaces allowed',
    surprise: true,
    central: { url: 'http://localhost', deadlineMillis: 5 },
  }));
  expect(said).toContain('SETTINGS_INVALID');
  for (const part of [
    'broken.json',
    'terminal',
    'surprise',
    'central.url',
    'central.deadlineMillis',
    '100',
    'What to do',
  ]) {
    expect(said).toContain(part);
  }
});

test('A configuration that is no JSON: the place', async () => {
  expect(await refusal(() => '{"terminal": "UTO-0001-1",\n  oops')).toMatch(/SETTINGS_NOT_JSON[\s\S]*line 2/);
});

test('The database in use by another agent: refused, and that other one goes on', async () => {
  expect(await refusal((settings) => ({ ...settings, officer: { port: 0 } }))).toContain('STORE_LOCKED');
  const events = await EventReader.connect(`${stack.officerUrl}/api/events`);
  swipe(passport('STILLON01'));
  await events.next<LookupView>('lookup', (view) => view.document?.documentNumber === 'STILLON01');
  events.close();
});

test('A port in use: which one, and what to do', async () => {
  const squatter = createServer();
  await new Promise<void>((done) => squatter.listen(0, '127.0.0.1', done));
  const { port } = squatter.address() as { port: number };
  const said = await refusal((settings) => ({ ...settings, state: 'other-data', officer: { port } }));
  expect(said).toContain('PORT_IN_USE');
  expect(said).toContain(String(port));
  await new Promise((done) => squatter.close(done));
});

test('A key file that is missing: its name, and that the terminal can be enrolled again', async () => {
  const said = await refusal((settings) => ({ ...settings, state: 'other-data', keys: 'nowhere' }));
  expect(said).toMatch(/CREDENTIAL_UNREADABLE[\s\S]*trusted\.json[\s\S]*enrol/);
});

test('Noise, a line of the wrong length and a frame of 1 MB: unreadable, never an answer, and the next document is read', async () => {
  const events = await EventReader.connect(`${stack.officerUrl}/api/events`);
  for (const bad of [
    `${'A'.repeat(43)}\r${'B'.repeat(44)}\r`,
    'P<UTOERIKS',
    Buffer.alloc(90, 0xfa),
    'X'.repeat(1_048_576),
  ]) {
    const seen = await events.nextLookup(() => stack.reader.send(bad));
    expect(seen.data.verdict?.kind).toBe('unreadable');
  }
  // The flood is over when the line has been silent.
  await eventually(
    async () => {
      const seen = await events.nextLookup(() => swipe(stolenPassport), 1000);
      return seen.data.verdict?.kind === 'hit';
    },
    { timeoutMs: 20_000, everyMs: 400 },
  );
  events.close();
});

test('No broker: documents are answered and recorded, what is owed waits, and arrives when it is back', async () => {
  await eventually(async () => (await stack.terminalView()).owed === 0);
  await stack.broker.stop();
  const events = await EventReader.connect(`${stack.officerUrl}/api/events`);
  swipe(passport('SPECLOOKG'));
  await events.next<LookupView>(
    'lookup',
    (view) => view.document?.documentNumber === 'SPECLOOKG' && view.verdict?.kind === 'hit',
  );
  events.close();
  expect((await stack.terminalView()).owed).toBeGreaterThan(0);
  await eventually(() => readFileSync(join(folder, 'logs/agent.log'), 'utf8').includes('BROKER_UNREACHABLE'));
  await stack.broker.start();
  await eventually(async () => (await stack.terminalView()).owed === 0, { timeoutMs: 20_000 });
});

test('A corrupt database: set aside whole, a new one begun, and the centre is told', async () => {
  await stack.agent.stop();
  const damaged = readFileSync(stack.agentDatabase);
  damaged.fill(0x55, 4096, 4096 * 6);
  writeFileSync(stack.agentDatabase, damaged);
  await stack.agent.start();
  const data = readdirSync(join(stack.agentDatabase, '..'));
  expect(data.some((name) => /damaged|corrupt|aside/.test(name))).toBe(true);
  expect(readFileSync(join(folder, 'logs/agent.log'), 'utf8')).toContain('STORE_CORRUPT');
  const events = await EventReader.connect(`${stack.officerUrl}/api/events`);
  swipe(cleanPassport);
  await events.next<LookupView>(
    'lookup',
    (view) => view.phase === 'final' && view.document?.documentNumber === 'X734211K5',
  );
  events.close();
  await eventually(async () => {
    const response = await fetch(`${stack.consoleUrl}/api/v1/events?terminal=${stack.terminal}`);
    return (await response.text()).includes('The database was damaged and replaced');
  });
});
