import type { HealthMessage, HealthReport } from '#contracts/health.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { type Millis, type MonotonicTime, monotonic } from '#contracts/units.ts';
import type { Clock } from '#runtime/clock.ts';
import { changedSections, type Health } from '../health/index.ts';

export interface ReportingParts {
  readonly health: Health;
  readonly session: number;
  readonly sampleEvery: Millis;
  readonly fullEvery: Millis;
  /** Between two samples only what somebody must know at once is sent. */
  readonly metered: boolean;
  readonly clock: Clock;
  readonly send: (message: string) => Promise<Result<void>>;
}

/** What does not wait for the next sample on a metered line. */
const urgent: ReadonlySet<string> = new Set<keyof HealthReport>(['conditions', 'readers', 'configuration']);

/** Reports health for as long as one session lasts: whole at its start and now and then, else only what changed. */
export class Reporting {
  readonly #parts: ReportingParts;
  readonly #asked: ((sent: Result<void>) => void)[] = [];
  #seq = 0;
  #sent: HealthReport | undefined;
  readonly #sentAt = new Map<string, MonotonicTime>();
  #sampleDue: MonotonicTime;
  #fullDue: MonotonicTime;
  #cancel: () => void = () => {};
  #over = false;
  #busy = false;
  #again = false;

  constructor(parts: ReportingParts) {
    this.#parts = parts;
    this.#sampleDue = parts.clock.monotonic();
    this.#fullDue = parts.clock.monotonic();
    void this.look();
  }

  close(): void {
    this.#over = true;
    this.#cancel();
    for (const answer of this.#asked.splice(0)) answer(fail('BROKER_UNREACHABLE', 'The session has ended.'));
  }

  /** Measures and sends everything; resolves when the broker has it. */
  now(): Promise<Result<void>> {
    return new Promise((resolve) => {
      this.#asked.push(resolve);
      if (this.#over) this.close();
      else void this.look();
    });
  }

  /** Measures now and sends what has changed; called by itself in time, and by whoever knows that something has. */
  async look(): Promise<void> {
    if (this.#over) return;
    if (this.#busy) {
      this.#again = true;
      return;
    }
    this.#busy = true;
    this.#cancel();
    const asked = this.#asked.splice(0);
    const report = await this.#parts.health.measure();
    const sent = this.#over
      ? fail('BROKER_UNREACHABLE', 'The session has ended.')
      : await this.#report(report, asked.length > 0);
    for (const answer of asked) answer(sent);
    this.#busy = false;
    if (this.#over) return;
    this.#cancel = this.#parts.clock.after(this.#parts.sampleEvery, () => void this.look());
    if (!this.#again && this.#asked.length === 0) return;
    this.#again = false;
    await this.look();
  }

  async #report(report: HealthReport, whole: boolean): Promise<Result<void>> {
    const { clock, fullEvery, sampleEvery, health, send, session, metered } = this.#parts;
    const now = clock.monotonic();
    const sample = now >= this.#sampleDue;
    const full = whole || this.#sent === undefined || (sample && now >= this.#fullDue);
    const since = (section: string): number => now - (this.#sentAt.get(section) ?? now);
    const all = this.#sent === undefined || full ? report : changedSections(this.#sent, report, since);
    const changed = full || sample || !metered ? all : onlyUrgent(all);
    if (sample) this.#sampleDue = monotonic(now + sampleEvery);
    if (Object.keys(changed).length === 0) return ok(undefined);
    const message: HealthMessage = {
      v: 1,
      session,
      seq: ++this.#seq,
      at: health.now(),
      full,
      report: changed,
    };
    const sent = await send(JSON.stringify(message));
    if (!sent.ok) return sent;
    // Only what was sent is what the centre knows: small changes add up until they are worth a message.
    this.#sent = { ...(this.#sent ?? report), ...changed };
    for (const section of Object.keys(changed)) this.#sentAt.set(section, now);
    if (full) this.#fullDue = monotonic(now + fullEvery);
    return sent;
  }
}

function onlyUrgent(changed: Partial<HealthReport>): Partial<HealthReport> {
  return Object.fromEntries(Object.entries(changed).filter(([section]) => urgent.has(section)));
}
