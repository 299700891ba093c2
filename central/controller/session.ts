import type { Fault, Result } from '#contracts/result.ts';
import { everyTerminal } from '#contracts/topics.ts';
import { type Millis, ms, type Seconds, seconds } from '#contracts/units.ts';
import { Backoff } from '#runtime/backoff.ts';
import { type Clock, pause } from '#runtime/clock.ts';
import { faultFields, type Log } from '#runtime/log.ts';
import type { MqttLink, MqttListener, MqttOptions } from '#runtime/mqtt-link.ts';
import type { Taken } from './ingest.ts';

export interface SessionParts {
  readonly open: (options: MqttOptions, listener: MqttListener) => Promise<Result<MqttLink>>;
  readonly url: string;
  /** Read anew for each session, so that renewed certificates are taken without a restart. */
  readonly tls: () => Result<MqttOptions['tls']>;
  readonly retry: Millis;
  readonly keepAlive: Seconds;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly take: (topic: string, payload: Uint8Array) => Taken;
  /** The broker let us in: what it knows of terminals comes next. */
  readonly onReached: () => void;
  /** It has stood so long that every terminal had time to come back. */
  readonly onSettled: () => void;
}

const clientId = 'controller';
/** Over a restart of ours the broker keeps what comes, above all changes of health, which are said only once. */
const keepSession = seconds(300);
const connectTimeout = ms(10_000);
const longestPause = ms(30_000);
/** A session that ends earlier has not worked: the next pause is longer, not the shortest again. */
export const standing = ms(10_000);
/** A keep-alive of a terminal and a half, its longest pause, and some. */
export const settled = ms(150_000);
/** First the births, so that what follows finds its session. */
const topics = (['status', 'health', 'outbox'] as const).map(everyTerminal);

/** Keeps a session with the broker: begins it again whenever it ends, later and later until one has really worked. */
export class Session {
  readonly #parts: SessionParts;
  readonly #backoff: Backoff;
  readonly #ending = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #connected = false;
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
    return this.#connected;
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
    tls: MqttOptions['tls'],
  ): Promise<Fault | undefined> {
    let link: MqttLink | undefined;
    // What the broker kept may come before the link is in our hands.
    const early: Taken[] = [];
    const act = (taken: Taken): void => {
      if (link === undefined) {
        early.push(taken);
      } else if (taken.fault !== undefined) {
        // Our own store failed. The message is not ours until it is stored: it comes again with the next session.
        link.drop();
        finish(taken.fault);
      } else if (taken.reply !== undefined) {
        // Not waited for: where it gets lost, the terminal sends its batch again and is answered again.
        void link.publish(taken.reply.topic, taken.reply.payload);
      }
    };
    let ended = false;
    const opening = this.#parts.open(
      { url: this.#parts.url, clientId, tls, keepAlive: this.#parts.keepAlive, connectTimeout, keepSession },
      {
        message: (topic, payload) => {
          if (!ended) act(this.#parts.take(topic, payload));
        },
        lost: finish,
      },
    );
    const opened = await Promise.race([opening, over]);
    if (opened === undefined || !('ok' in opened)) {
      // We are being stopped, and do not wait for a broker that does not answer.
      ended = true;
      void opening.then((late) => late.ok && late.value.drop());
      return opened;
    }
    if (!opened.ok) return opened.fault;
    link = opened.value;
    for (const taken of early) act(taken);
    this.#parts.onReached();
    const cancels: (() => void)[] = [];
    const subscribed = await Promise.race([link.subscribe(topics), over]);
    if (subscribed === undefined || 'ok' in subscribed) {
      if (subscribed?.ok === true) cancels.push(...this.#stands());
      else finish(subscribed?.fault);
    }
    const fault = await over;
    ended = true;
    this.#connected = false;
    for (const cancel of cancels) cancel();
    if (fault === undefined) await link.end();
    else link.drop();
    return fault;
  }

  #stands(): (() => void)[] {
    const { clock, log, onSettled } = this.#parts;
    this.#connected = true;
    this.#said = undefined;
    log.info('The broker was reached');
    return [clock.after(standing, () => this.#backoff.worked()), clock.after(settled, onSettled)];
  }

  /** Once per change of cause, not once per try. */
  #say(fault: Fault): void {
    const cause = `${fault.code} ${fault.detail}`;
    if (cause !== this.#said)
      this.#parts.log.error('There is no session with the broker', faultFields(fault));
    this.#said = cause;
  }
}
