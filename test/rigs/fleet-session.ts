import { createSecretKey, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Fleet, type FleetParts, startFleet } from '#agent/fleet/index.ts';
import { createOutbox, type Outbox } from '#agent/outbox/index.ts';
import { openStore, type Store } from '#agent/store/index.ts';
import type { HealthMessage, HealthReport, Status } from '#contracts/health.ts';
import { firstOf, type OutboxBatch, type OutboxEntry } from '#contracts/outbox.ts';
import { type Channel, everyTerminal, parseTopic, topic } from '#contracts/topics.ts';
import { ms, seconds } from '#contracts/units.ts';
import { systemClock } from '#runtime/clock.ts';
import { toError } from '#runtime/errors.ts';
import { createLog } from '#runtime/log.ts';
import { type MessageAbout, type MqttLink, openMqttLink, type PublishOptions } from '#runtime/mqtt-link.ts';
import { unpack } from '#runtime/packed.ts';
import { startBroker, type TestBroker } from './broker.ts';
import { makeAuthority, type TestAuthority } from './certificates.ts';
import { eventually } from './eventually.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

/** A terminal's session with a real Mosquitto over a line that can be broken, and a controller without a database. */
export interface FleetRig {
  readonly terminal: string;
  readonly broker: TestBroker;
  readonly line: TcpProxy;
  readonly store: Store;
  readonly outbox: Outbox;
  readonly controller: PlayedController;
  /** Lines of the terminal's log. */
  readonly lines: readonly string[];
  /** What health measures from now on. */
  health: HealthReport;
  start(parts?: Partial<FleetParts>, settings?: Partial<FleetParts['settings']>): Promise<Fleet>;
  close(): Promise<void>;
}

export async function startFleetRig(): Promise<FleetRig> {
  const terminal = 'UTO-0001-1';
  const folder = mkdtempSync(join(tmpdir(), 'checkpost-fleet-'));
  const authority = await makeAuthority();
  const broker = await startBroker({
    folder: join(folder, 'broker'),
    port: await freePort(),
    authority,
    server: await authority.issue({ name: 'broker', dns: ['localhost'], ip: ['127.0.0.1'] }),
  });
  const line = await startTcpProxy(broker.port);
  const opened = openStore(join(folder, 'test.db'));
  if (!opened.ok) throw toError(opened.fault);
  const store = opened.value;
  const outbox = createOutbox({ store, sealingKey: createSecretKey(randomBytes(32)) });
  const controller = await PlayedController.connect(broker.port, authority, terminal);
  const lines: string[] = [];
  const fleets: Fleet[] = [];
  let session = 0;
  const rig: FleetRig = {
    terminal,
    broker,
    line,
    store,
    outbox,
    controller,
    lines,
    health: healthy,
    async start(parts = {}, settings = {}) {
      const own = await authority.issue({ name: terminal });
      const fleet = startFleet({
        settings: {
          url: `mqtts://localhost:${line.port}`,
          keepAliveSeconds: 30,
          retryMillis: 50,
          spreadSeconds: 0,
          resendMillis: 1000,
          sampleMillis: 60_000,
          fullSeconds: 3600,
          ...settings,
        },
        tls: { authority: authority.certificate, certificate: own.certificate, key: own.key },
        terminal,
        version: '0.0.0',
        bootId: 'boot',
        outbox,
        session: () => ({ ok: true, value: ++session }),
        health: { measure: async () => rig.health, now: () => '2026-01-15T08:00:00.000Z' },
        clock: systemClock,
        random: () => 0.5,
        log: createLog('trace', 'test', { write: (text) => lines.push(text) }),
        ...parts,
      });
      fleets.push(fleet);
      return fleet;
    },
    async close() {
      for (const fleet of fleets) await fleet.close();
      await controller.close();
      await line.close();
      await broker.process.stop();
      store.close();
      rmSync(folder, { recursive: true });
    },
  };
  return rig;
}

/** What a controller does, by the contract: keeps what follows, and acknowledges it. */
export class PlayedController {
  readonly statuses: Status[] = [];
  readonly reports: HealthMessage[] = [];
  readonly batches: OutboxBatch[] = [];
  readonly stored: OutboxEntry[] = [];
  readonly reported: string[] = [];
  readonly results: { readonly text: string; readonly correlation?: Uint8Array }[] = [];
  /** Entries that came again, and numbers that never came. */
  doubled = 0;
  lost = 0;
  through = 0;
  /** Keeps what comes, but does not say so. */
  silent = false;
  readonly #terminal: string;
  #link: MqttLink | undefined;

  constructor(terminal: string) {
    this.#terminal = terminal;
  }

