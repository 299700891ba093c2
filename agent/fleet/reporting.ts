import type { HealthMessage, HealthReport } from '#contracts/health.ts';
import type { Result } from '#contracts/result.ts';
import type { Millis } from '#contracts/units.ts';
import type { Clock } from '#runtime/clock.ts';
import { changedSections, type Health } from '../health/index.ts';

export interface ReportingParts {
  readonly health: Health;
  readonly session: number;
  readonly sampleEvery: Millis;
  readonly fullEvery: Millis;
  readonly clock: Clock;
  readonly send: (message: string) => Promise<Result<void>>;
}

/** Reports health for as long as one session lasts: whole at its start and now and then, else only what changed. */
export class Reporting {
  readonly #parts: ReportingParts;
  #seq = 0;
  #sent: HealthReport | undefined;
  #fullAt = 0;
  #cancel: () => void = () => {};
  #over = false;
  #busy = false;
  #again = false;

  constructor(parts: ReportingParts) {
    this.#parts = parts;
    void this.look();
  }

  close(): void {
    this.#over = true;
    this.#cancel();
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
    const report = await this.#parts.health.measure();
    if (!this.#over) await this.#report(report);
    this.#busy = false;
    if (this.#over) return;
    this.#cancel = this.#parts.clock.after(this.#parts.sampleEvery, () => void this.look());
    if (!this.#again) return;
    this.#again = false;
    await this.look();
  }

  async #report(report: HealthReport): Promise<void> {
    const { clock, fullEvery, health, send, session } = this.#parts;
    const now = clock.monotonic();
    const full = this.#sent === undefined || now - this.#fullAt >= fullEvery;
    const changed = this.#sent === undefined || full ? report : changedSections(this.#sent, report);
    if (Object.keys(changed).length === 0) return;
    const message: HealthMessage = {
      v: 1,
      session,
      seq: ++this.#seq,
      at: health.now(),
      full,
      report: changed,
    };
    const sent = await send(JSON.stringify(message));
    if (!sent.ok) return;
    // Only what was sent is what the centre knows: small changes add up until they are worth a message.
    this.#sent = { ...(this.#sent ?? report), ...changed };
    if (full) this.#fullAt = now;
  }
}
