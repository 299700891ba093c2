import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ok } from '#contracts/result.ts';
import { everyTerminal, parseTopic, topic } from '#contracts/topics.ts';
import { ms, seconds } from '#contracts/units.ts';
import { pause, systemClock } from '#runtime/clock.ts';
import { toError } from '#runtime/errors.ts';
import { silentLog } from '#runtime/log.ts';
import { type MqttLink, openMqttLink } from '#runtime/mqtt-link.ts';
import { startBroker, type TestBroker } from '#test/rigs/broker.ts';
import { type Credentials, makeAuthority, type TestAuthority } from '#test/rigs/certificates.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { brokerTakes, lookupsTaken } from './old-ways.ts';
import { type Attached, Configuration } from './configuration.ts';
import { ConfigurationFiles } from './files.ts';
import { pathsIn } from './merge.ts';
import { message, settingsOf, trusted, written } from './test-bench.ts';

// The configuration of a terminal in real time, with real sessions at a real Mosquitto that can be stopped.

let folder: string;
let authority: TestAuthority;
let broker: TestBroker;
let credentials: Credentials;
let centre: MqttLink;
let port: number;
let terminal: Terminal;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-desired-'));
  authority = await makeAuthority();
  port = await freePort();
  broker = await startBroker({
    folder: join(folder, 'broker'),
    port,
    authority,
    server: await authority.issue({ name: 'broker', dns: ['localhost'], ip: ['127.0.0.1'] }),
  });
  credentials = await authority.issue({ name: written.terminal });
  centre = await openCentre();
  terminal = new Terminal();
  await terminal.start();
});

afterEach(async () => {
  await terminal.stop();
  await centre.end();
  await broker.process.stop();
  rmSync(folder, { recursive: true });
});

test('A broker that does not exist: the terminal is back by itself within the probation time, and does not take the retained message again', async () => {
  await eventually(() => terminal.sessions === 1);
  const nowhere = `mqtts://127.0.0.1:${await freePort()}`;
  const began = performance.now();
  await centre.publish(topic(written.terminal, 'desired'), message(1, { fleet: { url: nowhere } }), {
    retain: true,
  });
  await eventually(() => terminal.state === '1 probation');
  await eventually(() => terminal.state === '0 undone', { timeoutMs: 20_000 });
  expect((performance.now() - began) / 1000).toBeGreaterThan(9);
  await eventually(() => terminal.sessions === 2 && terminal.taken.at(-1) === 'CONFIGURATION_FAILED_BEFORE');
  expect((performance.now() - began) / 1000).toBeLessThan(16);
  expect(terminal.told).toEqual(['1 probation', '1 undone CONFIGURATION_CUT_OFF']);
  expect(terminal.starts).toBe(3);
  // A higher one that is right is taken and confirmed: the name of the same broker is another address.
  const named = `mqtts://localhost:${port}`;
  await centre.publish(topic(written.terminal, 'desired'), message(2, { fleet: { url: named } }), {
    retain: true,
  });
  await eventually(() => terminal.state === '2 current');
  expect(terminal.url).toBe(named);
});

test('To ask whether a broker takes a terminal leaves its session alone, and a broker that is not there takes nobody', async () => {
  await eventually(() => terminal.sessions === 1);
  const tls = { ...credentials, authority: authority.certificate };
  const at = (url: string) => settingsOf({ ...written, fleet: { url } });
  const here = at(`mqtts://localhost:${port}`);
  expect(await brokerTakes(here, tls, true)).toBe(true);
  expect(await brokerTakes({ ...here, terminal: 'another' }, tls, false)).toBe(true);
  const nowhere = at(`mqtts://127.0.0.1:${await freePort()}`);
  expect(await brokerTakes(nowhere, tls, true)).toBe(false);
  expect(await brokerTakes(nowhere, tls, false)).toBe(false);
  const foreign = { ...tls, authority: (await makeAuthority()).certificate };
  expect(await brokerTakes(here, foreign, true)).toBe(false);
  // Any server that is trusted does: what it answers is for the witness of the new one.
  const asked = { central: { ...here.central, url: `https://localhost:${port}` } };
  expect(await lookupsTaken(asked, tls)).toBe(true);
  expect(await lookupsTaken(asked, foreign)).toBe(false);
  expect(terminal.sessions).toBe(1);
});

test('While the broker before is down too, the new one has all the time it needs', async () => {
  await eventually(() => terminal.sessions === 1);
  const next = await freePort();
  await centre.publish(
    topic(written.terminal, 'desired'),
    message(1, { fleet: { url: `mqtts://127.0.0.1:${next}` } }),
    { retain: true },
  );
  await eventually(() => terminal.state === '1 probation');
  await broker.process.stop();
  const until = performance.now() + 13_000;
  await eventually(() => performance.now() > until, { timeoutMs: 20_000 });
  expect(terminal.state).toBe('1 probation');
  await centre.end();
  await broker.start();
  centre = await openCentre();
  await eventually(() => terminal.state === '0 undone', { timeoutMs: 20_000 });
});