  static async connect(port: number, trust: TestAuthority, terminal: string): Promise<PlayedController> {
    const controller = new PlayedController(terminal);
    const own = await trust.issue({ name: 'controller' });
    controller.#link = await eventually(async () => {
      const opened = await openMqttLink(
        {
          url: `mqtts://localhost:${port}`,
          clientId: 'controller',
          tls: { authority: trust.certificate, certificate: own.certificate, key: own.key },
          keepAlive: seconds(30),
          connectTimeout: ms(5000),
        },
        { message: (name, payload, about) => controller.#take(name, payload, about), lost: () => {} },
      );
      return opened.ok ? opened.value : undefined;
    });
    const channels = ['status', 'health', 'outbox', 'reported', 'command/result'] as const;
    const subscribed = await controller.#link.subscribe(channels.map(everyTerminal));
    if (!subscribed.ok) throw toError(subscribed.fault);
    return controller;
  }

  async say(channel: Channel, payload: string | Uint8Array, options: PublishOptions = {}): Promise<void> {
    const said = await this.#link?.publish(topic(this.#terminal, channel), payload, options);
    if (said?.ok !== true) throw new Error('the controller could not say it');
  }

  async close(): Promise<void> {
    await this.#link?.end();
  }

  #take(name: string, payload: Buffer, { correlation }: MessageAbout): void {
    const text = unpack(payload);
    if (!text.ok) throw toError(text.fault);
    switch (parseTopic(name)?.channel) {
      case 'status':
        this.statuses.push(JSON.parse(text.value) as Status);
        return;
      case 'health':
        this.reports.push(JSON.parse(text.value) as HealthMessage);
        return;
      case 'reported':
        this.reported.push(text.value);
        return;
      case 'command/result':
        this.results.push({ text: text.value, ...(correlation !== undefined && { correlation }) });
        return;
      default:
        this.#store(JSON.parse(text.value) as OutboxBatch);
    }
  }

  #store(batch: OutboxBatch): void {
    this.batches.push(batch);
    const next = Math.min(batch.oldest, ...batch.entries.slice(0, 1).map(firstOf));
    if (next > this.through + 1) {
      this.lost += next - 1 - this.through;
      this.through = next - 1;
    }
    for (const entry of batch.entries) {
      if (entry.seq <= this.through) this.doubled++;
      if (entry.seq <= this.through || firstOf(entry) > this.through + 1) continue;
      this.stored.push(entry);
      this.through = entry.seq;
    }
    if (this.silent) return;
    const ack = JSON.stringify({ v: 1, stream: batch.stream, through: this.through });
    void this.#link?.publish(topic(this.#terminal, 'outbox/ack'), ack);
  }
}

/** A full report of an ordinary terminal. */
export const healthy: HealthReport = {
  versions: { checkpost: '0.6.0', node: '24.21.0', os: 'Debian GNU/Linux 12 (bookworm)' },
  uptime: { systemSeconds: 1_814_400, agentSeconds: 86_400 },
  load: { one: 0.21, cpus: 4 },
  memory: { totalBytes: 2_058_354_688, availableBytes: 1_203_765_248, agentBytes: 91_226_112 },
  disk: { totalBytes: 15_032_385_536, freeBytes: 9_212_305_408 },
  temperature: { celsius: 51.5 },
  clock: { state: 'verified', offsetMillis: 12 },
  readers: [
    { id: 'counter-1', state: 'ready' },
    { id: 'counter-2', state: 'ready' },
  ],
  edition: null,
  outbox: { depth: 0, oldestAt: null },
  audit: { entries: 48_211 },
  uplink: {
    state: 'up',
    uplink: 'dsl',
    hub: 'hub-one',
    uplinks: [
      {
        name: 'dsl',
        state: 'up',
        loss: 0,
        delayMillis: 84,
        mtu: 1420,
        monthBytes: null,
        overBudget: false,
      },
      {
        name: 'satellite',
        state: 'up',
        loss: 0.01,
        delayMillis: 612,
        mtu: 1380,
        monthBytes: 3_211_402,
        overBudget: false,
      },
    ],
  },
  traffic: { sentBytes: 18_211_402, receivedBytes: 211_402_911 },
  counts: { frames: 1411, hit: 1, possible: 2, noRecord: 1391, unresolved: 4, unreadable: 13 },
  storage: { wearPercent: 11, fileSystemErrors: 0 },
  power: { source: 'mains', batteryPercent: 100, undervoltage: false },
  start: { unexpected: false, watchdog: false },
  configuration: { version: 14, state: 'current' },
  certificateExpires: '2027-01-01T00:00:00.000Z',
  conditions: [{ code: 'edition-aging', since: '2026-01-15T08:00:00.000Z' }],
};

function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((done) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => done(port));
    });
  });
}
