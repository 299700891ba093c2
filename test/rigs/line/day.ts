import { type FleetParts, startFleet } from '#agent/fleet/index.ts';
import { OutboxBatch } from '#contracts/outbox.ts';
import { ok } from '#contracts/result.ts';
import { type Channel, parseTopic, topic } from '#contracts/topics.ts';
import { ms } from '#contracts/units.ts';
import { instant } from '#runtime/clock.ts';
import { silentLog } from '#runtime/log.ts';
import { unpack } from '#runtime/packed.ts';
import { parseJson } from '#runtime/parse.ts';
import { TestClock } from '#runtime/test-clock.ts';
import { PlayedOutbox } from '../fleet/outbox.ts';
import { seeded } from '../random.ts';
import { publishLength } from './cost.ts';
import { WanderingHealth } from './wandering.ts';

/** A message of a simulated day, when it was sent in milliseconds from the beginning, and how long as MQTT has it. */
export interface DayMessage {
  readonly at: number;
  readonly channel: Channel;
  readonly bytes: number;
  readonly from: 'terminal' | 'centre';
}

export interface SimulatedTime {
  readonly messages: readonly DayMessage[];
  /** Moments at which MQTT's own keep-alive has to speak, since nothing else did. */
  readonly pings: readonly number[];
}

export interface DayOrder {
  readonly hours: number;
  readonly settings: FleetParts['settings'];
  /** Documents that are read in each 24 hours. */
  readonly reads: number;
  /** The head of the record is owed after so many. */
  readonly headEvery: number;
  readonly seed: number;
}

/**
 * The agent's real session, reporting and delivery for as long as is asked, on a clock that a test moves, over a link
 * that only notes what is sent; the broker and the controller behind it answer at once.
 */
export async function simulate({
  hours,
  settings,
  reads,
  headEvery,
  seed,
}: DayOrder): Promise<SimulatedTime> {
  const terminal = 'UTO-0001-1';
  const clock = new TestClock();
  const [beganAt, began] = [clock.wall(), clock.monotonic()];
  const passed = (): number => clock.monotonic() - began;
  const random = seeded(seed);
  const health = new WanderingHealth(random);
  const outbox = new PlayedOutbox();
  const messages: DayMessage[] = [];
  const note = (channel: Channel, payload: number, from: DayMessage['from']): void => {
    messages.push({
      at: passed(),
      channel,
      bytes: publishLength(topic(terminal, channel), payload),
      from,
    });
  };
  const fleet = startFleet({
    settings,
    tls: { authority: '', certificate: '', key: '' },
    terminal,
    version: '0.1.0',
    bootId: '5d2b1c5e-7b1a-4d0f-9a43-6b1f8f0a7c11',
    outbox,
    session: () => ok(beganAt),
    health: {
      measure: async () =>
        health.report(clock.wall(), passed(), {
          depth: outbox.depth(),
          oldestAt: outbox.oldestAt() ?? null,
        }),
      now: () => instant(clock.wall()),
    },
    reported: () => undefined,
    clock,
    random,
    log: silentLog,
    open: async (_, listener) =>
      ok({
        async publish(name, payload) {
          const channel = parseTopic(name)?.channel ?? 'status';
          note(channel, Buffer.from(payload).length, 'terminal');
          if (channel === 'outbox') {
            const ack = ackOf(Buffer.from(payload));
            note('outbox/ack', ack.length, 'centre');
            setImmediate(() => void listener.message(topic(terminal, 'outbox/ack'), ack, { retain: false }));
          }
          return ok(undefined);
        },
        subscribe: async () => ok(undefined),
        end: async () => {},
        drop: () => {},
      }),
  });
  const read = (): void => {
    health.reads++;
    if (health.reads % headEvery === 0) {
      const item = { kind: 'audit-head', entry: health.reads, hash: 'ab'.repeat(32) } as const;
      outbox.owe(item, { at: instant(clock.wall()), clock: 'verified' });
    }
    next();
  };
  const next = (): void => {
    if (reads > 0) clock.after(ms((-Math.log(1 - random()) * 86_400_000) / reads), read);
  };
  next();
  await clock.advance(hours * 3_600_000);
  const sent = messages.slice();
  await fleet.close();
  return { messages: sent, pings: pingsBetween(sent, settings.keepAliveSeconds * 1000, hours * 3_600_000) };
}

function ackOf(payload: Buffer): Buffer {
  const text = unpack(payload);
  const batch = text.ok ? parseJson(OutboxBatch, text.value, 'MESSAGE_INVALID') : text;
  if (!batch.ok) throw new Error(batch.fault.detail);
  const { stream, entries } = batch.value;
  return Buffer.from(JSON.stringify({ v: 1, stream, through: entries.at(-1)?.seq ?? 0 }));
}

/** MQTT.js pings when it has sent nothing for one keep-alive, and begins to count again whenever it sends. */
export function pingsBetween(
  messages: readonly Pick<DayMessage, 'at'>[],
  every: number,
  end: number,
): number[] {
  const pings: number[] = [];
  let last = 0;
  for (const { at } of [...messages, { at: end }]) {
    while (last + every <= at) pings.push((last += every));
    last = at;
  }
  return pings;
}
