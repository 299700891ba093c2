import { describe, expect, test } from 'vitest';
import { asyncApi } from './asyncapi.ts';
import { parseTopic, terminalReads, terminalWrites } from './topics.ts';

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };
type Node = { readonly [name: string]: Json };

const document = JSON.parse(JSON.stringify(asyncApi())) as Node;
const child = (node: Json | undefined, name: string): Json | undefined =>
  typeof node === 'object' && node !== null && !Array.isArray(node) ? (node as Node)[name] : undefined;
const textOf = (node: Json | undefined): string => (typeof node === 'string' ? node : '');
const entries = (node: Json | undefined): [string, Node][] =>
  Object.entries((node ?? {}) as Record<string, Node>);
const find = (pointer: string): Json | undefined =>
  pointer
    .slice(2)
    .split('/')
    .reduce<Json | undefined>((node, part) => child(node, part), document);

/** Every `$ref` below. */
function refs(node: Json | undefined): string[] {
  if (typeof node !== 'object' || node === null) return [];
  if (Array.isArray(node)) return node.flatMap(refs);
  return Object.entries(node).flatMap(([name, value]) =>
    name === '$ref' && typeof value === 'string' ? [value] : refs(value),
  );
}

describe('the published MQTT contract', () => {
  test('has what AsyncAPI 3.0 requires of a document, and no other part', () => {
    expect(document['asyncapi']).toBe('3.0.0');
    expect(child(document['info'], 'title')).toBeTypeOf('string');
    expect(child(document['info'], 'version')).toMatch(/^\d+\.\d+\.\d+$/);
    const allowed = [
      'asyncapi',
      'id',
      'info',
      'defaultContentType',
      'servers',
      'channels',
      'operations',
      'components',
    ];
    expect(Object.keys(document).filter((name) => !allowed.includes(name))).toEqual([]);
    for (const [, server] of entries(document['servers'])) {
      expect(server['host']).toBeTypeOf('string');
      expect(server['protocol']).toBe('secure-mqtt');
    }
  });

  test('points nowhere that is not there', () => {
    const all = refs(document);
    expect(all.length).toBeGreaterThan(30);
    expect(all.filter((pointer) => !pointer.startsWith('#/') || find(pointer) === undefined)).toEqual([]);
  });

  test('has one channel for each topic, whose parameters are those of its address', () => {
    const addresses = entries(document['channels']).map(([, channel]) => textOf(channel['address']));
    const ours = addresses.map((address) => parseTopic(address.replace('{terminal}', 'UTO-0001-1'))?.channel);
    expect(new Set(ours)).toEqual(new Set([...terminalWrites, ...terminalReads]));
    for (const [key, channel] of entries(document['channels'])) {
      expect(key).toMatch(/^[A-Za-z0-9_-]+$/);
      const named = [...textOf(channel['address']).matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      expect(Object.keys((channel['parameters'] ?? {}) as Node)).toEqual(named);
      // A parameter may have these members only; a schema is not among them any more.
      for (const [, parameter] of entries(channel['parameters']))
        expect(
          Object.keys(parameter).filter((name) => !['description', 'enum', 'default'].includes(name)),
        ).toEqual([]);
    }
  });

  test('has one operation for each topic, in the direction that the broker allows a terminal', () => {
    for (const [, operation] of entries(document['operations'])) {
      const pointer = textOf(child(operation['channel'], '$ref'));
      const address = textOf(child(find(pointer), 'address')).replace('{terminal}', 'X');
      const channel = parseTopic(address)?.channel;
      const reads = (terminalReads as readonly (string | undefined)[]).includes(channel);
      expect(operation['action'], address).toBe(reads ? 'receive' : 'send');
      // The messages of an operation must be among those of its channel.
      for (const message of refs(operation['messages']))
        expect(message.startsWith(`${pointer}/messages/`)).toBe(true);
      const mqtt = child(operation['bindings'], 'mqtt');
      expect(child(mqtt, 'qos')).toBe(1);
      const retained = ['status', 'desired', 'reported'].includes(channel ?? '');
      expect(child(mqtt, 'retain'), address).toBe(retained);
    }
    expect(entries(document['operations'])).toHaveLength(terminalWrites.length + terminalReads.length);
  });

  test('has a schema for every payload, also of what is inside an envelope, and says what may come packed', () => {
    const packed: string[] = [];
    for (const [name, message] of entries(child(document['components'], 'messages'))) {
      expect(child(find(textOf(child(message['payload'], '$ref'))), 'type'), name).toBe('object');
      if (message['x-content-encodings'] !== undefined) packed.push(name);
    }
    expect(packed.toSorted()).toEqual(['Health', 'Outbox', 'Reported']);
    const order = find('#/components/schemas/CommandPayload/properties/session');
    expect(child(order, 'type')).toBe('integer');
  });

  test('tells that a command is answered, and when it is not worth delivering any more', () => {
    const command = child(document['operations'], 'receiveCommand');
    expect(child(child(child(command, 'reply'), 'channel'), '$ref')).toBe('#/channels/command-result');
    expect(child(child(child(command, 'bindings'), 'mqtt'), 'messageExpiryInterval')).toBe(120);
  });
});
