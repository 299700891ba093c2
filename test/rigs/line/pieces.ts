import { createSecretKey, randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startEditions } from '#agent/editions/index.ts';
import { startFleet, type FleetParts } from '#agent/fleet/index.ts';
import { readAgentKeys } from '#agent/keys.ts';
import { CentralClient } from '#agent/lookup/index.ts';
import { createOutbox } from '#agent/outbox/index.ts';
import { openStore } from '#agent/store/index.ts';
import { ok } from '#contracts/result.ts';
import { topic } from '#contracts/topics.ts';
import { ms, seconds } from '#contracts/units.ts';
import { instant, systemClock as clock } from '#runtime/clock.ts';
import { silentLog as log } from '#runtime/log.ts';
import { type MqttLink, openMqttLink } from '#runtime/mqtt-link.ts';
import { valueOf } from '../bureau.ts';
import { workerFile } from '../edition-terminal.ts';
import { eventually } from '../eventually.ts';
import { PlayedOutbox } from '../fleet/outbox.ts';
import { healthy } from '../fleet-session.ts';
import { type Cost, type Metered, plus, publishLength, times } from './cost.ts';
import type { LineMeter } from './line-meter.ts';

/** What each thing that a terminal does costs on the line, once. */
export interface Pieces {
  /** TCP, TLS 1.3 with both certificates, MQTT’s beginning, subscriptions and birth; without the first report. */
  readonly session: Cost;
  readonly ping: Cost;
  /** A message of QoS 1 beside its own length, in either direction. */
  readonly publish: Cost;
  /** A new connection to the lookup service, the question how it is, and the end of the connection. */
  readonly connection: Cost;
  /** The same question on a connection that was kept. */
  readonly probe: Cost;
  /** A lookup on a connection that was kept. */
  readonly lookup: Cost;
  /** Asking whether there is a newer edition when there is none, on a new connection, and its end. */
  readonly poll: Cost;
}

export async function measurePieces(meter: LineMeter, folder: string): Promise<Pieces> {
  const { session, report } = await sessionAlone(meter);
  const publish = await publishAlone(meter);
  const pinging = await pings(meter);
  const { connection, probe, lookup } = await lookups(meter);
  const less = publishCost(publish, report);
  return {
    session: plus(session, times(less, -1)),
    publish,
    ping: pinging,
    connection,
    probe,
    lookup,
    poll: await polls(meter, folder),
  };
}

/** A message of so many bytes as MQTT has it. */
export function publishCost(publish: Cost, length: number): Cost {
  return plus(publish, { bytes: length, packets: 0, tunnelled: length });
}

export const passing = (millis: number): Promise<void> =>
  new Promise((resolve) => {
    clock.after(ms(millis), resolve);
    setTimeout(() => {}, millis + 10);
  });

export function fleetParts(meter: LineMeter): Omit<FleetParts, 'health' | 'outbox'> {
  const keys = valueOf(readAgentKeys(meter.settings));
  let session = Date.now();
  return {
    settings: meter.settings.fleet,
    tls: keys.tls,
    terminal: meter.settings.terminal,
    version: '0.1.0',
    bootId: randomUUID(),
    session: () => ok(++session),
    clock,
    random: Math.random,
    log,
  };
}

/** An outbox of a terminal on disk, as it is. */
export function realOutbox(folder: string) {
  mkdirSync(folder, { recursive: true });
  const store = valueOf(openStore(join(folder, `${randomUUID()}.db`)));
  return { outbox: createOutbox({ store, sealingKey: createSecretKey(randomBytes(32)) }), store };
}

async function sessionAlone(meter: LineMeter): Promise<{ session: Cost; report: number }> {
  let report = 0;
  let fleet: ReturnType<typeof startFleet> | undefined;
  const parts = fleetParts(meter);
  const session = await meter.during(async () => {
    fleet = startFleet({
      ...parts,
      outbox: new PlayedOutbox(),
      health: { measure: async () => healthy, now: () => instant(clock.wall()) },
      open: noting((name, payload) => {
        if (name.endsWith('/health')) report = publishLength(name, payload);
      }),
    });
    await eventually(() => report > 0, { what: 'the first report' });
    await passing(500);
  });
  await fleet?.close();
  return { session, report };
}

/** The real link, and a word about each message that it takes. */
export function noting(
  said: (name: string, payload: number, from: 'terminal' | 'centre') => void,
): typeof openMqttLink {
  return async (options, listener) => {
    const opened = await openMqttLink(options, {
      ...listener,
      message: (name, payload, about) => {
        said(name, payload.length, 'centre');
        return listener.message(name, payload, about);
      },
    });
    if (!opened.ok) return opened;
    const link = opened.value;
    const own: MqttLink = {
      publish: (name, payload, how) => {
        said(name, Buffer.from(payload).length, 'terminal');
        return link.publish(name, payload, how);
      },
      subscribe: (filters) => link.subscribe(filters),
      end: () => link.end(),
      drop: () => link.drop(),
    };
    return ok(own);
  };
}

