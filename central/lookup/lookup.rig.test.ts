import { randomUUID } from 'node:crypto';
import { copyFileSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { errors } from '#contracts/errors.ts';
import {
  CollectionResponse,
  lookupPath,
  LookupResponse,
  collectionPath,
  Refusal,
} from '#contracts/lookup.ts';
import { CentralSettings } from '#contracts/settings/central.ts';
import { createLog } from '#runtime/log.ts';
import { parseJson } from '#runtime/parse.ts';
import { parseSettings } from '#runtime/settings.ts';
import { TestClock } from '#runtime/test-clock.ts';
import { type Credentials, makeAuthority, type TestAuthority } from '#test/rigs/certificates.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { type LookupService, startLookupService } from './index.ts';

const specimens = join(import.meta.dirname, '../publisher/specimens.csv');
const header = 'record,issuing_state,document_number,document_type,kind_of_loss,reported_on,reported_by';

let authority: TestAuthority;
let server: Credentials;
let terminal: Credentials;
let folder: string;
let clock: TestClock;
let logged: string[];
let service: LookupService | undefined;
const agents: Agent[] = [];
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  authority = await makeAuthority();
  server = await authority.issue({ name: 'central', dns: ['localhost'], ip: ['127.0.0.1'], days: 30 });
  terminal = await authority.issue({ name: 'UTO-0001-1', days: 30 });
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-lookup-'));
  clock = new TestClock(new Date().toISOString());
  logged = [];
  writeFileSync(at('authority.pem'), authority.certificate);
  writeFileSync(at('certificate.pem'), server.certificate);
  writeFileSync(at('key.pem'), server.key);
  copyFileSync(specimens, at('collection.csv'));
  register([{ terminal: 'UTO-0001-1', certificate: terminal.digest }]);
});

afterEach(async () => {
  for (const agent of agents.splice(0)) agent.destroy();
  await service?.close();
  service = undefined;
  rmSync(folder, { recursive: true, force: true });
});

function register(entries: readonly { terminal: string; certificate: string; revokedAt?: string }[]): void {
  const terminals = entries.map((entry) => ({
    bureau: 'UTO',
    site: 'UTO-0001',
    siteName: 'Specimen crossing',
    enrolledAt: '2026-01-01T00:00:00.000Z',
    ...entry,
  }));
  writeFileSync(at('registry.json'), JSON.stringify({ v: 1, terminals }));
}

function start(port = 0) {
  const settings = parseSettings(
    CentralSettings,
    {
      state: 'state',
      registry: 'registry.json',
      orders: { key: 'commands.pem', trusted: 'trusted.json' },
      tls: { authority: 'authority.pem', certificate: 'certificate.pem', key: 'key.pem' },
      lookup: { port, collection: 'collection.csv' },
      controller: { url: 'mqtts://localhost:1', certificate: 'x', key: 'x' },
    },
    at('central.json'),
  );
  if (!settings.ok) throw new Error(settings.fault.detail);
  return startLookupService(settings.value, {
    clock,
    log: createLog('trace', 'test', { write: (line) => logged.push(line) }),
  });
}

async function started(): Promise<LookupService> {
  const result = await start();
  if (!result.ok) throw new Error(result.fault.detail);
  service = result.value;
  return service;
}

function agentOf(who: Credentials | undefined = terminal, more = {}): Agent {
  const agent = new Agent({
    keepAlive: true,
    maxSockets: 1,
    ca: authority.certificate,
    ...(who !== undefined && { cert: who.certificate, key: who.key }),
    ...more,
  });
  agents.push(agent);
  return agent;
}

interface Reply {
  readonly status: number;
  readonly text: string;
  readonly reused: boolean;
}

function send(agent: Agent, method: string, path: string, body?: string | Buffer): Promise<Reply> {
  const url = new URL(path, service?.url.replace('127.0.0.1', 'localhost'));
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, agent, family: 4 }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text, reused: sent.reusedSocket }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

function question(...numbers: string[]) {
  return {
    lookup: randomUUID(),
    collection: 'sltd',
    issuingState: 'UTO',
    numbers,
    documentType: 'passport',
    purpose: 'first',
    training: false,
  };
}

async function ask(agent: Agent, ...numbers: string[]): Promise<LookupResponse> {
  const asked = question(...numbers);
  const reply = await send(agent, 'POST', lookupPath, JSON.stringify(asked));
  const answer = parseJson(LookupResponse, reply.text, 'CENTRAL_NONSENSE');
  if (!answer.ok) throw new Error(`${reply.status}: ${reply.text}`);
  expect(answer.value.lookup).toBe(asked.lookup);
  return answer.value;
}

