import { createPrivateKey, generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Fleet, startFleet } from '#agent/fleet/index.ts';
import { readAgentKeys } from '#agent/keys.ts';
import type { CentreState, TerminalDetail } from '#contracts/api/fleet.ts';
import { type CommandOrder, commandType } from '#contracts/command.ts';
import { desiredType } from '#contracts/configuration.ts';
import { ok } from '#contracts/result.ts';
import { AgentSettings } from '#contracts/settings/agent.ts';
import { parseTopic, terminalReads, terminalWrites, topic } from '#contracts/topics.ts';
import { signEnvelope } from '#formats/envelope.ts';
import { instant, systemClock } from '#runtime/clock.ts';
import { silentLog } from '#runtime/log.ts';
import { unpack } from '#runtime/packed.ts';
import { parseSettings } from '#runtime/settings.ts';
import { command as authority } from '../../bin/commands/authority.ts';
import { command as enrol } from '../../bin/commands/enrol.ts';
import { command as site } from '../../bin/commands/site.ts';
import { valueOf } from '../rigs/bureau.ts';
import { makeAuthority } from '../rigs/certificates.ts';
import { eventually } from '../rigs/eventually.ts';
import { PlayedOutbox } from '../rigs/fleet/outbox.ts';
import { healthy } from '../rigs/fleet-session.ts';
import { type ClientIdentity, MosquittoClients, type Watched } from '../rigs/mosquitto-clients.ts';
import { handshake, signedFor } from '../rigs/openssl.ts';
import { PublishedContract } from '../rigs/published-contract.ts';
import { requires } from '../rigs/requirements.ts';
import { checkout, run, type Stack, startStack } from '../rigs/stack.ts';

// What a program that knows nothing of Checkpost sees and may do at the broker of a whole centre, and what becomes of what
// it sends: with the certificate of a terminal, of a controller, and of nobody that the bureau knows.
const reason = requires({
  test: 'third-party programs at the broker',
  tools: ['mosquitto', 'mosquitto_sub', 'mosquitto_pub', 'openssl', 'socat'],
});
const other = 'UTO-0002-1';
const denied = /not authorized/i;

