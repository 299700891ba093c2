import type { TSchema } from 'typebox';
import { commandBytes, commandExpirySeconds, CommandOrder, CommandResult, commandType } from './command.ts';
import { Desired, desiredType, Reported, SignedEnvelope } from './configuration.ts';
import { HealthMessage, Status } from './health.ts';
import { OutboxAck, OutboxBatch } from './outbox.ts';
import { type Channel, terminalReads, topic } from './topics.ts';

/** What a channel carries, for the published document. */
interface ChannelNote {
  readonly name: string;
  readonly title: string;
  readonly summary: string;
  readonly payload: TSchema;
  readonly retain: boolean;
  /** Sent as one gzip member where that is shorter; a reader sees it by the first byte, 0x1f. */
  readonly packed: boolean;
  /** Within the payload of an envelope: what is signed, by this media type. */
  readonly signed?: { readonly type: string; readonly schema: TSchema };
  readonly expirySeconds?: number;
  readonly maxBytes?: number;
  /** Message on the other channel that answers this one; with MQTT 5 response topic and correlation data. */
  readonly reply?: Channel;
  /** The terminal's will says it too, if the session ends without a goodbye. */
  readonly will?: boolean;
}

const notes: Readonly<Record<Channel, ChannelNote>> = {
  status: {
    name: 'Status',
    title: 'Birth and death of a session',
    summary:
      'Said at the start of a session, at its orderly end, and by its will; a death of a session that is not the current one is ignored.',
    payload: Status,
    retain: true,
    packed: false,
    will: true,
  },
  health: {
    name: 'Health',
    title: 'Health of the terminal',
    summary:
      'A full report at the start of a session and now and then, else the sections that changed; `seq` rises by one within a session.',
    payload: HealthMessage,
    retain: false,
    packed: true,
  },
  outbox: {
    name: 'Outbox',
    title: 'What the terminal owes',
    summary:
      'Numbered items, kept by the terminal until `outbox/ack` says that they are stored; one batch at a time, sent again until then.',
    payload: OutboxBatch,
    retain: false,
    packed: true,
  },
  'outbox/ack': {
    name: 'OutboxAck',
    title: 'What the centre has stored',
    summary: 'Everything of the stream up to and including `through` is durably stored.',
    payload: OutboxAck,
    retain: false,
    packed: false,
  },
  desired: {
    name: 'Desired',
    title: 'Configuration that the centre wants',
    summary:
      'A signed envelope; obeyed where it is for this terminal and its version is higher than any known.',
    payload: SignedEnvelope,
    retain: true,
    packed: false,
    signed: { type: desiredType, schema: Desired },
  },
  reported: {
    name: 'Reported',
    title: 'Configuration that the terminal runs',
    summary: 'Said at the start of a session and at each change.',
    payload: Reported,
    retain: true,
    packed: true,
  },
  command: {
    name: 'Command',
    title: 'Command of the centre',
    summary: 'A signed envelope that quotes the session it is meant for; carried out once at most.',
    payload: SignedEnvelope,
    retain: false,
    packed: false,
    signed: { type: commandType, schema: CommandOrder },
    expirySeconds: commandExpirySeconds,
    maxBytes: commandBytes,
    reply: 'command/result',
  },
  'command/result': {
    name: 'CommandResult',
    title: 'How a command goes',
    summary:
      'Brings the correlation data of the command back; its end comes through the outbox too, so that it is never lost.',
    payload: CommandResult,
    retain: false,
    packed: false,
  },
};

const channels = Object.keys(notes) as Channel[];
const reads: ReadonlySet<string> = new Set(terminalReads);
/** Keys of AsyncAPI's objects take no slash. */
const keyOf = (channel: Channel): string => channel.replace('/', '-');
const ref = (path: string): { $ref: string } => ({ $ref: `#/${path}` });
/** A schema as JSON Schema alone, without what the compiler knows of it. */
const plain = (schema: TSchema): unknown => JSON.parse(JSON.stringify(schema));

