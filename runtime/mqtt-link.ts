import {
  connect,
  type IClientOptions,
  type IClientPublishOptions,
  type IPublishPacket,
  type MqttClient,
} from 'mqtt';
import { fail, type Fault, ok, type Result } from '#contracts/result.ts';
import { toFault } from './errors.ts';
import type { MqttLink, MqttListener, MqttOptions, PublishOptions, Subscription } from './mqtt-ports.ts';
import { isFromBroker, linkFault, reasonFault } from './mqtt-reasons.ts';
import { Slots } from './slots.ts';

export type {
  MessageAbout,
  MqttLink,
  MqttListener,
  MqttOptions,
  PublishOptions,
  Subscription,
} from './mqtt-ports.ts';

/** MQTT.js hands all options to node:tls, but its types do not list this one. */
const newestTls = { minVersion: 'TLSv1.3' } as const;
/** MQTT 5.0 section 3.2.2.3.3: where the broker says nothing. */
const defaultReceiveMaximum = 65_535;

/** Of MQTT.js, where its public methods cannot send an acknowledgement later (pinned; a test sees it on the line). */
interface AckSender {
  _sendPacket(packet: { cmd: 'puback'; messageId: number; reasonCode: number }): void;
}

/**
 * Opens one MQTT 5 connection; this file alone knows the package.
 *
 * Faults: BROKER_UNREACHABLE, BROKER_REFUSED, BROKER_BUSY, CERTIFICATE_EXPIRED, CERTIFICATE_NOT_YET_VALID,
 * CERTIFICATE_REFUSED.
 */
export function openMqttLink(options: MqttOptions, listener: MqttListener): Promise<Result<MqttLink>> {
  const client = connect(clientOptions(options));
  return new Promise((resolve) => {
    let open = false;
    let over = false;
    let last: Fault | undefined;
    // The far end's FIN is a `close` without any error before it.
    let by: 'broker' | 'line' = 'broker';
    const end = (): void => {
      if (over) return;
      over = true;
      client.end(true);
      const fault = last ?? fail('BROKER_UNREACHABLE', 'The connection ended.').fault;
      if (open) listener.lost(fault, by);
      else resolve({ ok: false, fault });
    };
    client.on('error', (error) => {
      if (last === undefined && !isFromBroker(error)) by = 'line';
      last ??= linkFault(error);
      end();
    });
    client.on('disconnect', (packet) => {
      last = reasonFault(packet.reasonCode ?? 0, 'It ended the session').fault;
      end();
    });
    client.on('close', end);
    const giveUp = (): void => {
      if (!open) end();
    };
    if (options.giveUp?.aborted === true) giveUp();
    options.giveUp?.addEventListener('abort', giveUp, { once: true });
    takeMessages(client, listener, {
      isOver: () => over,
      failed: (thrown) => {
        last ??= toFault(thrown);
        by = 'line';
        end();
      },
    });
    client.on('connect', (packet) => {
      open = true;
      const slots = new Slots(packet.properties?.receiveMaximum ?? defaultReceiveMaximum);
      const ended = (): void => {
        over = true;
      };
      resolve(ok(linkOf(client, slots, ended)));
    });
  });
}

function clientOptions(options: MqttOptions): IClientOptions {
  const { will, keepSession, receiveMaximum } = options;
  const { hostname, port } = new URL(options.url);
  return {
    protocol: 'mqtts',
    // Brackets of an IPv6 address belong to the URL.
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port === '' ? 8883 : port),
    protocolVersion: 5,
    clientId: options.clientId,
    // Nothing of an earlier session is wanted: what was not acknowledged by the centre is sent again from the store.
    clean: keepSession === undefined,
    properties: {
      sessionExpiryInterval: keepSession ?? 0,
      ...(receiveMaximum !== undefined && { receiveMaximum }),
    },
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
  };
}

/**
 * MQTT.js reads nothing more, not even the answer to its ping, until the acknowledgement of a message has been sent. A
 * commit takes its time and may itself wait for the broker: so it is told at once that there is no acknowledgement of
 * its own making, and ours follows when the message has been taken, in order (MQTT 5.0 section 4.6).
 */
