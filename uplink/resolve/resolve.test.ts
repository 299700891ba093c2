import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ms } from '#contracts/units.ts';
import { TestClock } from '#runtime/test-clock.ts';
import { DnsServer } from '#test/rigs/dns-server.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { askName } from './ask.ts';
import type { Heard } from './candidates.ts';
import { type Endpoint, endpointText, splitEndpoint } from './endpoint.ts';
import { type KeptAddress, readKept, writeKept } from './kept.ts';
import { HubResolver, type ResolverParts } from './resolve.ts';

let dns: DnsServer;
let clock: TestClock;
let told: (readonly [string, Endpoint])[][];
let keeps: (readonly KeptAddress[])[];
let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-resolve-'));
  dns = new DnsServer({ 'hub.example': ['192.0.2.7'] });
  await dns.start();
  clock = new TestClock();
  told = [];
  keeps = [];
});
afterEach(async () => {
  await dns.stop();
  rmSync(folder, { recursive: true });
});

const dsl = { name: 'dsl', addresses: ['127.0.0.1'] };
const lte = { name: 'lte', addresses: ['127.0.0.2'] };
const named = { name: 'one', endpoint: 'hub.example:51820', pinned: [] };

function resolver(more: Partial<ResolverParts> = {}): HubResolver {
  return new HubResolver({
    hubs: [named],
    servers: [dns.server],
    kept: [],
    clock,
    random: () => 1,
    changed: (endpoints) => told.push([...endpoints]),
    keep: (kept) => keeps.push(kept),
    ask: (question) => askName({ ...question, timeout: ms(200) }),
    ...more,
  });
}
const heard = (state: Heard) => new Map([['one', state]]);

describe('The names of the hubs', () => {
  test('A name is resolved at the start and told', async () => {
    const one = resolver();
    expect(one.isLacking).toBe(true);
    one.look([dsl], heard('unknown'));
    await eventually(() => told.length > 0);
    expect(told).toEqual([[['one', { address: '192.0.2.7', port: 51_820 }]]]);
    expect(one.isLacking).toBe(false);
    expect(one.dnsOver('dsl')?.answer.result).toBe('answered');
  });

  test('A hub that moved is found again while it is silent, and not while it answers', async () => {
    const one = resolver();
    one.look([dsl], heard('unknown'));
    await eventually(() => told.length === 1);
    dns.names = { 'hub.example': ['192.0.2.8'] };
    one.look([dsl], heard('up'));
    await clock.advance(120_000);
    one.look([dsl], heard('up'));
    expect(dns.asked).toHaveLength(1);
    one.look([dsl], heard('silent'));
    await eventually(() => told.length === 2);
    expect(told[1]).toEqual([['one', { address: '192.0.2.8', port: 51_820 }]]);
  });

  test('It is asked over the next uplink where the first gets no answer, each question from its own address', async () => {
    const dead = new DnsServer();
    await dead.start();
    dead.mood = 'silent';
    const one = resolver({
      ask: (question) =>
        askName({
          ...question,
          timeout: ms(200),
          servers: question.localAddresses.includes('127.0.0.1') ? [dead.server] : question.servers,
        }),
    });
    one.look([dsl, lte], heard('silent'));
    await eventually(() => told.length > 0);
    expect(one.dnsOver('dsl')?.answer).toEqual({ result: 'silent' });
    expect(dns.asked.map(({ from }) => from)).toEqual(['127.0.0.2']);
    await dead.stop();
  });

  test('One question at a time, however often it is looked', async () => {
    dns.mood = 'silent';
    const one = resolver();
    for (let i = 0; i < 20; i++) one.look([dsl], heard('silent'));
    await eventually(() => one.dnsOver('dsl') !== undefined);
    expect(dns.asked).toHaveLength(1);
  });

  test('Without an uplink or a server nobody is asked, and pinned addresses serve', async () => {
    const pinned = { ...named, pinned: ['192.0.2.9'] };
    const one = resolver({ hubs: [pinned], servers: [] });
    one.look([dsl], heard('silent'));
    expect(one.endpoints.get('one')?.address).toBe('192.0.2.9');
    resolver().look([], heard('silent'));
    expect(dns.asked).toEqual([]);
  });

  test('DNS that says nothing or nonsense leaves the pinned addresses, which are tried in turn', async () => {
    dns.mood = 'nonsense';
    const one = resolver({ hubs: [{ ...named, pinned: ['192.0.2.9', '192.0.2.10'] }] });
    one.look([dsl], heard('silent'));
    await clock.advance(11_000);
    one.look([dsl], heard('silent'));
    expect(told).toEqual([[['one', { address: '192.0.2.10', port: 51_820 }]]]);
    await eventually(() => one.dnsOver('dsl') !== undefined);
  });

  test('The address at which a hub answers is kept over a restart, for the same name only', async () => {
    const file = join(folder, 'hubs.json');
    const one = resolver();
    one.look([dsl], heard('unknown'));
    await eventually(() => told.length > 0);
    one.look([dsl], heard('up'));
    one.look([dsl], heard('up'));
    expect(keeps).toEqual([[{ hub: 'one', host: 'hub.example', address: '192.0.2.7' }]]);
    expect((await writeKept(file, keeps[0] ?? [])).ok).toBe(true);
    const kept = readKept(file);
    expect(resolver({ kept }).endpoints.get('one')?.address).toBe('192.0.2.7');
    const renamed = { ...named, endpoint: 'other.example:51820' };
    expect(resolver({ kept, hubs: [renamed] }).isLacking).toBe(true);
  });

  test.each(['', '{}', 'nonsense', '{"v":1,"hubs":[{"hub":"one","host":"h","address":"zzz"}]}'])(
    'A file of kept addresses that is damaged (%s) is as good as none',
    (text) => {
      const file = join(folder, 'hubs.json');
      writeFileSync(file, text);
      expect(readKept(file)).toEqual([]);
    },
  );

  test('A test of DNS over one uplink asks for the name of a hub, and only there', async () => {
    const one = resolver();
    await one.test(lte);
    expect(dns.asked).toEqual([{ name: 'hub.example', type: 1, from: '127.0.0.2' }]);
    expect(one.dnsOver('dsl')).toBeUndefined();
    expect(await one.lookup(dsl, 'hub.example')).toEqual(['192.0.2.7']);
    expect(await one.lookup(dsl, 'nowhere.example')).toEqual([]);
  });

  test('Once closed nothing is told any more', async () => {
    const one = resolver();
    one.look([dsl], heard('unknown'));
    one.close();
    await eventually(() => one.dnsOver('dsl') !== undefined);
    expect(told).toEqual([]);
  });

  test.each([
    ['192.0.2.1:51820', '192.0.2.1'],
    ['[2001:db8::1]:51820', '2001:db8::1'],
    ['hub.example:51820', 'hub.example'],
  ])('%s is split and put together again', (text, host) => {
    expect(splitEndpoint(text)).toEqual({ host, port: 51_820 });
    expect(endpointText({ address: host, port: 51_820 })).toBe(text);
  });
});