async function refusal(reply: Promise<Reply>): Promise<[number, string]> {
  const { status, text } = await reply;
  const parsed = parseJson(Refusal, text, 'INTERNAL');
  if (!parsed.ok) throw new Error(text);
  expect(parsed.value.what).toBe(errors[parsed.value.code as keyof typeof errors].what);
  return [status, parsed.value.code];
}

/** The watches look at their files, to the end: the collection needs two looks in which nothing moves. */
async function look(): Promise<void> {
  for (let times = 0; times < 2; times++) {
    await clock.advance(1000);
    await eventually(() => clock.waiting === 2);
  }
}

describe('the lookup service answers', () => {
  test('an exact number with the whole record, the state of the collection and the time', async () => {
    await started();
    const answer = await ask(agentOf(), 'L898902C3');
    expect(answer.candidates).toEqual([
      {
        number: 'L898902C3',
        record: {
          documentType: 'passport',
          kindOfLoss: 'stolen',
          reportedOn: '2026-03-02',
          reportedBy: 'UTO',
          record: 'SPEC-0001',
          lostOn: '2026-02-27',
          reference: 'UTO/2026/0113',
          remark: 'Specimen of ICAO Doc 9303 part 4, recorded here as stolen',
        },
      },
    ]);
    expect(answer.source).toMatchObject({ collection: 'sltd', count: 20 });
    expect(answer.time).toBe(new Date(clock.wall()).toISOString());
  });

  test('the variants of a number under the number that matched, and another document type under its own', async () => {
    await started();
    const agent = agentOf();
    const variant = await ask(agent, 'SPECLOOK6', 'SPECLOOKG');
    expect(variant.candidates.map(({ number, record }) => [number, record.record])).toEqual([
      ['SPECLOOKG', 'SPEC-0002'],
    ]);
    const other = await ask(agent, 'SPECOTHER');
    expect(other.candidates.map(({ record }) => record.documentType)).toEqual(['identity-card']);
    expect((await ask(agent, 'SPECTWICE')).candidates).toHaveLength(2);
    expect((await ask(agent, 'X734211K5', 'X734211K6')).candidates).toEqual([]);
  });

  test('on one kept connection, and counts what it answered', async () => {
    const running = await started();
    const agent = agentOf();
    await ask(agent, 'L898902C3');
    const reply = await send(agent, 'POST', lookupPath, JSON.stringify(question('X734211K5')));
    expect(reply).toMatchObject({ status: 200, reused: true });
    const collection = await send(agent, 'GET', collectionPath);
    expect(parseJson(CollectionResponse, collection.text, 'INTERNAL').ok).toBe(true);
    expect(running.counts()).toMatchObject({ lookups: 2, refused: 0, records: 20 });
  });

  test('on a connection that resumes an earlier TLS session, still knowing who asks', async () => {
    await started();
    const agent = agentOf(terminal, { keepAlive: false });
    const resumed: boolean[] = [];
    for (let times = 0; times < 3; times++) {
      const url = new URL(collectionPath, service?.url.replace('127.0.0.1', 'localhost'));
      const status = await new Promise((resolve, reject) => {
        const sent = request(url, { agent, family: 4 }, (response) => {
          resumed.push((response.socket as TLSSocket).isSessionReused());
          response.resume().on('close', () => resolve(response.statusCode));
        });
        sent.on('error', reject).end();
      });
      expect(status).toBe(200);
    }
    expect(resumed).toContain(true);
  });

  test('from the collection before, whole, while thousands of records are being loaded', async () => {
    await started();
    const agent = agentOf();
    const rows = Array.from(
      { length: 30_000 },
      (_, at) => `R${at},UTO,L898902C3,passport,lost,2026-11-24,UTO`,
    );
    writeFileSync(at('collection.csv'), `${header}\n${rows.join('\n')}\n`);
    await clock.advance(1000);
    await eventually(() => clock.waiting === 2);
    // The second look, at a file that moves no more, begins the loading; it is not waited for.
    const looked = clock.advance(1000);
    const seen = new Map<number, Set<number>>();
    while (clock.waiting < 2 || seen.size < 2) {
      const { source, candidates } = await ask(agent, 'L898902C3');
      seen.set(source.count, (seen.get(source.count) ?? new Set()).add(candidates.length));
    }
    await looked;
    // 256 is the most that one answer holds.
    expect(seen).toEqual(
      new Map([
        [20, new Set([1])],
        [30_000, new Set([256])],
      ]),
    );
  });

  test('over TLS 1.3 only', async () => {
    await started();
    await expect(send(agentOf(terminal, { maxVersion: 'TLSv1.2' }), 'GET', collectionPath)).rejects.toThrow();
    await expect(send(agentOf(), 'GET', collectionPath)).resolves.toMatchObject({ status: 200 });
  });

  test('and never logs a number, a name or what was sent', async () => {
    await started();
    const agent = agentOf();
    await ask(agent, 'L898902C3');
    await send(agent, 'POST', lookupPath, JSON.stringify({ ...question('SPECLOOKG'), holder: 'ERIKSSON' }));
    expect(logged.length).toBeGreaterThan(0);
    expect(logged.join('')).not.toMatch(/L898902C3|SPECLOOKG|ERIKSSON/);
  });
});

