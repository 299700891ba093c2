import type { HealthReport } from '#contracts/health.ts';
import { wall } from '#contracts/units.ts';
import { instant } from '#runtime/clock.ts';
import { healthy } from '../fleet-session.ts';

const hour = 3_600_000;

/**
 * What a real terminal measures, played: every figure wanders as it does on a small machine with a restless line beside
 * a steady one, and once a day something happens (a blip of the first line, another edition).
 */
export class WanderingHealth {
  /** Documents that were read so far. */
  reads = 0;
  readonly #random: () => number;
  #load = 0.15;
  #memory = 1.2e9;
  #agent = 96e6;
  #offset = 5;
  #dsl = 42;
  #satellite = 610;
  #loss = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** `passed`: milliseconds since it began. */
  report(now: number, passed: number, owed: HealthReport['outbox']): HealthReport {
    this.#wander(passed);
    // Half past three of each day, for a minute and a half.
    const blip = passed % (24 * hour) > 3.5 * hour && passed % (24 * hour) < 3.5 * hour + 90_000;
    const day = Math.floor((passed + 18 * hour) / (24 * hour));
    const [dsl, satellite] = healthy.uplink?.uplinks ?? [];
    if (dsl === undefined || satellite === undefined || healthy.uplink === null)
      throw new Error('an ordinary terminal has two lines');
    return {
      ...healthy,
      uptime: { systemSeconds: 1_814_400 + passed / 1000, agentSeconds: 86_400 + passed / 1000 },
      load: { one: round(this.#load, 100), cpus: 4 },
      memory: {
        totalBytes: 2_058_354_688,
        availableBytes: page(this.#memory),
        agentBytes: page(this.#agent),
      },
      disk: { totalBytes: 15_032_385_536, freeBytes: page(9.2e9 - (passed / hour) * 2e6) },
      temperature: {
        celsius: round(48 + 5 * Math.sin((passed / hour / 24) * 2 * Math.PI) + this.#noise(1), 10),
      },
      clock: { state: 'verified', offsetMillis: Math.round(this.#offset) },
      edition: {
        collection: 'sltd',
        version: 41 + day,
        date: instant(wall(Math.floor(now / (24 * hour)) * 24 * hour)),
        count: 104_211_402,
      },
      outbox: owed,
      audit: { entries: 48_211 + this.reads },
      uplink: {
        ...healthy.uplink,
        uplink: blip ? 'satellite' : 'dsl',
        uplinks: [
          blip
            ? { ...dsl, state: 'no-data', loss: 1, delayMillis: null }
            : { ...dsl, delayMillis: Math.round(this.#dsl), loss: round(this.#loss, 100) },
          { ...satellite, delayMillis: Math.round(this.#satellite), monthBytes: Math.round(passed / 100) },
        ],
      },
      traffic: {
        sentBytes: 18_211_402 + Math.round(passed / 90),
        receivedBytes: 211_402_911 + Math.round(passed / 80),
      },
      counts: { ...healthy.counts, frames: 1411 + this.reads, noRecord: 1391 + this.reads },
      conditions: blip ? [{ code: 'line-no-data', subject: 'dsl', since: instant(wall(now)) }] : [],
    };
  }

  #wander(passed: number): void {
    const random = this.#random;
    // A job of the system now and then.
    this.#load = 0.9 * this.#load + 0.1 * (random() < 0.01 ? 12 : 0.15 + this.#noise(0.1));
    this.#memory = clamp(this.#memory + this.#noise(12e6), 1.05e9, 1.35e9);
    // It grows until its rubbish is collected.
    this.#agent = random() < 0.05 ? 90e6 : Math.min(118e6, this.#agent + random() * 1.5e6);
    this.#offset = clamp(this.#offset + this.#noise(3), -80, 80);
    const evening = (passed / hour) % 24 > 17 && (passed / hour) % 24 < 22 ? 25 : 0;
    this.#dsl = 0.8 * this.#dsl + 0.2 * (38 + evening - Math.log(1 - random()) * (6 + evening));
    this.#satellite = 0.8 * this.#satellite + 0.2 * (590 - Math.log(1 - random()) * 40);
    this.#loss = 0.7 * this.#loss + (random() < 0.03 + evening / 500 ? 0.05 : 0);
    if (this.#loss < 0.005) this.#loss = 0;
  }

  #noise(width: number): number {
    return (this.#random() - 0.5) * 2 * width;
  }
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}

const round = (value: number, parts: number): number => Math.round(value * parts) / parts;
const page = (bytes: number): number => Math.floor(bytes / 4096) * 4096;
