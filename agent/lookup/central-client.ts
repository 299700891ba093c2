import { Agent, request as httpsRequest } from 'node:https';
import type { TSchema, Static } from 'typebox';
import {
  CollectionResponse,
  collectionPath,
  lookupPath,
  type LookupRequest,
  LookupResponse,
} from '#contracts/lookup.ts';
import { fail, type Fault, ok, type Result } from '#contracts/result.ts';
import { type Millis, ms } from '#contracts/units.ts';
import { Backoff } from '#runtime/backoff.ts';
import type { Clock } from '#runtime/clock.ts';
import { systemCode } from '#runtime/errors.ts';
import { faultFields, type Log } from '#runtime/log.ts';
import { parseJson } from '#runtime/parse.ts';
import { certificateFault } from '#runtime/tls-fault.ts';
import type { CentralPort, LinkState, TimeListener } from './ports.ts';

/** Certificates and key of this terminal, PEM. */
export interface TlsIdentity {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

export interface CentralClientParts {
  readonly url: string;
  readonly deadline: Millis;
  /** How often the kept connection is tried while nothing is asked. */
  readonly probeEvery: Millis;
  readonly retry: Millis;
  readonly tls: TlsIdentity;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly onTime: TimeListener;
}

const maxAnswerBytes = 262_144;
const longestRetry = ms(30_000);
/** A probe may take longer than a lookup: a satellite link's first handshake is several round trips. */
const probeDeadline = ms(10_000);

/**
 * The lookup service over HTTPS with mutual TLS on kept connections. It knows whether the link is up: a probe keeps a
 * connection warm, so that a lookup is one round trip, and finds out when a broken link is back.
 */
export class CentralClient implements CentralPort {
  readonly #parts: CentralClientParts;
  readonly #agent: Agent;
  readonly #backoff: Backoff;
  readonly #listeners: ((state: LinkState) => void)[] = [];
  #state: LinkState = 'unknown';
  #lastCause: string | undefined;
  #cancelProbe: () => void = () => {};
  #closed = false;

  constructor(parts: CentralClientParts) {
    this.#parts = parts;
    this.#backoff = new Backoff(parts.retry, longestRetry, parts.random);
    this.#agent = new Agent({
      keepAlive: true,
      maxSockets: 4,
      ca: parts.tls.authority,
      cert: parts.tls.certificate,
      key: parts.tls.key,
      minVersion: 'TLSv1.3',
    });
    this.#probeAfter(ms(0));
  }

  state(): LinkState {
    return this.#state;
  }

  onState(listener: (state: LinkState) => void): void {
    this.#listeners.push(listener);
  }

  async ask(request: LookupRequest): Promise<Result<LookupResponse>> {
    const answer = await this.#exchange(
      'POST',
      lookupPath,
      LookupResponse,
      this.#parts.deadline,
      JSON.stringify(request),
    );
    if (answer.ok && answer.value.lookup !== request.lookup) {
      return fail('CENTRAL_NONSENSE', 'The answer belongs to another lookup.');
    }
    // A slow answer is not yet a broken link; the probe finds out which it is.
    if (!answer.ok && answer.fault.code === 'CENTRAL_TIMEOUT') this.#probeAfter(ms(0));
    return answer;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelProbe();
    this.#agent.destroy();
  }

  #probeAfter(delay: Millis): void {
    this.#cancelProbe();
    if (this.#closed) return;
    this.#cancelProbe = this.#parts.clock.after(delay, () => {
      void this.#probe();
    });
  }

  async #probe(): Promise<void> {
    const answer = await this.#exchange('GET', collectionPath, CollectionResponse, probeDeadline);
    if (answer.ok) return;
    if (answer.fault.code === 'CENTRAL_TIMEOUT') this.#become('down', answer.fault);
  }

  #become(state: LinkState, fault?: Fault): void {
    if (this.#closed) return;
    if (state === 'up') this.#backoff.worked();
    this.#probeAfter(state === 'up' ? this.#parts.probeEvery : this.#backoff.next());
    // Once per change of cause, not once per try.
    if (fault !== undefined && fault.code !== this.#lastCause)
      this.#parts.log.warn('The centre does not answer', faultFields(fault));
    if (state === 'up' && this.#state !== 'up') this.#parts.log.info('The centre answers');
    this.#lastCause = fault?.code;
    if (state === this.#state) return;
    this.#state = state;
    for (const listener of this.#listeners) listener(state);
  }

  async #exchange<S extends TSchema>(
    method: 'GET' | 'POST',
    path: string,
    schema: S,
    deadline: Millis,
    body?: string,
  ): Promise<Result<Static<S>>> {
    const began = this.#parts.clock.monotonic();
    const reply = await this.#send(method, path, deadline, body);
    if (!reply.ok) {
      if (reply.fault.code !== 'CENTRAL_TIMEOUT') this.#become('down', reply.fault);
      return reply;
    }
    const received = this.#parts.clock.monotonic();
    if (reply.value.status !== 200) {
      const fault = fail('CENTRAL_REFUSED', `It answered with HTTP status ${reply.value.status}.`);
      this.#become('down', fault.fault);
      return fault;
    }
    const answer = parseJson(schema, reply.value.text, 'CENTRAL_NONSENSE');
    if (!answer.ok) {
      this.#become('down', answer.fault);
      return answer;
    }
    this.#parts.onTime(answer.value, received, received - began);
    this.#become('up');
    return answer;
  }

  #send(
    method: string,
    path: string,
    deadline: Millis,
    body?: string,
  ): Promise<Result<{ status: number; text: string }>> {
    const began = this.#parts.clock.monotonic();
    return new Promise((resolve) => {
      const headers =
        body === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
      const request = httpsRequest(
        new URL(path, this.#parts.url),
        { method, agent: this.#agent, headers },
        (response) => {
          const chunks: Buffer[] = [];
          let size = 0;
          response.on('data', (chunk: Buffer) => {
            size += chunk.length;
            if (size > maxAnswerBytes) request.destroy(new Error('the answer is too long'));
            else chunks.push(chunk);
          });
          response.on('end', () =>
            finish(ok({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() })),
          );
          response.on('error', (cause) => finish(unreachable(cause)));
        },
      );
      const cancel = this.#parts.clock.after(deadline, () => {
        finish(fail('CENTRAL_TIMEOUT', `No answer within ${deadline} ms.`));
        request.destroy();
      });
      const finish = (result: Result<{ status: number; text: string }>): void => {
        cancel();
        resolve(result);
      };
      request.on('error', (cause) => {
        // The other side may close a kept connection just when it is used again; asking twice is harmless.
        if (request.reusedSocket && systemCode(cause) === 'ECONNRESET') {
          cancel();
          const left = ms(Math.max(1, deadline - (this.#parts.clock.monotonic() - began)));
          resolve(this.#send(method, path, left, body));
        } else finish(unreachable(cause));
      });
      request.end(body);
    });
  }
}

/** Which fault a failed connection is. */
function unreachable(cause: Error): Result<never> {
  const words = systemCode(cause) ?? cause.message;
  return (
    certificateFault(cause, 'the centre') ??
    fail('CENTRAL_UNREACHABLE', `The connection failed (${words}).`, cause)
  );
}