function takeMessages(
  client: MqttClient,
  listener: MqttListener,
  state: { readonly isOver: () => boolean; readonly failed: (thrown: unknown) => void },
): void {
  let acknowledged: Promise<void> = Promise.resolve();
  client.handleMessage = (packet, release) => {
    if (!state.isOver()) {
      const taken = take(listener, packet);
      acknowledged = acknowledged.then(async () => {
        try {
          await taken;
        } catch (thrown) {
          state.failed(thrown);
        }
        const { messageId } = packet;
        if (state.isOver() || packet.qos !== 1 || messageId === undefined) return;
        (client as unknown as AckSender)._sendPacket({ cmd: 'puback', messageId, reasonCode: 0 });
      });
      // Where it fails before its turn, nobody waits for it yet; it is looked at then.
      taken.catch(() => {});
    }
    release(new Error('It is acknowledged later.'));
  };
}

async function take(listener: MqttListener, packet: IPublishPacket): Promise<void> {
  const { responseTopic, correlationData } = packet.properties ?? {};
  const { payload } = packet;
  await listener.message(packet.topic, typeof payload === 'string' ? Buffer.from(payload) : payload, {
    retain: packet.retain,
    ...(responseTopic !== undefined && { responseTopic }),
    ...(correlationData !== undefined && { correlation: correlationData }),
  });
}

function linkOf(client: MqttClient, slots: Slots, ended: () => void): MqttLink {
  const lost = (cause?: unknown): Result<never> =>
    fail('BROKER_UNREACHABLE', 'The connection ended before the broker had it.', cause);
  // Each message on its way waits for the end of the connection too.
  client.setMaxListeners(0);
  client.once('close', () => slots.close());
  return {
    async publish(topic, payload, options = {}) {
      const free = await slots.take();
      if (free === undefined || !client.connected) return lost();
      return new Promise((resolve) => {
        const done = (result: Result<void>): void => {
          client.off('close', closed);
          free();
          resolve(result);
        };
        const closed = (): void => done(lost());
        client.once('close', closed);
        const bytes = typeof payload === 'string' ? payload : Buffer.from(payload);
        client.publish(topic, bytes, publishOptions(options), (error) => {
          if (error === null || error === undefined) return done(ok(undefined));
          const { code } = error as { code?: unknown };
          if (typeof code === 'number') done(reasonFault(code, `It refused ${topic}`, error));
          else done({ ok: false, fault: linkFault(error) });
        });
      });
    },
    subscribe: (filters) =>
      new Promise((resolve) => {
        if (!client.connected) return resolve(lost());
        const closed = (): void => resolve(lost());
        client.once('close', closed);
        client.subscribe(subscriptions(filters), (error, granted) => {
          client.off('close', closed);
          const refused = granted?.find(({ qos }) => (qos as number) >= 0x80);
          if (refused !== undefined) resolve(reasonFault(refused.qos, `It refused ${refused.topic}`));
          else if (error === null || error === undefined) resolve(ok(undefined));
          else resolve({ ok: false, fault: linkFault(error) });
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

function publishOptions(options: PublishOptions): IClientPublishOptions {
  const { retain = false, expirySeconds, contentType, responseTopic, correlation } = options;
  return {
    qos: 1,
    retain,
    properties: {
      ...(expirySeconds !== undefined && { messageExpiryInterval: expirySeconds }),
      ...(contentType !== undefined && { contentType }),
      ...(responseTopic !== undefined && { responseTopic }),
      ...(correlation !== undefined && { correlationData: Buffer.from(correlation) }),
    },
  };
}

function subscriptions(filters: readonly (string | Subscription)[]): Record<string, { qos: 1; rh: 0 | 2 }> {
  return Object.fromEntries(
    filters.map((one) => {
      const { filter, retained = 'send' } = typeof one === 'string' ? { filter: one } : one;
      return [filter, { qos: 1, rh: retained === 'send' ? 0 : 2 }];
    }),
  );
}