async function plainLink(meter: LineMeter, keepAlive: number): Promise<MqttLink> {
  const { tls, settings, terminal } = fleetParts(meter);
  return valueOf(
    await openMqttLink(
      {
        url: settings.url,
        clientId: terminal,
        tls,
        keepAlive: seconds(keepAlive),
        connectTimeout: ms(10_000),
      },
      { message: () => {}, lost: () => {} },
    ),
  );
}

/** Messages of two lengths, one after the other has been acknowledged: the rest of each is what is sought. */
async function publishAlone(meter: LineMeter): Promise<Cost> {
  const link = await plainLink(meter, 3600);
  const name = topic(meter.settings.terminal, 'health');
  await passing(200);
  const each = 4;
  const rests: Cost[] = [];
  for (const length of [120, 900]) {
    const seen = await meter.during(async () => {
      for (let at = 0; at < each; at++) {
        valueOf(await link.publish(name, 'x'.repeat(length)));
        await passing(150);
      }
    });
    const own = publishLength(name, length);
    rests.push(plus(times(seen, 1 / each), { bytes: -own, packets: 0, tunnelled: -own }));
  }
  link.drop();
  return mean(rests);
}

async function pings(meter: LineMeter): Promise<Cost> {
  const link = await plainLink(meter, 1);
  await passing(200);
  const seen = await meter.during(() => passing(4500));
  link.drop();
  return times(seen, 1 / seen.said);
}

async function lookups(meter: LineMeter): Promise<Pick<Pieces, 'connection' | 'probe' | 'lookup'>> {
  const { settings } = meter;
  let answers = 0;
  const open = (probeEvery: number): CentralClient =>
    new CentralClient({
      url: settings.central.url,
      deadline: ms(5000),
      probeEvery: ms(probeEvery),
      retry: ms(100),
      tls: valueOf(readAgentKeys(settings)).tls,
      clock,
      random: Math.random,
      log,
      onTime: () => void answers++,
    });
  const connection = await meter.during(async () => {
    const client = open(3_600_000);
    await eventually(() => answers === 1, { what: 'the answer to a probe' });
    await client.close();
    await passing(300);
  });
  const client = open(400);
  await eventually(() => answers > 2, { what: 'a connection that is kept' });
  answers = 0;
  const probing = await meter.during(() => passing(3000));
  const probe = times(probing, 1 / probing.said);
  await client.close();
  const asking = open(3_600_000);
  await eventually(() => asking.state() === 'up', { what: 'a connection that is kept' });
  const each = 4;
  const lookup = await meter.during(async () => {
    for (let at = 0; at < each; at++) {
      valueOf(
        await asking.ask({
          lookup: randomUUID(),
          collection: 'sltd',
          issuingState: 'UTO',
          numbers: ['X734211K5', 'X7342IIK5'],
          documentType: 'passport',
          purpose: 'first',
          training: false,
        }),
      );
      await passing(150);
    }
  });
  await asking.close();
  return { connection, probe, lookup: times(lookup, 1 / each) };
}

async function polls(meter: LineMeter, folder: string): Promise<Cost> {
  const { settings } = meter;
  const keys = valueOf(readAgentKeys(settings));
  const open = async () =>
    valueOf(
      await startEditions({
        settings: { ...settings.edition, folder: join(folder, 'editions'), pollSeconds: 86_400 },
        centralUrl: settings.central.url,
        tls: keys.tls,
        root: keys.editionsRoot,
        terminal: settings.terminal,
        keys: { enrolled: keys.fingerprints, trusted: keys.trusted, wrapping: keys.wrapping },
        clock,
        now: () => clock.wall(),
        verified: () => clock.wall(),
        linkIsUp: () => true,
        worker: workerFile,
        log,
        report: () => {},
        onChange: () => {},
      }),
    );
  const first = await open();
  first.linkIsUp();
  await eventually(() => first.current() !== undefined, { what: 'the first edition', timeoutMs: 20_000 });
  await first.close();
  const again = await open();
  const seen: Metered = await meter.during(async () => {
    again.linkIsUp();
    await passing(1500);
    await again.close();
    await passing(200);
  });
  return seen;
}

function mean(costs: readonly Cost[]): Cost {
  const [first, ...rest] = costs;
  if (first === undefined) throw new Error('there is nothing to take the mean of');
  return times(rest.reduce(plus, first), 1 / costs.length);
}
