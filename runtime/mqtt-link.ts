import { connect, type MqttClient } from 'mqtt';
import { fail, type Fault, ok, type Result } from '#contracts/result.ts';
import type { Millis, Seconds } from '#contracts/units.ts';
import { systemCode } from './errors.ts';
import { certificateFault } from './tls-fault.ts';

/**
 * One MQTT 5 connection with mutual TLS: it is made once and ends once. It never connects again by itself and keeps
 * nothing for later: when and with which will to come back is its owner's business, and what is owed lies in a store.
 * This file alone knows the package.
 */
export interface MqttLink {
  /** Resolves when the broker has the message (QoS 1); BROKER_UNREACHABLE where the connection ended first. */
  publish(topic: string, payload: string, options?: { readonly retain?: boolean }): Promise<Result<void>>;
  /** Subscribes with QoS 1; BROKER_REFUSED names the topic that was not granted. */
  subscribe(topics: readonly string[]): Promise<Result<void>>;
  /** Ends it in order: the will is not sent. */
  end(): Promise<void>;
  /**
   * Cuts it off. Called while a message is being taken, that message counts as not received: where the session is kept,
   * the broker sends it again.
   */
  drop(): void;
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
  readonly will?: { readonly topic: string; readonly payload: string; readonly retain: boolean };
}

export interface MqttListener {
  message(topic: string, payload: Buffer): void;
  /** The connection has ended, and not by `end`; said once. */
  lost(fault: Fault): void;
}

/** MQTT.js hands all options to node:tls, but its types do not list this one. */
const newestTls = { minVersion: 'TLSv1.3' } as const;

/** Faults: BROKER_UNREACHABLE, BROKER_REFUSED, CERTIFICATE_EXPIRED, CERTIFICATE_NOT_YET_VALID, CERTIFICATE_REFUSED. */
export function openMqttLink(options: MqttOptions, listener: MqttListener): Promise<Result<MqttLink>> {
  const { will } = options;
  const { hostname, port } = new URL(options.url);
  const client = connect({
    protocol: 'mqtts',
    // Brackets of an IPv6 address belong to the URL.
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port === '' ? 8883 : port),
    protocolVersion: 5,
    clientId: options.clientId,
    // Nothing of an earlier session is wanted: what was not acknowledged by the centre is sent again from the store.
    clean: options.keepSession === undefined,
    ...(options.keepSession !== undefined && { properties: { sessionExpiryInterval: options.keepSession } }),
    reconnectPeriod: 0,
    queueQoSZero: false,
    resubscribe: false,
    keepalive: options.keepAlive,
    connectTimeout: options.connectTimeout,
    ca: options.tls.authority,
    cert: options.tls.certificate,
    key: options.tls.key,
    rejectUnauthorized: true,
    ...newestTls,
    ...(will !== undefined && {
      will: { topic: will.topic, payload: Buffer.from(will.payload), retain: will.retain, qos: 1 },
    }),
  });
  return new Promise((resolve) => {
    let open = false;
    let over = false;
    let last: Fault | undefined;
    const end = (): void => {
      if (over) return;
      over = true;
      client.end(true);
      const fault = last ?? fail('BROKER_UNREACHABLE', 'The connection ended.').fault;
      if (open) listener.lost(fault);
      else resolve({ ok: false, fault });
    };
    client.on('error', (error) => {
      last ??= faultOf(error);
      end();
    });
    client.on('disconnect', (packet) => {
      last = fail('BROKER_REFUSED', `It ended the session: ${reasonWords(packet.reasonCode ?? 0)}.`).fault;
    });
    client.on('close', end);
    client.on('message', (topic, payload) => {
      if (!over) listener.message(topic, payload);
    });
    client.on('connect', () => {
      open = true;
      resolve(
        ok(
          linkOf(client, () => {
            over = true;
          }),
        ),
      );
    });
  });
}

function linkOf(client: MqttClient, ended: () => void): MqttLink {
  const lost = (cause?: unknown): Result<never> =>
    fail('BROKER_UNREACHABLE', 'The connection ended before the broker had it.', cause);
  return {
    publish: (topic, payload, { retain = false } = {}) =>
      new Promise((resolve) => {
        if (!client.connected) return resolve(lost());
        const closed = (): void => resolve(lost());
        client.once('close', closed);
        client.publish(topic, payload, { qos: 1, retain }, (error, packet) => {
          client.off('close', closed);
          const code = (packet as { reasonCode?: number } | undefined)?.reasonCode ?? 0;
          if (code >= 0x80) resolve(fail('BROKER_REFUSED', `It refused ${topic}: ${reasonWords(code)}.`));
          else resolve(error === null || error === undefined ? ok(undefined) : faultResult(error));
        });
      }),
    subscribe: (topics) =>
      new Promise((resolve) => {
        if (!client.connected) return resolve(lost());
        const closed = (): void => resolve(lost());
        client.once('close', closed);
        client.subscribe([...topics], { qos: 1 }, (error, granted) => {
          client.off('close', closed);
          const refused = granted?.find(({ qos }) => (qos as number) >= 0x80);
          if (refused !== undefined)
            resolve(fail('BROKER_REFUSED', `It refused ${refused.topic}: ${reasonWords(refused.qos)}.`));
          else resolve(error === null || error === undefined ? ok(undefined) : faultResult(error));
        });
      }),
    end: () =>
      new Promise((resolve) => {
        ended();
        client.end(false, {}, () => resolve());
      }),
    drop() {
      ended();
      client.end(true);
    },
  };
}

function faultResult(error: Error): Result<never> {
  return { ok: false, fault: faultOf(error) };
}

function faultOf(error: Error): Fault {
  const reason = (error as { code?: unknown }).code;
  if (typeof reason === 'number') {
    return fail('BROKER_REFUSED', `Reason ${reason}: ${reasonWords(reason)}.`, error).fault;
  }
  const certificate = certificateFault(error, 'the broker');
  if (certificate?.ok === false) return certificate.fault;
  const words = systemCode(error) ?? error.message;
  return fail('BROKER_UNREACHABLE', `The connection failed (${words}).`, error).fault;
}

/** Reason codes in words (MQTT 5.0 section 2.4), those that an operator may meet. */
function reasonWords(code: number): string {
  return reasons[code] ?? `reason code ${code}`;
}

const reasons: Readonly<Record<number, string>> = {
  0x80: 'unspecified error',
  0x82: 'protocol error',
  0x85: 'client identifier not valid',
  0x86: 'bad user name or password',
  0x87: 'not authorised',
  0x88: 'server unavailable',
  0x89: 'server busy',
  0x8b: 'server shutting down',
  0x8d: 'keep-alive timeout',
  0x8e: 'another connection took over this session',
  0x90: 'topic name invalid',
  0x93: 'receive maximum exceeded',
  0x95: 'packet too large',
  0x97: 'quota exceeded',
  0x99: 'payload format invalid',
  0x9a: 'retain not supported',
  0x9c: 'use another server',
  0x9f: 'connection rate exceeded',
};