describe('the lookup service refuses', () => {
  test('a connection without a certificate, and one of another authority, and says why in its log', async () => {
    const running = await started();
    const stranger = await (await makeAuthority('Other')).issue({ name: 'UTO-0001-1' });
    await expect(send(agentOf(stranger), 'GET', collectionPath)).rejects.toThrow();
    const bare = new Agent({ ca: authority.certificate });
    agents.push(bare);
    await expect(send(bare, 'GET', collectionPath)).rejects.toThrow();
    await eventually(() => running.counts().refused === 2);
    expect(logged.join('')).toMatch(/UNABLE_TO_GET_ISSUER_CERT|UNABLE_TO_VERIFY|SELF_SIGNED|DEPTH_ZERO/);
  });

  test('a certificate that has expired', async () => {
    const running = await started();
    const old = await authority.issue({ name: 'UTO-0001-1', notAfter: new Date(Date.now() - 60_000) });
    await expect(send(agentOf(old), 'GET', collectionPath)).rejects.toThrow();
    await eventually(() => running.counts().refused === 1);
    expect(logged.join('')).toContain('CERT_HAS_EXPIRED');
  });

  test('a certificate that expires on a connection that still stands', async () => {
    await started();
    const agent = agentOf();
    await ask(agent, 'L898902C3');
    clock.setWall(new Date(Date.now() + 40 * 86_400_000).toISOString());
    expect(await refusal(send(agent, 'GET', collectionPath))).toEqual([403, 'CERTIFICATE_EXPIRED']);
  });

  test('a terminal that is not registered, and a certificate other than the registered one', async () => {
    await started();
    const unknown = await authority.issue({ name: 'UTO-0001-2' });
    expect(await refusal(send(agentOf(unknown), 'GET', collectionPath))).toEqual([403, 'TERMINAL_UNKNOWN']);
    const earlier = await authority.issue({ name: 'UTO-0001-1' });
    expect(await refusal(send(agentOf(earlier), 'GET', collectionPath))).toEqual([403, 'TERMINAL_UNKNOWN']);
  });

  test('a terminal that is revoked while its connection stands, within a second', async () => {
    await started();
    const agent = agentOf();
    await ask(agent, 'L898902C3');
    register([
      { terminal: 'UTO-0001-1', certificate: terminal.digest, revokedAt: '2026-11-24T08:00:00.000Z' },
    ]);
    await look();
    expect(await refusal(send(agent, 'POST', lookupPath, JSON.stringify(question('L898902C3'))))).toEqual([
      403,
      'TERMINAL_UNKNOWN',
    ]);
  });

  test('what is not a question, and answers the next one on the same connection', async () => {
    await started();
    const agent = agentOf();
    const bad = [
      'noise',
      '',
      '[]',
      JSON.stringify({ ...question('L898902C3'), names: 'ERIKSSON' }),
      JSON.stringify(question('l898902c3')),
      JSON.stringify(question()),
      JSON.stringify(question(...Array.from({ length: 33 }, (_, at) => `N${at}`))),
    ];
    for (const body of bad) {
      expect(await refusal(send(agent, 'POST', lookupPath, body))).toEqual([400, 'REQUEST_INVALID']);
    }
    expect(await refusal(send(agent, 'GET', '/v1/lookups'))).toEqual([404, 'NOT_FOUND']);
    expect(await refusal(send(agent, 'POST', '/v1/collections/sltd', '{}'))).toEqual([404, 'NOT_FOUND']);
    expect((await ask(agent, 'L898902C3')).candidates).toHaveLength(1);
  });

  test('a body of megabytes before it has read it', async () => {
    await started();
    // The answer may come, or the connection end, while the rest is still being sent.
    const outcome = await send(agentOf(), 'POST', lookupPath, Buffer.alloc(4_000_000, 0x20)).then(
      ({ status }) => status,
      (thrown: NodeJS.ErrnoException) => thrown.code,
    );
    expect([400, 'EPIPE', 'ECONNRESET']).toContain(outcome);
    expect((await ask(agentOf(), 'L898902C3')).candidates).toHaveLength(1);
  });

  test('without filling the log: a peer that tries a thousand times is one line a minute', async () => {
    const running = await started();
    const agent = agentOf();
    for (let times = 0; times < 1000; times++) await send(agent, 'GET', '/');
    expect(running.counts().refused).toBe(1000);
    expect(logged.filter((line) => line.includes('NOT_FOUND'))).toHaveLength(1);
  });
});

