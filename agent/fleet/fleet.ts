import type { Status } from '#contracts/health.ts';
import type { TerminalId } from '#contracts/names.ts';
import type { Fault, Result } from '#contracts/result.ts';
import type { AgentSettings } from '#contracts/settings/agent.ts';
import { topic } from '#contracts/topics.ts';
import { ms, seconds } from '#contracts/units.ts';
import { Backoff } from '#runtime/backoff.ts';
import { type Clock, pause } from '#runtime/clock.ts';
import { faultFields, type Log } from '#runtime/log.ts';
import { type MqttLink, openMqttLink } from '#runtime/mqtt-link.ts';
import type { Health } from '../health/index.ts';
import type { Outbox } from '../outbox/index.ts';
import { Delivery } from './delivery.ts';
import { Reporting } from './reporting.ts';

export interface FleetParts {
  readonly settings: AgentSettings['fleet'];
  readonly tls: { readonly authority: string; readonly certificate: string; readonly key: string };
  readonly terminal: TerminalId;
  readonly version: string;
  readonly bootId: string;
  readonly outbox: Outbox;
  /** The next session's number: durable, and higher than any before. */
  readonly session: () => Result<number>;
  readonly health: Health;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

export type FleetState = 'connected' | 'disconnected';

export interface Fleet {
  state(): FleetState;
  /** Something that health reports on may have changed. */
  changed(): void;
  /** Says goodbye where there is a session, and ends. */
  close(): Promise<void>;
}

/** A satellite link's TLS handshake is several round trips of 600 ms, and more when it is loaded. */
const connectTimeout = ms(20_000);
/** A session that has stood for this long has worked, also where nothing was owed. */
const standing = ms(10_000);
const goodbyePatience = ms(1000);

/**
 * Keeps one MQTT 5 session with the controller's broker for as long as the agent lives: birth and will with the
 * session's number, then what is owed, then health. After a failure it begins a new session, later and later, with
 * jitter, until one has really worked.
 */
export function startFleet(parts: FleetParts): Fleet {
  return new FleetSession(parts);
}

class FleetSession implements Fleet {
  readonly #parts: FleetParts;
  readonly #backoff: Backoff;
  readonly #ending = new AbortController();
  readonly #running: Promise<void>;
  #link: MqttLink | undefined;
  #session = 0;
  #reporting: Reporting | undefined;
  #saidCause: string | undefined;

  constructor(parts: FleetParts) {
    this.#parts = parts;
    this.#backoff = new Backoff(ms(parts.settings.retryMillis), ms(60_000), parts.random);
    this.#running = this.#run();
  }

  state(): FleetState {
    return this.#link === undefined ? 'disconnected' : 'connected';
  }

  changed(): void {
    void this.#reporting?.look();
  }

  async close(): Promise<void> {
    const link = this.#link;
    if (link !== undefined) {
      const goodbye = link.publish(this.#topic('status'), this.#status('offline', 'stop'), { retain: true });
      await Promise.race([goodbye, pause(this.#parts.clock, goodbyePatience)]);
    }
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

  /** One session from its beginning to its end, and why it ended: undefined where `close` asked for it. */
  async #oneSession(): Promise<Fault | undefined> {
    const number = this.#parts.session();
    if (!number.ok) return number.fault;
    this.#session = number.value;
    const over = Promise.withResolvers<Fault | undefined>();
    const stop = (): void => over.resolve(undefined);
    this.#ending.signal.addEventListener('abort', stop, { once: true });
    try {
      return await this.#until(over);
    } finally {
      // A terminal begins sessions for years: each must take its listener away again.
      this.#ending.signal.removeEventListener('abort', stop);
    }
  }

  /** Whatever is being waited for, a session ends when `over` says so: a dead line answers nothing. */
  async #until(over: PromiseWithResolvers<Fault | undefined>): Promise<Fault | undefined> {
    const { settings, terminal, tls, outbox, health, clock, log } = this.#parts;
    let delivery: Delivery | undefined;
    const ended = over.promise.then(() => undefined);
    const opening = openMqttLink(
      {
        url: settings.url,
        clientId: terminal,
        tls,
        keepAlive: seconds(settings.keepAliveSeconds),
        connectTimeout,
        will: { topic: this.#topic('status'), payload: this.#status('offline', 'lost'), retain: true },
      },
      {
        message: (name, payload) => {
          if (name === this.#topic('outbox/ack')) delivery?.acknowledged(payload.toString());
        },
        lost: over.resolve,
      },
    );
    const opened = await Promise.race([opening, ended]);
    if (opened === undefined) {
      void opening.then((late) => late.ok && late.value.drop());
      return over.promise;
    }
    if (!opened.ok) return opened.fault;
    const link = opened.value;
    const born = await Promise.race([this.#birth(link), ended]);
    if (born?.ok !== true) {
      link.drop();
      return born === undefined ? over.promise : born.fault;
    }
    this.#link = link;
    const send = (channel: 'outbox' | 'health') => (text: string) => link.publish(this.#topic(channel), text);
    const worked = (): void => {
      this.#backoff.worked();
      if (this.#saidCause !== undefined) log.info('The session with the controller works again');
      this.#saidCause = undefined;
    };
    delivery = new Delivery({
      outbox,
      resendAfter: ms(settings.resendMillis),
      clock,
      log,
      send: send('outbox'),
      onAck: worked,
    });
    this.#reporting = new Reporting({
      health,
      session: this.#session,
      sampleEvery: ms(settings.sampleMillis),
      fullEvery: ms(settings.fullSeconds * 1000),
      clock,
      send: send('health'),
    });
    const cancelStanding = clock.after(standing, worked);
    const fault = await over.promise;
    cancelStanding();
    delivery.close();
    this.#reporting.close();
    this.#reporting = undefined;
    this.#link = undefined;
    if (fault === undefined) await Promise.race([link.end(), pause(clock, goodbyePatience)]);
    link.drop();
    return fault;
  }

  /** Subscribed first, so that no acknowledgement can come too early; then born. */
  async #birth(link: MqttLink): Promise<Result<void>> {
    const subscribed = await link.subscribe([this.#topic('outbox/ack')]);
    if (!subscribed.ok) return subscribed;
    return link.publish(this.#topic('status'), this.#status('online', 'start'), { retain: true });
  }

  #topic(channel: 'status' | 'health' | 'outbox' | 'outbox/ack'): string {
    return topic(this.#parts.terminal, channel);
  }

  #status(state: Status['state'], reason: Status['reason']): string {
    const { bootId, version } = this.#parts;
    const status: Status = { v: 1, session: this.#session, state, reason, boot: bootId, version };
    return JSON.stringify(status);
  }

  /** Once per change of cause, not once per try. */
  #say(fault: Fault): void {
    const cause = `${fault.code} ${fault.detail}`;
    if (cause !== this.#saidCause)
      this.#parts.log.warn('There is no session with the controller', faultFields(fault));
    this.#saidCause = cause;
  }
}
