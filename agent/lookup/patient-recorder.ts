import type { Result } from '#contracts/result.ts';
import { faultFields, type Log } from '#runtime/log.ts';
import type { Happening, RecordPort } from './ports.ts';

/**
 * Recording that does not forget: what could not be recorded is kept in memory, in order, and recorded as soon as
 * recording works again. What it is worth meanwhile is the policy's business, not its.
 */
export class PatientRecorder {
  readonly #recorder: RecordPort;
  readonly #log: Log;
  readonly #waiting: Happening[] = [];
  #failing = false;

  constructor(recorder: RecordPort, log: Log) {
    this.#recorder = recorder;
    this.#log = log;
  }

  /** Whether the last attempt failed. */
  get failing(): boolean {
    return this.#failing;
  }

  record(happening: Happening): Result<void> {
    this.retry();
    const done = this.#recorder.record(happening);
    if (!done.ok) {
      if (!this.#failing) this.#log.error('The record cannot be written', faultFields(done.fault));
      if (this.#waiting.length < maxWaiting) this.#waiting.push(happening);
    }
    this.#failing = !done.ok;
    return done;
  }

  /** Tries what waits, oldest first, until one fails. */
  retry(): void {
    while (this.#waiting[0] !== undefined) {
      if (!this.#recorder.record(this.#waiting[0]).ok) return;
      this.#waiting.shift();
      this.#failing = this.#waiting.length > 0;
    }
  }
}

const maxWaiting = 1000;
