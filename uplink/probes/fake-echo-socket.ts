import { fail, ok, type Result } from '#contracts/result.ts';
import { ms } from '#contracts/units.ts';
import type { Clock } from '#runtime/clock.ts';
import { type Echo, smallestEcho } from './echo-packet.ts';
import type { EchoListener, EchoOutcome, EchoSocket } from './echo-socket.ts';

/** How the line behind a fake socket is now; a test changes it as it goes. */
export interface FakeLine {
  /** Round trip in ms. */
  delayMillis: number;
  /** Largest packet that the device takes. */
  deviceMtu: number;
  /** Largest packet that comes through; what is larger is lost without a word, as in a black hole. */
  pathMtu: number;
  /** Addresses that answer; every other is silent. */
  answers: Set<string>;
  deviceGone: boolean;
}

export const fakeLine = (changes: Partial<FakeLine> = {}): FakeLine => ({
  delayMillis: 20,
  deviceMtu: 1500,
  pathMtu: 1500,
  answers: new Set(),
  deviceGone: false,
  ...changes,
});

/** An echo socket over a line of a test: no kernel, no waiting but that of the clock that is passed in. */
export class FakeEchoSocket implements EchoSocket {
  readonly sent: Echo[] = [];
  readonly #line: FakeLine;
  readonly #clock: Clock;
  readonly #listener: EchoListener;
  #over = false;

  constructor(line: FakeLine, clock: Clock, listener: EchoListener) {
    this.#line = line;
    this.#clock = clock;
    this.#listener = listener;
  }

  send(echo: Echo): Result<EchoOutcome> {
    const { answers, deviceMtu, pathMtu, delayMillis, deviceGone } = this.#line;
    if (this.#over) return fail('PROBE_FAILED', `${echo.to}: the socket is closed.`);
    if (!(echo.size >= smallestEcho))
      return fail('PROBE_FAILED', `${echo.to}: no echo has ${echo.size} bytes.`);
    if (!/^\d+(\.\d+){3}$/.test(echo.to)) return fail('PROBE_FAILED', `${echo.to}: is not an IPv4 address.`);
    if (deviceGone) return ok('device-gone');
    if (echo.size > deviceMtu) return ok('too-large');
    this.sent.push(echo);
    if (answers.has(echo.to) && echo.size <= pathMtu) {
      this.#clock.after(ms(delayMillis), () => {
        if (this.#over) return;
        const { to: from, sequence, size } = echo;
        this.#listener.onReply({ from, sequence, size, at: this.#clock.monotonic() });
      });
    }
    return ok('sent');
  }

  close(): void {
    this.#over = true;
  }
}
