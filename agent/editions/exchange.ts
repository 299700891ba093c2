import type { IncomingMessage } from 'node:http';
import { type Agent, request as httpsRequest } from 'node:https';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { Millis } from '#contracts/units.ts';
import type { Clock } from '#runtime/clock.ts';
import { systemCode } from '#runtime/errors.ts';
import { certificateFault } from '#runtime/tls-fault.ts';

export interface ExchangeParts {
  readonly url: URL;
  readonly agent: Agent;
  readonly headers: Readonly<Record<string, string>>;
  readonly clock: Clock;
  /** No byte for so long, and the connection is given up. */
  readonly idle: Millis;
  readonly signal: AbortSignal | undefined;
}

/** What the system calls the ways in which a line fails, in words for the person who must act. */
const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing answers at its address',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  ECONNABORTED: 'the connection was cut',
  ETIMEDOUT: 'the line is silent',
  EHOSTUNREACH: 'there is no way to its address',
  ENETUNREACH: 'there is no way to its network',
  ENETDOWN: 'the tunnel is down',
  ENOTFOUND: 'its name is not known',
  EAI_AGAIN: 'its name cannot be looked up now',
  HPE_INVALID_CONSTANT: 'what answers there speaks no HTTP',
};

/**
 * One GET and its answer, read piece by piece: nothing is read from the line while the reader is busy with the piece
 * before, so that TCP holds the sender back. Nothing is thrown.
 *
 * Time runs only while the line is waited for: a large file over a slow line takes hours and is no fault, a minute
 * without a byte is one. Faults: EDITION_UNREACHABLE, or one about certificates; EDITION_UNREACHABLE also where the
 * signal is aborted.
 */
export class Exchange {
  readonly #parts: ExchangeParts;
  #response: IncomingMessage | undefined;
  #pieces: AsyncIterator<Buffer> | undefined;
  #stopped: Result<never> | undefined;
  #destroy: (cause: Error) => void = () => {};
  #answer: (begun: Result<'begun' | 'stale'>) => void = () => {};
  readonly #aborted = (): void => this.#stop(fail('EDITION_UNREACHABLE', 'The download was stopped here.'));

  private constructor(parts: ExchangeParts) {
    this.#parts = parts;
  }

  /** Asks, and waits for the head of the answer. */
  static async begin(parts: ExchangeParts): Promise<Result<Exchange>> {
    for (;;) {
      const exchange = new Exchange(parts);
      const begun = await exchange.#begin();
      if (begun.ok && begun.value === 'stale') continue;
      if (begun.ok) return ok(exchange);
      exchange.close();
      return begun;
    }
  }

  get status(): number {
    return this.#response?.statusCode ?? 0;
  }

  header(name: string): string | undefined {
    const value = this.#response?.headers[name];
    return typeof value === 'string' ? value : undefined;
  }

  /** The next piece of the body; undefined at its end. */
  async read(): Promise<Result<Buffer | undefined>> {
    if (this.#stopped !== undefined) return this.#stopped;
    const cancel = this.#waitForLine();
    try {
      const next = await this.#pieces?.next();
      if (this.#stopped !== undefined) return this.#stopped;
      return ok(next?.done === false ? next.value : undefined);
    } catch (cause) {
      return this.#stopped ?? unreachable(cause);
    } finally {
      cancel();
    }
  }

  /** Whoever does not read to the end closes: what is still on its way belongs to nobody, and the connection ends. */
  close(): void {
    this.#parts.signal?.removeEventListener('abort', this.#aborted);
    if (!this.#response?.readableEnded) this.#destroy(new Error('closed'));
  }

  /** `stale` where a kept connection had been closed by the other side just when it was used again. */
  #begin(): Promise<Result<'begun' | 'stale'>> {
    const { url, agent, headers, signal } = this.#parts;
    return new Promise((resolve) => {
      this.#answer = resolve;
      if (signal?.aborted) return this.#aborted();
      let cancel = (): void => {};
      const request = httpsRequest(url, { agent, headers }, (response) => {
        cancel();
        this.#response = response;
        this.#pieces = response[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
        this.#destroy = (cause) => response.destroy(cause);
        // Whatever happens between two readings is said at the next one.
        response.on('error', () => {});
        resolve(ok('begun'));
      });
      this.#destroy = (cause) => request.destroy(cause);
      signal?.addEventListener('abort', this.#aborted, { once: true });
      // Only from there on is a line waited for, and not another request of this terminal.
      request.on('socket', () => (cancel = this.#waitForLine()));
      request.on('error', (cause) => {
        cancel();
        if (request.reusedSocket && systemCode(cause) === 'ECONNRESET') {
          signal?.removeEventListener('abort', this.#aborted);
          resolve(ok('stale'));
        } else resolve(unreachable(cause));
      });
      request.end();
    });
  }

  #waitForLine(): () => void {
    const { clock, idle } = this.#parts;
    return clock.after(idle, () =>
      this.#stop(fail('EDITION_UNREACHABLE', `Nothing came for ${idle / 1000} s.`)),
    );
  }

  #stop(fault: Result<never>): void {
    this.#stopped ??= fault;
    // A request that still waits for the line learns of its end only when its turn comes.
    this.#answer(fault);
    this.#destroy(new Error('stopped'));
  }
}

function unreachable(cause: unknown): Result<never> {
  const code = systemCode(cause);
  const why = words[code ?? ''] ?? (cause instanceof Error ? cause.message : 'unknown');
  return (
    certificateFault(cause, 'the centre') ??
    fail('EDITION_UNREACHABLE', `The centre: ${why}${code === undefined ? '' : ` (${code})`}.`, cause)
  );
}
