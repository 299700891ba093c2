import type { Status } from '#contracts/health.ts';
import { meteredKeepAlive } from '#contracts/metered.ts';
import { fail, type Result } from '#contracts/result.ts';
import { type Channel, topic } from '#contracts/topics.ts';
import { ms, type Millis, type MonotonicTime, seconds } from '#contracts/units.ts';
import { pause } from '#runtime/clock.ts';
import { toFault } from '#runtime/errors.ts';
import { faultFields } from '#runtime/log.ts';
import { type MessageAbout, type MqttLink, openMqttLink } from '#runtime/mqtt-link.ts';
import { pack, unpack } from '#runtime/packed.ts';
import { Delivery } from './delivery.ts';
import { type SessionEnd, standing } from './pauses.ts';
import type { FleetParts } from './ports.ts';
import { Reporting } from './reporting.ts';

export interface SessionHooks {
  /** It is born: the controller can reach this terminal. */
  readonly stands: () => void;
  /** It has really worked: it stood for a while, or the controller answered. */
  readonly worked: () => void;
  /** The controller has acknowledged something. */
  readonly reached: () => void;
  /** What was reported last, to be said again. */
  readonly reported: () => string | undefined;
}

/** A satellite link's TLS handshake is several round trips of 600 ms, and more when it is loaded. */
const connectTimeout = ms(20_000);
const goodbyePatience = ms(1000);
/** Messages of the centre are few; more at once than this are kept back by the broker. */
const receiveMaximum = 16;
const meteredSample = ms(600_000);
/** A month of full reports each hour would be nearly a megabyte there. */
const meteredFull = ms(21_600_000);

const gone = (): Result<never> => fail('BROKER_UNREACHABLE', 'There is no session with the controller.');

/** One MQTT 5 session from its beginning to its end: birth, what is owed, health. It is run once. */
export class Session {
  readonly number: number;
  readonly #parts: FleetParts;
  readonly #hooks: SessionHooks;
  readonly #over = Promise.withResolvers<Pick<SessionEnd, 'fault' | 'by'> | undefined>();
  #link: MqttLink | undefined;
  #bornAt: MonotonicTime | undefined;
  #delivery: Delivery | undefined;
  #reporting: Reporting | undefined;
  #answered = false;

  constructor(number: number, parts: FleetParts, hooks: SessionHooks) {
    this.number = number;
    this.#parts = parts;
    this.#hooks = hooks;
  }

  changed(): void {
    void this.#reporting?.look();
  }

  reportNow(): Promise<Result<void>> {
    return this.#reporting?.now() ?? Promise.resolve(gone());
  }

  report(text: string): void {
    void this.#send('reported', pack(text), { retain: true });
  }

  answer(text: string, correlation: Uint8Array | undefined): Promise<Result<void>> {
    return this.#send('command/result', text, correlation === undefined ? {} : { correlation });
  }

