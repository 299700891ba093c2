import type { Fault, Result } from '#contracts/result.ts';
import type { Millis, Seconds } from '#contracts/units.ts';

/**
 * One MQTT 5 connection with mutual TLS: it is made once and ends once. It never connects again by itself and keeps
 * nothing for later: when and with which will to come back is its owner's business, and what is owed lies in a store.
 */
export interface MqttLink {
  /**
   * Resolves when the broker has the message (QoS 1); BROKER_UNREACHABLE where the connection ended first. Never more of
   * them are on their way than the broker said that it takes at once (its receive maximum); the others wait in order.
   */
  publish(topic: string, payload: string | Uint8Array, options?: PublishOptions): Promise<Result<void>>;
  /** Subscribes with QoS 1; BROKER_REFUSED names the topic that was not granted. */
  subscribe(filters: readonly (string | Subscription)[]): Promise<Result<void>>;
  /** Ends it in order: the will is not sent. */
  end(): Promise<void>;
  /**
   * Cuts it off. A message that is being taken counts as not received: where the session is kept, the broker sends it
   * again.
   */
  drop(): void;
}

export interface PublishOptions {
  readonly retain?: boolean;
  /** Not delivered any more to whoever comes for it later than this. */
  readonly expirySeconds?: number;
  readonly contentType?: string;
  /** Where an answer is expected, and what it must bring back. */
  readonly responseTopic?: string;
  readonly correlation?: Uint8Array;
}

/** A filter of topics; `$share/NAME/FILTER` shares what comes with everybody who names the same share. */
export interface Subscription {
  readonly filter: string;
  /** Whether the retained messages that there are come first; `send` where left out. A shared one never gets them. */
  readonly retained?: 'send' | 'skip';
}

export interface MqttOptions {
  /** `mqtts://host:port`. */
  readonly url: string;
  readonly clientId: string;
  readonly tls: { readonly authority: string; readonly certificate: string; readonly key: string };
  readonly keepAlive: Seconds;
  readonly connectTimeout: Millis;
  /** How long the broker keeps the session, and what comes for it, after the connection ended; left out: not at all. */
  readonly keepSession?: Seconds;
  /** How many messages the broker may have on their way to us before it must wait for one to be acknowledged. */
  readonly receiveMaximum?: number;
  readonly will?: { readonly topic: string; readonly payload: string; readonly retain: boolean };
  /** Gives up a connection that is still being made; one that stands is not touched. */
  readonly giveUp?: AbortSignal;
}

/** What else came with a message. */
export interface MessageAbout {
  /** It lay at the broker before we subscribed. */
  readonly retain: boolean;
  readonly responseTopic?: string;
  readonly correlation?: Uint8Array;
}

export interface MqttListener {
  /**
   * A message has come. The broker is told so when the answer has resolved: what must not be lost is committed by then.
   * Further messages come meanwhile, up to the receive maximum, and are acknowledged in the order in which they came.
   * Where it rejects, the connection is ended, so that the message comes again where the session is kept.
   */
  message(topic: string, payload: Buffer, about: MessageAbout): void | Promise<void>;
  /**
   * The connection has ended, and not by `end` or `drop`; said once. `by`: the far end closed it, or the line does not
   * carry. IDENTITY_TAKEN_OVER where somebody else connected with the same identity.
   */
  lost(fault: Fault, by: 'broker' | 'line'): void;
}