/** What the agent does with its configuration, and nothing else: one session after the other, and a new start when asked. */
class Terminal {
  starts = 0;
  sessions = 0;
  readonly told: string[] = [];
  readonly taken: string[] = [];
  readonly #ending = new AbortController();
  readonly #configuration: Configuration;
  #restart = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor() {
    const given = {
      ...written,
      readers: [],
      fleet: { url: `mqtts://127.0.0.1:${port}` },
      configuration: { probationSeconds: 10 },
    };
    this.#configuration = new Configuration({
      enrolled: { settings: settingsOf(given), given: pathsIn(given) },
      files: new ConfigurationFiles(join(folder, 'configuration')),
      trusted,
      check: () => ok(undefined),
      boot: 'boot',
      clock: systemClock,
      log: silentLog,
      onRestart: () => this.#restart.abort(),
    });
  }

  get state(): string {
    const { version, state } = this.#configuration.view();
    return `${version} ${state}`;
  }

  get url(): string {
    return this.#configuration.settings.fleet.url;
  }

  async start(): Promise<void> {
    this.#running = this.#run();
    await eventually(() => this.starts === 1);
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    this.#restart.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#ending.signal.aborted) {
      this.#restart = new AbortController();
      await this.#configuration.begin();
      await this.#agent(this.#restart.signal);
    }
    await this.#configuration.end();
  }

  async #agent(signal: AbortSignal): Promise<void> {
    const tls = { ...credentials, authority: authority.certificate };
    let link: MqttLink | undefined;
    const attached = this.#configuration.attach({
      readers: () => [],
      present: async () => new Set(),
      connected: () => link !== undefined,
      oldWorks: (old, hasSession) => brokerTakes(old, tls, hasSession),
      lookups: () => true,
      oldLookups: (old) => lookupsTaken(old, tls),
      applyUplink: async () => ok(undefined),
      onEvent: ({ version, state, code }) => {
        this.told.push([version, state, code].filter(Boolean).join(' '));
      },
      changed: () => {},
    });
    await this.#configuration.started();
    this.starts += 1;
    while (!signal.aborted) {
      const lost = Promise.withResolvers<void>();
      signal.addEventListener('abort', () => lost.resolve(), { once: true });
      const opened = await this.#session(tls, attached, lost.resolve);
      if (opened === undefined) await pause(systemClock, ms(200), signal);
      else {
        link = opened;
        await lost.promise;
        link = undefined;
        opened.drop();
      }
    }
    await attached.close();
  }

  async #session(
    tls: Credentials & { authority: string },
    attached: Attached,
    lost: () => void,
  ): Promise<MqttLink | undefined> {
    const opened = await openMqttLink(
      {
        url: this.url,
        clientId: written.terminal,
        tls,
        keepAlive: seconds(30),
        connectTimeout: ms(5000),
      },
      {
        message: (name, payload) => {
          const channel = parseTopic(name)?.channel;
          if (channel === 'outbox/ack') attached.reached();
          if (channel === 'desired') {
            void attached.take(payload.toString()).then((taken) => {
              this.taken.push(taken.ok ? taken.value : taken.fault.code);
            });
          }
        },
        lost,
      },
    );
    if (!opened.ok) return undefined;
    const { value: link } = opened;
    await link.subscribe([topic(written.terminal, 'outbox/ack'), topic(written.terminal, 'desired')]);
    await link.publish(topic(written.terminal, 'status'), '{}');
    this.sessions += 1;
    return link;
  }
}

/** A controller that answers whatever a terminal says. */
async function openCentre(): Promise<MqttLink> {
  const { certificate, key } = await authority.issue({ name: 'controller' });
  const opened = await openMqttLink(
    {
      url: `mqtts://127.0.0.1:${port}`,
      clientId: 'controller',
      tls: { authority: authority.certificate, certificate, key },
      keepAlive: seconds(30),
      connectTimeout: ms(5000),
    },
    {
      message: (name) => {
        const from = parseTopic(name)?.terminal;
        if (from !== undefined) void centre.publish(topic(from, 'outbox/ack'), '{}');
      },
      lost: () => {},
    },
  );
  if (!opened.ok) throw toError(opened.fault);
  await opened.value.subscribe([everyTerminal('status')]);
  return opened.value;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address !== null
          ? resolve(address.port)
          : reject(new Error('no port')),
      );
    });
  });
}
