import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { bundlesPath } from '#contracts/bundle.ts';
import { editionsPath } from '#contracts/edition-target.ts';
import { type CollectionResponse, collectionPath, lookupPath } from '#contracts/lookup.ts';
import { fail, type Fault, ok, type Result } from '#contracts/result.ts';
import { ms } from '#contracts/units.ts';
import { type Clock, instant } from '#runtime/clock.ts';
import { toFault } from '#runtime/errors.ts';
import type { CollectionStore, RegistryWatch } from '../store/index.ts';
import { answerLookup } from './answer.ts';
import type { BundleReceiver } from './bundles.ts';
import { readBody, sendJson, sendRefusal } from './http.ts';
import { type Identity, identityOf } from './identity.ts';
import type { Refusals } from './refusals.ts';

/**
 * Answers a request below `editionsPath`, after the terminal was admitted. The answer of the promise is the fault where
 * it was refused for a reason that counts.
 */
export type EditionsHandler = (
  request: IncomingMessage,
  response: ServerResponse,
) => Promise<Fault | undefined>;

export interface ServiceParts {
  readonly store: Pick<CollectionStore, 'find' | 'state'>;
  readonly registry: Pick<RegistryWatch, 'admit'>;
  readonly clock: Clock;
  readonly refusals: Refusals;
  /** Left out where no editions are served. */
  readonly editions?: EditionsHandler;
  /** Takes diagnostic bundles. */
  readonly bundles: Pick<BundleReceiver, 'handle'>;
}

/** A terminal that was revoked while it downloads for hours is cut off well within a minute (DESIGN.md section 2, 8). */
const admitAgainEvery = ms(10_000);

/** Answers the requests of terminals: who asks, what is asked, the answer or a refusal with its code. */
export class LookupHandler {
  readonly #parts: ServiceParts;
  /** A kept connection shows its certificate once. */
  readonly #identities = new WeakMap<object, Result<Identity>>();
  #answered = 0;

  constructor(parts: ServiceParts) {
    this.#parts = parts;
  }

  /** Lookups that were answered. */
  get answered(): number {
    return this.#answered;
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const terminal = this.#admit(request.socket as TLSSocket);
      if (!terminal.ok) return this.#refuse(response, terminal.fault);
      const { editions, bundles } = this.#parts;
      if (editions !== undefined && request.url?.startsWith(editionsPath)) {
        this.#keepAdmitted(request.socket as TLSSocket, response, terminal.value);
        const fault = await editions(request, response);
        if (fault !== undefined) this.#count(fault, terminal.value);
        return;
      }
      if (request.url?.startsWith(bundlesPath)) {
        this.#keepAdmitted(request.socket as TLSSocket, response, terminal.value);
        const fault = await bundles.handle(request, response, terminal.value);
        if (fault !== undefined) this.#count(fault, terminal.value);
        return;
      }
      const answer = await this.#answer(request);
      if (!answer.ok) return this.#refuse(response, answer.fault, terminal.value);
      sendJson(response, 200, answer.value);
    } catch (thrown) {
      this.#refuse(response, toFault(thrown));
    }
  }

  async #answer(request: IncomingMessage): Promise<Result<unknown>> {
    const { store, clock } = this.#parts;
    const route = `${request.method} ${(request.url ?? '').split('?')[0]}`;
    const time = (): string => instant(clock.wall());
    if (route === `GET ${collectionPath}`) {
      const source = store.state();
      if (source === undefined) return fail('STORE_FAILED', 'The collection has not been loaded yet.');
      return ok({ source, time: time() } satisfies CollectionResponse);
    }
    if (route !== `POST ${lookupPath}`) {
      return fail('NOT_FOUND', `Here are POST ${lookupPath} and GET ${collectionPath}.`);
    }
    const body = await readBody(request);
    if (!body.ok) return body;
    const answer = answerLookup(body.value, store, time);
    if (answer.ok) this.#answered++;
    return answer;
  }

  /**
   * Asked at every request, not at every connection: whoever was revoked, or whose certificate ran out meanwhile, is
   * refused on a connection that still stands.
   */
  #admit(socket: TLSSocket): Result<string> {
    const identity = this.#identities.get(socket) ?? identityOf(socket);
    this.#identities.set(socket, identity);
    if (!identity.ok) return identity;
    const { terminal, certificate, validUntil } = identity.value;
    if (validUntil <= this.#parts.clock.wall()) {
      return fail('CERTIFICATE_EXPIRED', `The certificate of ${terminal} has run out.`);
    }
    const admitted = this.#parts.registry.admit(terminal, certificate);
    return admitted.ok ? ok(terminal) : admitted;
  }

  /** Asks again while a long answer is on its way, and ends the connection when the terminal is admitted no more. */
  #keepAdmitted(socket: TLSSocket, response: ServerResponse, terminal: string): void {
    const { clock } = this.#parts;
    const look = (): void => {
      const admitted = this.#admit(socket);
      if (admitted.ok) {
        cancel = clock.after(admitAgainEvery, look);
      } else {
        this.#count(admitted.fault, terminal);
        socket.destroy();
      }
    };
    let cancel = clock.after(admitAgainEvery, look);
    response.once('close', () => cancel());
  }

  #count(fault: Fault, terminal?: string): void {
    this.#parts.refusals.add('A request was refused', fault, terminal === undefined ? {} : { terminal });
  }

  #refuse(response: ServerResponse, fault: Fault, terminal?: string): void {
    this.#count(fault, terminal);
    if (response.headersSent || response.destroyed) {
      response.destroy();
      return;
    }
    // What is left of a body that was refused is not read: the connection ends with the answer.
    if (fault.code === 'REQUEST_INVALID' && !response.req.complete) response.setHeader('connection', 'close');
    sendRefusal(response, statusOf(fault), fault);
  }
}

function statusOf(fault: Fault): number {
  switch (fault.code) {
    case 'REQUEST_INVALID':
      return 400;
    case 'NOT_FOUND':
      return 404;
    case 'TERMINAL_UNKNOWN':
    case 'CERTIFICATE_EXPIRED':
    case 'CERTIFICATE_REFUSED':
      return 403;
    case 'STORE_FAILED':
      return 503;
    default:
      return 500;
  }
}