  /** Says goodbye, and waits for a moment for the broker to hear it. */
  async goodbye(): Promise<void> {
    const said = this.#send('status', this.#status('offline', 'stop'), { retain: true });
    await Promise.race([said, pause(this.#parts.clock, goodbyePatience)]);
  }

  /** Runs it to its end, which is undefined where the signal asked for it. */
  async run(signal: AbortSignal): Promise<SessionEnd | undefined> {
    const stop = (): void => this.#over.resolve(undefined);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    try {
      const end = await this.#run();
      const { clock } = this.#parts;
      const stood = this.#bornAt === undefined ? ms(0) : ms(clock.monotonic() - this.#bornAt);
      return end === undefined ? undefined : { ...end, stood, answered: this.#answered };
    } finally {
      // A terminal begins sessions for years: each must take its listener away again.
      signal.removeEventListener('abort', stop);
    }
  }

  /** Whatever is being waited for, a session ends when `over` says so: a dead line answers nothing. */
  async #run(): Promise<Pick<SessionEnd, 'fault' | 'by'> | undefined> {
    const { settings, terminal, tls, clock } = this.#parts;
    const over = this.#over.promise;
    const ended = over.then(() => undefined);
    const giveUp = new AbortController();
    const opening = (this.#parts.open ?? openMqttLink)(
      {
        url: settings.url,
        clientId: terminal,
        tls,
        keepAlive: seconds(settings.keepAliveSeconds),
        connectTimeout,
        receiveMaximum,
        // Else a broker that does not answer would keep the process for as long as it may take to connect.
        giveUp: giveUp.signal,
        will: { topic: this.#topic('status'), payload: this.#status('offline', 'lost'), retain: true },
      },
      {
        message: (name, payload, about) => this.#take(name, payload, about),
        lost: (fault, by) => this.#over.resolve({ fault, by }),
      },
    );
    const opened = await Promise.race([opening, ended]);
    if (opened === undefined) {
      giveUp.abort();
      void opening.then((late) => late.ok && late.value.drop());
      return over;
    }
    if (!opened.ok) return { fault: opened.fault };
    const link = opened.value;
    this.#link = link;
    const born = await Promise.race([this.#birth(link), ended]);
    if (born?.ok !== true) {
      this.#link = undefined;
      link.drop();
      return born === undefined ? over : { fault: born.fault };
    }
    const finish = this.#begin();
    const end = await over;
    finish();
    this.#link = undefined;
    if (end === undefined) await Promise.race([link.end(), pause(clock, goodbyePatience)]);
    link.drop();
    return end;
  }

  /** Subscribed first, so that no acknowledgement can come too early; then born. */
  async #birth(link: MqttLink): Promise<Result<void>> {
    const topics = (['outbox/ack', 'desired', 'command'] as const).map((channel) => this.#topic(channel));
    const subscribed = await link.subscribe(topics);
    if (!subscribed.ok) return subscribed;
    return link.publish(this.#topic('status'), this.#status('online', 'start'), { retain: true });
  }

  /** Everything that is done while it stands; the answer ends it. */
  #begin(): () => void {
    const { settings, outbox, health, clock, log } = this.#parts;
    const metered = settings.keepAliveSeconds >= meteredKeepAlive;
    this.#bornAt = clock.monotonic();
    this.#hooks.stands();
    const delivery = new Delivery({
      outbox,
      resendAfter: ms(settings.resendMillis),
      clock,
      log,
      send: (batch) => this.#send('outbox', pack(batch)),
      onAck: () => {
        this.#answered = true;
        this.#hooks.worked();
        this.#hooks.reached();
      },
    });
    this.#delivery = delivery;
    const [sample, full] = [ms(settings.sampleMillis), ms(settings.fullSeconds * 1000)];
    const reporting = new Reporting({
      health,
      session: this.number,
      sampleEvery: metered ? longer(sample, meteredSample) : sample,
      fullEvery: metered ? longer(full, meteredFull) : full,
      metered,
      clock,
      send: (message) => this.#send('health', pack(message)),
    });
    this.#reporting = reporting;
    const reported = this.#hooks.reported();
    if (reported !== undefined) this.report(reported);
    const cancelStanding = clock.after(standing, this.#hooks.worked);
    return () => {
      cancelStanding();
      delivery.close();
      reporting.close();
      this.#delivery = undefined;
      this.#reporting = undefined;
    };
  }

  #take(name: string, payload: Buffer, { responseTopic, correlation }: MessageAbout): void {
    const { onDesired, onCommand, log } = this.#parts;
    // An empty retained message is how a retained one is taken away: it says nothing.
    if (payload.length === 0) return;
    const text = unpack(payload);
    if (!text.ok) return log.warn('A message was refused', { ...faultFields(text.fault), topic: name });
    try {
      if (name === this.#topic('outbox/ack')) this.#delivery?.acknowledged(text.value);
      if (name === this.#topic('desired')) onDesired?.(text.value);
      if (name === this.#topic('command')) {
        onCommand?.(text.value, {
          ...(responseTopic !== undefined && { responseTopic }),
          ...(correlation !== undefined && { correlation }),
        });
      }
    } catch (thrown) {
      // Retained, it would come again with every session: a defect must not cost the session too.
      log.error('A message of the centre could not be taken', {
        ...faultFields(toFault(thrown)),
        topic: name,
      });
    }
  }

  #send(
    channel: Channel,
    payload: string | Uint8Array,
    options: { readonly retain?: boolean; readonly correlation?: Uint8Array } = {},
  ): Promise<Result<void>> {
    return this.#link?.publish(this.#topic(channel), payload, options) ?? Promise.resolve(gone());
  }

  #topic(channel: Channel): string {
    return topic(this.#parts.terminal, channel);
  }

  #status(state: Status['state'], reason: Status['reason']): string {
    const { bootId, version, settings } = this.#parts;
    const keepAlive = settings.keepAliveSeconds;
    const status: Status = { v: 1, session: this.number, state, reason, boot: bootId, version, keepAlive };
    return JSON.stringify(status);
  }
}

function longer(one: Millis, other: Millis): Millis {
  return one > other ? one : other;
}
