import { fail, type Fault, type Result } from '#contracts/result.ts';
import { everyTerminal } from '#contracts/topics.ts';
import { type Millis, ms, type Seconds, seconds } from '#contracts/units.ts';
import { Backoff } from '#runtime/backoff.ts';
import { type Clock, pause } from '#runtime/clock.ts';
import { toError } from '#runtime/errors.ts';
import { faultFields, type Log } from '#runtime/log.ts';
import type {
  MqttLink,
  MqttListener,
  MqttOptions,
  PublishOptions,
  Subscription,
} from '#runtime/mqtt-link.ts';
import type { Taken } from '../ingest/ingest.ts';
import type { NamedCredentials } from './credentials.ts';

/** What the other rooms of the centre may do with the session. */
export interface ControllerLink {
  /** Resolves when the broker has it (QoS 1). Faults: BROKER_UNREACHABLE, BROKER_REFUSED. */
  publish(topic: string, payload: string | Uint8Array, options?: PublishOptions): Promise<Result<void>>;
  readonly connected: boolean;
  /** Calls back whenever the broker was reached and the subscriptions stand; the answer ends it. */
  onConnected(listener: () => void): () => void;
}

export interface SessionParts {
  readonly open: (options: MqttOptions, listener: MqttListener) => Promise<Result<MqttLink>>;
  readonly url: string;
  /** Read anew for each session, so that renewed certificates are taken without a restart. */
  readonly tls: () => Result<NamedCredentials>;
  readonly retry: Millis;
  readonly keepAlive: Seconds;
  /** How long the broker keeps what comes for us after the connection ended. */
  readonly keepSession: Seconds;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly take: (topic: string, payload: Uint8Array) => Promise<Taken>;
  /** The broker let us in: what it knows of terminals comes next. */
  readonly onReached: () => void;
}

/** Over a restart of ours the broker keeps what comes, above all changes of health, which are said only once. */
export const keepAlone = seconds(300);
/**
 * Mosquitto goes on dealing a share to a session whose connection is gone, for as long as it keeps it: long enough for a
 * restart, and short, so that the others get everything soon where one does not come back.
 */
export const keepShared = seconds(20);
const connectTimeout = ms(10_000);
const longestPause = ms(30_000);
/** So many messages may wait for their commit at once. */
const receiveMaximum = 512;
/** A session that ends earlier has not worked: the next pause is longer, not the shortest again. */
export const standing = ms(10_000);

/**
 * First the births, so that what follows finds its session. Several controllers share what is answered or owed, which
 * comes again where one of them dies. States each of them takes, and whoever is second finds nothing new: what is retained
 * reaches a plain subscription only; and a change of health is said once, so that what lay in the share of a controller
 * that does not come back would be missing until the next full report.
 */
export const subscriptions: readonly Subscription[] = [
  { filter: everyTerminal('status') },
  { filter: everyTerminal('reported') },
  { filter: everyTerminal('health') },
  ...(['outbox', 'command/result'] as const).map((channel) => ({
    filter: `$share/controllers/${everyTerminal(channel)}`,
  })),
];

/** Keeps a session with the broker: begins it again whenever it ends, later and later until one has really worked. */
export class Session implements ControllerLink {
  readonly #parts: SessionParts;
  readonly #backoff: Backoff;
  readonly #ending = new AbortController();
  readonly #listeners = new Set<() => void>();
  #running: Promise<void> = Promise.resolve();
  #link: MqttLink | undefined;
  #reachedAt: number | undefined;
  /** Which fault was logged last, so that a broker that is down all night is one line. */
  #said: string | undefined;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#backoff = new Backoff(parts.retry, longestPause, parts.random);
  }

  start(): void {
    this.#running = this.#run();
  }

  get connected(): boolean {
    return this.#link !== undefined;
  }

  /** When this session began, by the monotonic clock; undefined while there is none. */
  get reachedAt(): number | undefined {
    return this.connected ? this.#reachedAt : undefined;
  }

  publish(topic: string, payload: string | Uint8Array, options?: PublishOptions): Promise<Result<void>> {
    return (
      this.#link?.publish(topic, payload, options) ??
      Promise.resolve(fail('BROKER_UNREACHABLE', 'There is no session with the broker.'))
    );
  }

  onConnected(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#ending.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock } = this.#parts;
    while (!this.#ending.signal.aborted) {
      const fault = await this.#oneSession();
      if (this.#ending.signal.aborted) return;
      if (fault !== undefined) this.#say(fault);
      await pause(clock, this.#backoff.next(), this.#ending.signal);
    }
  }

  /** One session from its beginning to its end, and why it ended. */
  async #oneSession(): Promise<Fault | undefined> {
    const tls = this.#parts.tls();
    if (!tls.ok) return tls.fault;
    const { promise: over, resolve: finish } = Promise.withResolvers<Fault | undefined>();
    const { signal } = this.#ending;
    const stop = (): void => finish(undefined);
    signal.addEventListener('abort', stop, { once: true });
    try {
      return await this.#until(over, finish, tls.value);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  async #until(
    over: Promise<Fault | undefined>,
    finish: (fault: Fault | undefined) => void,
    { name: clientId, ...tls }: NamedCredentials,
  ): Promise<Fault | undefined> {
    // What the broker kept may come before the link is in our hands.
    const inHand = Promise.withResolvers<MqttLink>();
    const { url, keepAlive, keepSession } = this.#parts;
    const opening = this.#parts.open(
      { url, clientId, tls, keepAlive, connectTimeout, keepSession, receiveMaximum },
      { message: (topic, payload) => this.#message(topic, payload, inHand.promise), lost: finish },
    );
    const opened = await Promise.race([opening, over]);
    if (opened === undefined || !('ok' in opened)) {
      // We are being stopped, and do not wait for a broker that does not answer.
      void opening.then((late) => late.ok && late.value.drop());
      return opened;
    }
    if (!opened.ok) return opened.fault;
    const link = opened.value;
    inHand.resolve(link);
    this.#reachedAt = this.#parts.clock.monotonic();
    this.#parts.onReached();
    let cancel = (): void => {};
    const subscribed = await Promise.race([link.subscribe(subscriptions), over]);
    if (subscribed === undefined || 'ok' in subscribed) {
      if (subscribed?.ok === true) cancel = this.#stands(link);
      else finish(subscribed?.fault);
    }
    const fault = await over;
    this.#link = undefined;
    cancel();
    if (fault === undefined) await link.end();
    else link.drop();
    return fault;
  }

  /** Rejects where our own store failed: the message is not ours until it is stored, and comes with the next session. */
  async #message(topic: string, payload: Uint8Array, inHand: Promise<MqttLink>): Promise<void> {
    const { fault, reply } = await this.#parts.take(topic, payload);
    if (fault !== undefined) throw toError(fault);
    if (reply === undefined) return;
    // Not waited for: where it gets lost, the terminal sends its batch again and is answered again.
    void inHand.then((link) => link.publish(reply.topic, reply.payload));
  }

  #stands(link: MqttLink): () => void {
    const { clock, log } = this.#parts;
    this.#link = link;
    this.#said = undefined;
    log.info('The broker was reached');
    for (const listener of this.#listeners) listener();
    return clock.after(standing, () => this.#backoff.worked());
  }

  /** Once per change of cause, not once per try. */
  #say(fault: Fault): void {
    const cause = `${fault.code} ${fault.detail}`;
    if (cause !== this.#said)
      this.#parts.log.error('There is no session with the broker', faultFields(fault));
    this.#said = cause;
  }
}