describe('the collection', () => {
  test('is loaded again when its file changes, whole, with a higher version', async () => {
    await started();
    const agent = agentOf();
    const before = await ask(agent, 'NEW1');
    expect(before.candidates).toEqual([]);
    writeFileSync(at('collection.csv'), `${header}\nR1,UTO,NEW1,passport,lost,2026-11-24,UTO\n`);
    await look();
    const after = await ask(agent, 'NEW1', 'L898902C3');
    expect(after.candidates.map(({ number }) => number)).toEqual(['NEW1']);
    expect(after.source.count).toBe(1);
    expect(after.source.version).toBeGreaterThan(before.source.version);
  });

  test('that has a wrong row is refused whole: the one before answers on, with its own date', async () => {
    const running = await started();
    const agent = agentOf();
    const before = await ask(agent, 'L898902C3');
    writeFileSync(
      at('collection.csv'),
      `${header}\nR1,UTO,NEW1,passport,lost,2026-11-24,UTO\nR2,UTO,?,passport\n`,
    );
    await look();
    const after = await ask(agent, 'L898902C3', 'NEW1');
    expect(after.candidates).toEqual(before.candidates);
    expect(after.source).toEqual(before.source);
    expect(running.counts().collectionRefused).toBe(1);
    expect(logged.join('')).toContain('row 3');
  });

  test('is as old as its file, not as its loading, and younger when the same is written again', async () => {
    const hour = 3600_000;
    const written = new Date(Math.floor(clock.wall() / 1000) * 1000 - 50 * hour);
    utimesSync(at('collection.csv'), written, written);
    await started();
    const agent = agentOf();
    const first = (await ask(agent, 'L898902C3')).source;
    expect(first.date).toBe(written.toISOString());
    const again = new Date(written.getTime() + 49 * hour);
    utimesSync(at('collection.csv'), again, again);
    await look();
    expect((await ask(agent, 'L898902C3')).source).toEqual({ ...first, date: again.toISOString() });
  });

  test('survives a restart without its file, and a damaged database is made anew from it', async () => {
    const first = await started();
    const { version } = (await ask(agentOf(), 'L898902C3')).source;
    await first.close();
    rmSync(at('collection.csv'));
    const second = await started();
    expect((await ask(agentOf(), 'L898902C3')).source.version).toBe(version);
    await second.close();
    copyFileSync(specimens, at('collection.csv'));
    writeFileSync(
      at('state/collection.db'),
      'this is no database, but longer than a header of one'.repeat(50),
    );
    for (const suffix of ['-wal', '-shm']) rmSync(at(`state/collection.db${suffix}`), { force: true });
    await started();
    expect((await ask(agentOf(), 'L898902C3')).candidates).toHaveLength(1);
    expect(logged.join('')).toContain('STORE_CORRUPT');
  });
});

describe('the lookup service does not start', () => {
  test.each([
    ['the collection is missing', () => rmSync(at('collection.csv')), 'FILE_REFUSED', 'collection.csv'],
    [
      'the collection is wrong',
      () => writeFileSync(at('collection.csv'), 'x\n'),
      'COLLECTION_INVALID',
      'collection.csv',
    ],
    ['the registry is missing', () => rmSync(at('registry.json')), 'FILE_REFUSED', 'registry.json'],
    [
      'the registry is damaged',
      () => writeFileSync(at('registry.json'), '{"v":1'),
      'REGISTRY_INVALID',
      'registry.json',
    ],
    ['its key is missing', () => rmSync(at('key.pem')), 'CREDENTIAL_UNREADABLE', 'key.pem'],
    [
      'its certificate is noise',
      () => writeFileSync(at('certificate.pem'), 'x'),
      'CREDENTIAL_UNREADABLE',
      'certificate.pem',
    ],
    [
      'its key is another’s',
      () => writeFileSync(at('key.pem'), terminal.key),
      'CREDENTIAL_UNREADABLE',
      'do not fit',
    ],
  ] as const)('when %s, and names it', async (_, spoil, code, named) => {
    spoil();
    const result = await start();
    expect(result).toMatchObject({ ok: false, fault: { code } });
    expect(!result.ok && result.fault.detail).toContain(named);
    expect(clock.waiting).toBe(0);
  });

  test('when its own certificate has expired', async () => {
    const old = await authority.issue({
      name: 'central',
      dns: ['localhost'],
      notAfter: new Date(Date.now() - 1000),
    });
    writeFileSync(at('certificate.pem'), old.certificate);
    writeFileSync(at('key.pem'), old.key);
    expect(await start()).toMatchObject({ ok: false, fault: { code: 'CERTIFICATE_EXPIRED' } });
  });

  test('when its port is taken', async () => {
    const first = await started();
    const second = await start(Number(new URL(first.url).port));
    expect(second).toMatchObject({ ok: false, fault: { code: 'PORT_IN_USE' } });
  });
});