/** The MQTT contract as an AsyncAPI 3.0 document, told from the terminal's side; docs/asyncapi.json is made from it. */
export function asyncApi(): Readonly<Record<string, unknown>> {
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Checkpost fleet',
      version: '1.0.0',
      description: [
        'What terminals and the centre say to each other over MQTT 5 with mutual TLS 1.3. The name in the certificate is the',
        'identity of a terminal, its client id and its part of every topic. Everything is sent with QoS 1 as UTF-8 JSON; what',
        'is longer than 400 bytes may be one gzip member (RFC 1952) on the channels marked so, which begins with the byte',
        '0x1f and unpacks to at most 1048576 bytes. What does not fit its schema is refused, counted and not acted upon.',
        'Several controllers share what terminals say by `$share/controllers/FILTER`; what is retained comes by a plain',
        'subscription alone.',
      ].join(' '),
    },
    defaultContentType: 'application/json',
    servers: {
      broker: {
        host: 'centre.example:8883',
        protocol: 'secure-mqtt',
        protocolVersion: '5',
        description: 'The broker of the centre.',
        security: [ref('components/securitySchemes/certificate')],
        bindings: {
          mqtt: {
            clientId: '{terminal}',
            cleanSession: true,
            sessionExpiryInterval: 0,
            bindingVersion: '0.2.0',
          },
        },
      },
    },
    channels: Object.fromEntries(channels.map((channel) => [keyOf(channel), channelOf(channel)])),
    operations: Object.fromEntries(channels.map((channel) => [operationName(channel), operationOf(channel)])),
    components: {
      messages: Object.fromEntries(channels.map((channel) => [notes[channel].name, messageOf(channel)])),
      schemas: Object.fromEntries(channels.flatMap(schemasOf)),
      securitySchemes: {
        certificate: {
          type: 'X509',
          description: 'Certificate of the bureau’s authority; its name is the terminal.',
        },
      },
    },
  };
}

function channelOf(channel: Channel): unknown {
  const { name, title } = notes[channel];
  return {
    address: topic('{terminal}', channel),
    title,
    servers: [ref('servers/broker')],
    messages: { [name]: ref(`components/messages/${name}`) },
    parameters: { terminal: { description: 'Id of the terminal, the common name of its certificate' } },
  };
}

function operationName(channel: Channel): string {
  return `${reads.has(channel) ? 'receive' : 'send'}${notes[channel].name}`;
}

function operationOf(channel: Channel): unknown {
  const { name, summary, retain, expirySeconds, reply } = notes[channel];
  const at = (of: Channel): { channel: unknown; messages: unknown[] } => ({
    channel: ref(`channels/${keyOf(of)}`),
    messages: [ref(`channels/${keyOf(of)}/messages/${notes[of].name}`)],
  });
  return {
    action: reads.has(channel) ? 'receive' : 'send',
    ...at(channel),
    title: name,
    summary,
    bindings: {
      mqtt: {
        qos: 1,
        retain,
        ...(expirySeconds !== undefined && { messageExpiryInterval: expirySeconds }),
        bindingVersion: '0.2.0',
      },
    },
    ...(reply !== undefined && { reply: at(reply) }),
  };
}

function messageOf(channel: Channel): unknown {
  const { name, title, packed, signed, maxBytes, reply, will } = notes[channel];
  const answers = channels.some((other) => notes[other].reply === channel);
  const correlates = reply !== undefined || answers;
  return {
    name,
    title,
    contentType: 'application/json',
    payload: ref(`components/schemas/${name}`),
    ...(packed && { 'x-content-encodings': ['identity', 'gzip'] }),
    ...(signed !== undefined && {
      'x-signed-payload': { payloadType: signed.type, schema: ref(`components/schemas/${name}Payload`) },
    }),
    ...(maxBytes !== undefined && { 'x-max-bytes': maxBytes }),
    ...(will === true && { 'x-will': true }),
    bindings: {
      mqtt: {
        payloadFormatIndicator: packed ? 0 : 1,
        ...(correlates && { correlationData: { type: 'string', format: 'binary' } }),
        ...(reply !== undefined && { responseTopic: topic('{terminal}', reply) }),
        bindingVersion: '0.2.0',
      },
    },
  };
}

function schemasOf(channel: Channel): [string, unknown][] {
  const { name, payload, signed } = notes[channel];
  const own: [string, unknown] = [name, plain(payload)];
  return signed === undefined ? [own] : [own, [`${name}Payload`, plain(signed.schema)]];
}
