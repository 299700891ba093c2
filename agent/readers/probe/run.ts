import type { SerialLinkProfile } from '#contracts/readers.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { type Millis, ms } from '#contracts/units.ts';
import type { Clock } from '#runtime/clock.ts';
import type { LinkListener } from '../links/link.ts';
import type { SerialLink } from '../links/serial.ts';
import type { Line } from './line.ts';
import type { ProbeAction, ProbeInput } from './actions.ts';
import type { Conclusion } from './conclusion.ts';
import { Probe } from './machine.ts';

export interface ProbeParts {
  readonly clock: Clock;
  /** Opens the device; DTR is raised, as most readers want it. */
  readonly open: (link: SerialLinkProfile, listener: LinkListener) => Promise<Result<SerialLink>>;
  /** A sentence for the engineer. */
  readonly say: (text: string) => void;
  /** How long a swipe is waited for. */
  readonly patience: Millis;
  /** Aborted: stop. */
  readonly signal: AbortSignal;
}

/** A reader sends a document in one go; after so much silence it is over. */
const burstGap = ms(300);
const ended = 'The probe has ended; plug it in and begin again.';
/** More than any reader sends at once; the rest is passed over. */
const longestBurst = 8192;

/**
 * Carries out what the machine wants on a real device until it concludes; undefined where it was stopped. The bytes
 * stay here. Faults: READER_ABSENT, READER_REFUSED, READER_LOST.
 */
export async function runProbe(parts: ProbeParts): Promise<Result<Conclusion | undefined>> {
  const port = new Port(parts);
  const machine = new Probe(parts.patience);
  try {
    let actions = machine.start();
    for (;;) {
      let input: Result<ProbeInput | undefined> = ok(undefined);
      for (const action of actions) {
        if (action.kind === 'conclude') return ok(action.conclusion);
        input = await perform(action, port, parts);
        if (!input.ok) return input;
      }
      if (input.value === undefined) return ok(undefined);
      actions = machine.step(input.value);
    }
  } finally {
    await port.close();
  }
}

/** Does one thing; what came of it, where the machine is to know. */
async function perform(
  action: Exclude<ProbeAction, { kind: 'conclude' }>,
  port: Port,
  { say }: ProbeParts,
): Promise<Result<ProbeInput | undefined>> {
  switch (action.kind) {
    case 'say':
      say(action.text);
      return ok(undefined);
    case 'send':
      port.send(action.bytes);
      return ok(undefined);
    case 'open':
      return port.open(action.line);
    default:
      return port.burst(ms(action.millis));
  }
}

/** The device, opened again with each setting, and its bytes by bursts. */
class Port {
  readonly #parts: ProbeParts;
  #link: SerialLink | undefined;
  #bytes: number[] = [];
  #lost: string | undefined;
  /** Something has happened that `burst` waits for. */
  #wake: () => void = () => {};

  constructor(parts: ProbeParts) {
    this.#parts = parts;
  }

  async open(line: Line): Promise<Result<ProbeInput>> {
    await this.close();
    this.#bytes = [];
    const opened = await this.#parts.open(
      { kind: 'serial', dtr: true, ...line },
      {
        data: (chunk) => {
          this.#bytes.push(...chunk.subarray(0, longestBurst - this.#bytes.length));
          this.#wake();
        },
        lost: (why) => {
          this.#lost = why;
          this.#wake();
        },
      },
    );
    if (!opened.ok) return opened;
    this.#link = opened.value;
    return ok({ kind: 'opened', modem: await opened.value.lines() });
  }

  send(bytes: Uint8Array): void {
    this.#link?.write(bytes);
  }

  /** The next burst, or silence for so long; undefined where it was stopped. */
  async burst(patience: Millis): Promise<Result<ProbeInput | undefined>> {
    const { signal } = this.#parts;
    for (let known = this.#bytes.length; ;) {
      const happened = await this.#next(known === 0 ? patience : burstGap);
      if (signal.aborted) return ok(undefined);
      if (this.#lost !== undefined) return fail('READER_LOST', `${this.#lost}. ${ended}`);
      if (this.#link?.present() === false) return fail('READER_LOST', `It was unplugged. ${ended}`);
      if (!happened || this.#bytes.length === longestBurst) {
        const bytes = Uint8Array.from(this.#bytes);
        this.#bytes = [];
        return ok(bytes.length === 0 ? { kind: 'silence' } : { kind: 'burst', bytes });
      }
      known = this.#bytes.length;
    }
  }

  async close(): Promise<void> {
    await this.#link?.close();
    this.#link = undefined;
  }

  /** True as soon as bytes come, the device goes or it is stopped; false after so long. */
  #next(patience: Millis): Promise<boolean> {
    const { clock, signal } = this.#parts;
    if (this.#lost !== undefined || signal.aborted) return Promise.resolve(true);
    return new Promise((resolve) => {
      const done = (happened: boolean) => (): void => {
        cancel();
        signal.removeEventListener('abort', stop);
        this.#wake = () => {};
        resolve(happened);
      };
      const stop = done(true);
      const cancel = clock.after(patience, done(false));
      this.#wake = stop;
      signal.addEventListener('abort', stop, { once: true });
    });
  }
}