describe.skipIf(reason !== undefined)('A third-party program at the broker', { timeout: 60_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'checkpost-third-'));
  const at = (...names: string[]): string => join(folder, ...names);
  const identity = (...names: string[]): ClientIdentity => ({
    authority: at('authority/authority.pem'),
    certificate: at(...names, 'certificate.pem'),
    key: at(...names, 'key.pem'),
  });
  const dir = ['--dir', at('authority')];
  let stack: Stack;
  let port: number;
  let clients: MosquittoClients;
  /** Another terminal, and controllers that are none: a name is a session, so each does one thing. */
  const terminal = identity('UTO-0002/tls');
  const controllers = ['stranger', 'listener', 'latecomer'];
  const controller = identity('stranger');
  /** All that the real terminal says, and is told, from the beginning. */
  let heard: readonly Watched[];
  const contract = new PublishedContract(join(checkout, 'docs/asyncapi.json'));

  const ask = async <T>(path: string, init?: RequestInit): Promise<T> => {
    const response = await fetch(`${stack.consoleUrl}/api/v1${path}`, init);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  };
  const detail = (of = stack.terminal) => ask<TerminalDetail>(`/terminals/${of}`);
  const refused = async () => (await ask<CentreState>('/centre')).refused;
  const brokerSays = (): string => readFileSync(at('logs/broker.log'), 'utf8');
  const agentSays = (): string => readFileSync(at('logs/agent.log'), 'utf8');
  const may = async (as: ClientIdentity, name: string, payload: string, more: string[] = []) => {
    const { said } = await clients.publish(as, name, payload, more);
    expect(said, name).toContain('CONNACK');
    return !denied.test(said);
  };
  const online = (): Promise<TerminalDetail> =>
    eventually(
      async () => {
        const now = await detail();
        return now.row.state === 'online' ? now : undefined;
      },
      { what: 'the terminal being online', timeoutMs: 40_000, everyMs: 100 },
    );

  beforeAll(async () => {
    stack = await startStack({
      folder,
      agent: { fleet: { spreadSeconds: 0, retryMillis: 200 } },
    });
    const { fleet, central } = JSON.parse(readFileSync(stack.agentConfig, 'utf8')) as Record<
      string,
      { url: string }
    >;
    const [brokerUrl, lookupUrl] = [fleet?.url ?? '', central?.url ?? ''];
    port = Number(new URL(brokerUrl).port);
    const urls = ['--central-url', lookupUrl, '--fleet-url', brokerUrl];
    for (const name of ['UTO-0002', 'UTO-0003']) await enrolled(name, urls);
    for (const name of controllers)
      await run(authority, ['server', ...dir, '--name', name, '--dns', 'localhost', '--out', at(name)]);
    await writeBroker();
    clients = new MosquittoClients(port);
    const watching = await clients.watch(
      identity('listener'),
      terminalWrites.map((channel) => topic(stack.terminal, channel)),
    );
    heard = watching.got;
    await online();
  }, 120_000);
  afterAll(async () => {
    clients?.close();
    await stack?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A terminal that no agent runs for. */
  async function enrolled(name: string, urls: readonly string[]): Promise<void> {
    await run(site, ['add', ...dir, '--id', name, '--name', 'Another crossing']);
    const stick = at(`stick-${name}`);
    const made = await run(site, ['bundle', name, ...dir, '--out', stick, '--json', ...urls]);
    const { code } = JSON.parse(made) as { code: string };
    const enrolling = [stick, '--state', at(name), '--code', code];
    await run(enrol, enrolling);
    await run(authority, ['sign', stick, ...dir, '--code', code]);
    await run(enrol, enrolling);
  }

  /** The broker's files again, as after each revocation, and the broker with them. */
  async function writeBroker(): Promise<void> {
    const named = ['controller', ...controllers].flatMap((name) => ['--controller', name]);
    await run(authority, ['broker', ...dir, '--out', at('broker'), '--port', String(port), ...named]);
    await stack.broker.stop();
    await stack.broker.start();
  }

  test('With the certificate of a terminal it writes what a terminal writes and nothing else', async () => {
    for (const channel of terminalWrites)
      expect(await may(terminal, topic(other, channel), '{}'), channel).toBe(true);
    for (const channel of terminalReads)
      expect(await may(terminal, topic(other, channel), '{}', ['-r']), channel).toBe(false);
    for (const channel of [...terminalWrites, ...terminalReads])
      expect(await may(terminal, topic(stack.terminal, channel), '{}'), channel).toBe(false);
    for (const name of [
      `checkpost/2/${other}/status`,
      'checkpost/1',
      `${other}/status`,
      '$SYS/broker/uptime',
    ])
      expect(await may(terminal, name, '{}'), name).toBe(false);
  });

  test('It reads what a terminal is told and nothing else, whatever it subscribes to', async () => {
    const own = terminalReads.map((channel) => topic(other, channel));
    const strange = ['#', '+/#', '$SYS/#', 'checkpost/1/+/+', 'checkpost/1/+/command/result'];
    const others = [...terminalReads, ...terminalWrites].map((channel) => topic(stack.terminal, channel));
    const watching = await clients.watch(terminal, [...strange, ...others, ...own]);
    const before = heard.length;
    await fetch(`${stack.consoleUrl}/api/v1/terminals/${stack.terminal}/commands`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ command: { kind: 'report-now' } }),
    });
    await eventually(() => heard.length > before + 1, { what: 'the real terminal saying something' });
    for (const name of own) expect(await may(controller, name, '{"v":9}')).toBe(true);
    await eventually(() => own.every((name) => watching.got.some((one) => one.topic === name)), {
      what: 'what the terminal is told',
    });
    expect(watching.got.filter((one) => !own.includes(one.topic))).toEqual([]);
    watching.close();
  });

  test('What lies retained, and all that the real terminal says, is as the published contract has it', async () => {
    const channels = terminalWrites.map((channel) => topic(stack.terminal, channel));
    const late = await clients.watch(identity('latecomer'), channels);
    await eventually(() => late.got.length >= 2, { what: 'what lies retained' });
    const names = late.got.filter((one) => one.retained).map((one) => parseTopic(one.topic)?.channel);
    expect(new Set(names)).toEqual(new Set(['reported', 'status']));
    late.close();
    const said = [...heard, ...late.got].map((one) => ({
      channel: parseTopic(one.topic)?.channel ?? 'status',
      text: valueOf(unpack(one.payload)),
    }));
    for (const { channel, text } of said)
      expect(contract.fits(channel, text), `${channel}: ${text}`).toBe(true);
    expect(new Set(said.map(({ channel }) => channel))).toEqual(new Set(terminalWrites));
  });

  test('It does not get in with the certificate of another authority, an expired or revoked one, or none', async () => {
    const trust = { authority: at('authority/authority.pem') };
    const here = { authority: at('authority'), folder };
    const files = (name: string, certificate: string, key: string): ClientIdentity => {
      writeFileSync(at(`${name}.pem`), certificate);
      writeFileSync(at(`${name}.key`), key, { mode: 0o600 });
      return { ...trust, certificate: at(`${name}.pem`), key: at(`${name}.key`) };
    };
    const foreign = await (await makeAuthority()).issue({ name: other });
    const revoked = identity('UTO-0003/tls');
    // Both good until one is revoked and the other one's days are over.
    expect((await clients.connect(revoked)).said).toContain('CONNACK');
    expect((await clients.connect(signedFor(1, here))).said).toContain('CONNACK');
    await run(authority, ['revoke', 'UTO-0003-1', ...dir]);
    await writeBroker();
    await eventually(async () => (await clients.connect(terminal)).said.includes('CONNACK'));
    const from = brokerSays().length;
    for (const [name, as] of Object.entries({
      foreign: files('foreign', foreign.certificate, foreign.key),
      revoked,
      expired: signedFor(-1, here),
      none: trust,
    })) {
      const { exit, said } = await clients.connect(as);
      expect(exit, name).not.toBe(0);
      expect(said, name).not.toContain('CONNACK');
    }
    // mosquitto_sub takes TLS 1.3 whatever it is told; OpenSSL's own client does as it is told.
    expect(handshake(port, '-tls1_3', terminal)).toContain('TLSv1.3');
    expect(handshake(port, '-tls1_2', terminal)).toMatch(/alert protocol version/);
    const came = brokerSays()
      .slice(from)
      .split('\n')
      .filter((line) => line.includes('New client connected') && /UTO-000[39]-1/.test(line));
    expect(came).toEqual([]);
    await online();
  });

  test('A client id of somebody else is replaced by its own name, and that other one stays connected', async () => {
    const { session } = await online();
    const from = brokerSays().length;
    const { said } = await clients.connect(terminal, ['-i', stack.terminal]);
    expect(said).toContain('CONNACK');
    await eventually(() => brokerSays().slice(from).includes(` as ${other} `), {
      what: 'its own name in the log of the broker',
    });
    expect(brokerSays().slice(from)).not.toContain(stack.terminal);
    expect(await detail()).toMatchObject({ session, row: { state: 'online' } });
  });

  test('A configuration that nobody signed, or a foreign key, is refused, reported, and changes nothing', async () => {
    const { reported: before } = await online();
    const stranger = generateKeyPairSync('ed25519').privateKey;
    const desired = {
      v: 1,
      terminal: stack.terminal,
      version: 999,
      at: new Date().toISOString(),
      layers: [{ scope: { layer: 'fleet' }, values: { policy: { repeatMillis: 9999 } } }],
      limits: [],
      uplink: null,
    };
    const payload = Buffer.from(JSON.stringify(desired));
    const forged = signEnvelope(desiredType, payload, { id: 'commands-1', key: stranger });
    for (const text of [
      JSON.stringify({ ...forged, signatures: [] }),
      JSON.stringify(forged),
      JSON.stringify(desired),
      'no JSON at all',
    ]) {
      expect(await may(controller, topic(stack.terminal, 'desired'), text)).toBe(true);
    }
    const { reported } = await eventually(
      async () => {
        const now = await detail();
        return now.reported?.refused === null ? undefined : now;
      },
      { what: 'the refusal being reported' },
    );
    expect(reported?.refused).toMatchObject({ version: 0 });
    expect(reported?.running).toBe(before?.running);
    expect(JSON.stringify(reported?.settings)).toBe(JSON.stringify(before?.settings));
    expect(agentSays()).toContain('A configuration was refused');
  });

  test('A forged command is passed over; a genuine one that is replayed is done once; one of another session is refused', async () => {
    const { session } = await online();
    const trusted = JSON.parse(readFileSync(at('authority/trusted.json'), 'utf8')) as {
      keys: { id: string; role: string }[];
    };
    const id = trusted.keys.find(({ role }) => role === 'commands')?.id ?? '';
    const genuine = createPrivateKey(readFileSync(at('authority/keys/commands.pem')));
    const order = (of: number): CommandOrder => ({
      v: 1,
      id: randomUUID(),
      terminal: stack.terminal,
      session: of,
      at: new Date().toISOString(),
      by: 'a test',
      command: { kind: 'report-now' },
    });
    const signed = (one: CommandOrder, key = genuine): string =>
      JSON.stringify(signEnvelope(commandType, Buffer.from(JSON.stringify(one)), { id, key }));
    const send = (text: string) => may(controller, topic(stack.terminal, 'command'), text);
    const resultsOf = (one: CommandOrder): string[] =>
      heard
        .filter((message) => message.topic.endsWith('/command/result'))
        .map(({ payload }) => payload.toString())
        .filter((text) => text.includes(one.id));
    const fullReports = (): number =>
      heard.filter(
        ({ topic: name, payload }) =>
          name.endsWith('/health') && valueOf(unpack(payload)).includes('"full":true'),
      ).length;

    const forged = order(session);
    await send(signed(forged, generateKeyPairSync('ed25519').privateKey));
    const good = order(session);
    await send(signed(good));
    await eventually(() => resultsOf(good).some((text) => text.includes('"done"')), { what: 'its end' });
    const reports = fullReports();
    await send(signed(good));
    await eventually(() => resultsOf(good).filter((text) => text.includes('"done"')).length === 2, {
      what: 'the same answer again',
    });
    const old = order(session - 1);
    await send(signed(old));
    await eventually(() => resultsOf(old).some((text) => text.includes('COMMAND_REFUSED_SESSION')), {
      what: 'the refusal',
    });
    expect(fullReports()).toBe(reports);
    expect(resultsOf(forged)).toEqual([]);
    expect(agentSays()).toContain('What came as a command was refused');
  });

  test('A message of more than 1 MiB is refused by the broker, and the next one is taken', async () => {
    const { said } = await clients.publish(terminal, topic(other, 'health'), Buffer.alloc(1_100_000, 0x78));
    expect(said).not.toMatch(/received PUBACK/);
    expect(await may(terminal, topic(other, 'health'), '{}')).toBe(true);
  });

  test('What does not fit its schema is refused in every channel, counted for all to see, and changes nothing', async () => {
    const status = {
      v: 1,
      session: 5,
      state: 'online',
      reason: 'start',
      boot: 'foreign',
      version: '0.1.0',
      keepAlive: 3600,
    };
    await clients.publish(terminal, topic(other, 'status'), JSON.stringify(status), ['-r']);
    await eventually(async () => (await detail(other)).session === 5, { what: 'a birth that fits' });
    const [before, known] = [(await refused())['invalid'] ?? 0, await detail(other)];
    const bad = [
      '{"v":1,',
      '[]',
      JSON.stringify({ ...status, extra: true }),
      Buffer.from([0x1f, 0x8b, 0, 0]),
    ];
    for (const channel of terminalWrites)
      for (const payload of bad) {
        const { said } = await clients.publish(terminal, topic(other, channel), payload);
        expect(said).toContain('PUBACK');
      }
    await eventually(
      async () => ((await refused())['invalid'] ?? 0) >= before + bad.length * terminalWrites.length,
      {
        what: 'every one being counted',
      },
    );
    expect(await detail(other)).toEqual(known);
  });

  test('A second machine with a copy of what the terminal has is seen at the centre within seconds', async () => {
    const { session } = await online();
    const from = performance.now();
    const copy = secondMachine(session);
    try {
      await eventually(async () => (await conditionsOf(stack.terminal)).includes('identity-cloned'), {
        what: 'the copied identity being seen',
        timeoutMs: 20_000,
        everyMs: 50,
      });
      expect(performance.now() - from).toBeLessThan(10_000);
    } finally {
      await copy.close();
    }
  });

  const conditionsOf = async (of: string): Promise<string> => JSON.stringify((await detail(of)).row);

  /** The real session of another machine that has the terminal's identity, and whose last session had this number. */
  function secondMachine(last: number): Fleet {
    let session = last;
    return startFleet({
      settings: copied().fleet,
      tls: valueOf(readAgentKeys(copied())).tls,
      terminal: stack.terminal,
      version: '0.1.0',
      bootId: randomUUID(),
      outbox: new PlayedOutbox(),
      session: () => ok(++session),
      health: { measure: async () => healthy, now: () => instant(systemClock.wall()) },
      clock: systemClock,
      random: Math.random,
      log: silentLog,
    });
  }

  function copied(): AgentSettings {
    const given = JSON.parse(readFileSync(stack.agentConfig, 'utf8')) as unknown;
    return valueOf(parseSettings(AgentSettings, given, stack.agentConfig));
  }
});
