import { startFleet } from '#agent/fleet/index.ts';
import { parseTopic } from '#contracts/topics.ts';
import { instant, systemClock as clock } from '#runtime/clock.ts';
import { eventually } from '../eventually.ts';
import { seeded } from '../random.ts';
import { nothing, plus, publishLength, times } from './cost.ts';
import { type DayMessage, pingsBetween } from './day.ts';
import type { LineMeter } from './line-meter.ts';
import { fleetParts, noting, passing, type Pieces, publishCost, realOutbox } from './pieces.ts';
import { WanderingHealth } from './wandering.ts';

export interface Prediction {
  /** What the capture saw, and what the pieces add up to, with TCP and IP. */
  readonly captured: number;
  readonly predicted: number;
  readonly messages: number;
  readonly pings: number;
}

const keepAliveSeconds = 5;
/** So much of a day passes for the terminal's health in each sample, in milliseconds. */
const sampled = 300_000;

/**
 * The real session over the real line for so many seconds, with a short keep-alive and health that changes fast, captured
 * as it is and predicted from what it said: by how much the sum of pieces is wrong shows here.
 */
export async function predict(
  meter: LineMeter,
  pieces: Pieces,
  order: { readonly seconds: number; readonly folder: string },
): Promise<Prediction> {
  const random = seeded(7);
  const health = new WanderingHealth(random);
  const { outbox, store } = realOutbox(order.folder);
  const messages: DayMessage[] = [];
  let began = 0;
  let passed = 0;
  const parts = fleetParts(meter);
  let fleet: ReturnType<typeof startFleet> | undefined;
  let lasted = 0;
  const captured = await meter.during(async () => {
    began = clock.monotonic();
    fleet = startFleet({
      ...parts,
      // Samples come in bunches, so that there is silence between them in which MQTT pings.
      settings: { ...parts.settings, keepAliveSeconds, sampleMillis: 500, fullSeconds: 20 },
      outbox,
      health: {
        measure: async () => {
          const bunch = Math.floor((clock.monotonic() - began) / 1000) % 16 < 4;
          if (bunch) passed += sampled;
          health.reads = Math.floor(passed / 60_000);
          return health.report(clock.wall(), passed, { depth: 0, oldestAt: null });
        },
        now: () => instant(clock.wall()),
      },
      open: noting((name, payload, from) => {
        const channel = parseTopic(name)?.channel ?? 'status';
        messages.push({
          at: clock.monotonic() - began,
          channel,
          bytes: publishLength(name, payload),
          from,
        });
      }),
    });
    await eventually(() => messages.length > 1, { what: 'the first report' });
    for (let at = 0; at < 4; at++) {
      await passing((order.seconds * 1000) / 4);
      outbox.owe({ kind: 'audit-head', entry: at + 1, hash: 'ab'.repeat(32) }, stampNow());
    }
    await eventually(() => outbox.depth() === 0, { what: 'what is owed being acknowledged' });
    await passing(400);
    lasted = clock.monotonic() - began;
  });
  await fleet?.close();
  store.close();
  // Only what the terminal sends puts its next ping off; an acknowledgement of its own is sent too.
  const pings = pingsBetween(messages, keepAliveSeconds * 1000, lasted).length;
  const said = messages.filter(({ channel }) => channel !== 'status');
  const predicted = [
    pieces.session,
    times(pieces.ping, pings),
    ...said.map(({ bytes }) => publishCost(pieces.publish, bytes)),
  ].reduce(plus, nothing);
  return {
    captured: Math.round(captured.bytes),
    predicted: Math.round(predicted.bytes),
    messages: said.length,
    pings,
  };
}

const stampNow = () => ({ at: instant(clock.wall()), clock: 'verified' }) as const;
