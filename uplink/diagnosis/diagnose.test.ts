import { describe, expect, test } from 'vitest';
import { lineStates } from '#contracts/uplink.ts';
import { ms } from '#contracts/units.ts';
import { diagnose } from './diagnose.ts';
import { type LineFacts, usableAddresses } from './facts.ts';
import { overall } from './overall.ts';

/** A line on which all is well up to the router, with two hubs that do not answer. */
const silent: LineFacts = {
  device: 'eth1',
  kind: 'ethernet',
  present: true,
  switchedOn: true,
  carrier: true,
  addresses: ['192.0.2.10', 'fe80::1'],
  gateway: { way: 'router', address: '192.0.2.1', neighbour: 'answers' },
  counters: { sent: 40, received: 12 },
  names: 'not-needed',
  dns: { result: 'not-asked' },
  portal: { result: 'not-done' },
  paths: [
    { hub: 'one', state: 'down' },
    { hub: 'two', state: 'down' },
  ],
  largest: null,
};
const up: LineFacts['paths'] = [
  { hub: 'one', state: 'up' },
  { hub: 'two', state: 'down' },
];
const untested: LineFacts['paths'] = [
  { hub: 'one', state: 'untested' },
  { hub: 'two', state: 'down' },
];
const routerSilent: LineFacts['gateway'] = { way: 'router', address: '192.0.2.1', neighbour: 'silent' };
const routerUnknown: LineFacts['gateway'] = { way: 'router', address: '192.0.2.1', neighbour: 'unknown' };
const line: LineFacts['gateway'] = { way: 'point-to-point' };
const portal: LineFacts['portal'] = { result: 'portal', status: 302, host: 'login.hotel.example' };
const pageSilent: LineFacts['portal'] = { result: 'no-answer', asked: true, why: 'nothing within 5 s' };
const dnsAnswers: LineFacts['dns'] = { result: 'answered', byRouter: false };
const routerDns: LineFacts['dns'] = { result: 'answered', byRouter: true };
const dnsSilent: LineFacts['dns'] = { result: 'silent' };
const nothing = { sent: 40, received: 0 };

describe('The state of an uplink', () => {
  test.each<[string, Partial<LineFacts>, string, RegExp]>([
    ['a device that is not there', { present: false }, 'no-device', /no device eth1/],
    ['a hub that answers', { paths: up }, 'up', /probes to one come back$/],
    ['a hub that answers, with its size', { paths: up, largest: 1420 }, 'up', /up to 1420 bytes/],
    [
      'a hub that answers only to small packets',
      { paths: up, largest: 'none' },
      'large-lost',
      /large ones at no size/,
    ],
    ['a device that is switched off', { switchedOn: false }, 'no-carrier', /switched off/],
    ['a cable that is out', { carrier: false }, 'no-carrier', /no cable/],
    ['a modem without a network', { carrier: false, kind: 'lte' }, 'no-carrier', /no network found/],
    ['no address at all', { addresses: [] }, 'no-address', /no address: DHCP gave none/],
    [
      'only addresses that the device gave itself',
      { addresses: ['169.254.7.7', 'fe80::1'] },
      'no-address',
      /only 169\.254\.7\.7/,
    ],
    ['a modem that gave no address', { addresses: [], kind: 'lte' }, 'no-address', /the modem gave none/],
    ['an address without a router', { gateway: null }, 'no-route', /no router was given/],
    ['a router that is silent', { gateway: routerSilent }, 'gateway-silent', /router 192\.0\.2\.1 does not/],
    ['a portal', { portal }, 'captive-portal', /status 302 and leads to login\.hotel\.example/],
    ['a DNS that is silent', { names: 'failed', dns: dnsSilent }, 'dns-dead', /DNS does not answer/],
    [
      'a DNS that only fails',
      { names: 'failed', dns: { result: 'failed', code: 'ESERVFAIL' } },
      'dns-dead',
      /only ESERVFAIL/,
    ],
    ['a path that was not probed yet', { paths: untested }, 'untested', /not probed yet: one/],
    ['no path at all', { paths: [] }, 'untested', /any hub/],
    ['hubs silent while DNS answers', { dns: dnsAnswers }, 'hubs-silent', /DNS answers, but no probe/],
    [
      'hubs silent while the page answers',
      { portal: { result: 'ok' } },
      'hubs-silent',
      /the test page answers/,
    ],
    [
      'a SIM without data',
      { kind: 'lte', gateway: line, counters: nothing },
      'no-data',
      /40 packets .* none/,
    ],
    ['a router with nothing behind it', {}, 'no-data', /the router 192\.0\.2\.1 answers, but nothing behind/],
  ])('%s is named', (_, facts, state, evidence) => {
    const found = diagnose({ ...silent, ...facts });
    expect(found.state).toBe(state);
    expect(found.evidence).toMatch(evidence);
  });

  test.each<[string, Partial<LineFacts>, string]>([
    ['a hub that answers beats a carrier that was read as gone', { paths: up, carrier: false }, 'up'],
    ['a hub that answers beats a portal seen before', { paths: up, portal }, 'up'],
    ['a driver that does not say whether there is a carrier', { carrier: null }, 'no-data'],
    ['no carrier beats a missing address', { carrier: false, addresses: [] }, 'no-carrier'],
    ['no address beats a missing router', { addresses: [], gateway: null }, 'no-address'],
    [
      'a portal beats the dead DNS that it causes',
      { portal, names: 'failed', dns: dnsSilent },
      'captive-portal',
    ],
    ['a portal beats DNS that answers', { portal, dns: dnsAnswers }, 'captive-portal'],
    ['a portal beats a router without ARP', { portal, gateway: routerSilent }, 'captive-portal'],
    [
      'an answer from behind beats a router without ARP',
      { gateway: routerSilent, dns: dnsAnswers },
      'hubs-silent',
    ],
    [
      'a silent router beats the DNS that is silent behind it',
      { gateway: routerSilent, names: 'failed', dns: dnsSilent },
      'gateway-silent',
    ],
    [
      'a silent router beats a path not probed yet',
      { gateway: routerSilent, paths: untested },
      'gateway-silent',
    ],
    [
      'a dead DNS beats paths that cannot be probed without it',
      { paths: untested, names: 'failed', dns: dnsSilent },
      'dns-dead',
    ],
    [
      'names that were not asked for yet are no dead DNS',
      { paths: untested, names: 'failed', dns: { result: 'not-asked' } },
      'untested',
    ],
    [
      'a silent DNS on a line on which nothing comes back is no fault of DNS',
      { gateway: line, names: 'failed', dns: dnsSilent, counters: nothing },
      'no-data',
    ],
    [
      'a silent DNS on a line with packets that come back is',
      { gateway: line, names: 'failed', dns: dnsSilent },
      'dns-dead',
    ],
    [
      'DNS and the page at its address both silent: the line is',
      { names: 'failed', dns: dnsSilent, portal: pageSilent },
      'no-data',
    ],
    [
      'the page was not even asked for, since DNS is silent',
      {
        names: 'failed',
        dns: dnsSilent,
        portal: { result: 'no-answer', asked: false, why: 'its name is not resolved' },
      },
      'dns-dead',
    ],
    [
      'the page answers by address while DNS is dead',
      { names: 'failed', dns: dnsSilent, portal: { result: 'ok' } },
      'dns-dead',
    ],
    ['DNS that is dead but not needed is no reason', { dns: dnsSilent }, 'no-data'],
    ['packets on a shared medium are no proof', { gateway: routerUnknown }, 'no-data'],
    ['packets on a line with one other end are', { gateway: line }, 'hubs-silent'],
    ['the router answers DNS by itself', { dns: routerDns }, 'hubs-silent'],
    ['… but the page behind it is silent', { dns: routerDns, portal: pageSilent }, 'no-data'],
    [
      'DNS from elsewhere is believed although the page is silent',
      { dns: dnsAnswers, portal: pageSilent },
      'hubs-silent',
    ],
  ])('%s', (_, facts, state) => {
    expect(diagnose({ ...silent, ...facts }).state).toBe(state);
  });

  test('Every state of the contract has its row', () => {
    const found = [
      { present: false },
      { paths: up },
      { paths: up, largest: 'none' as const },
      { carrier: false },
      { addresses: [] },
      { gateway: null },
      { portal },
      { gateway: routerSilent },
      { names: 'failed' as const, dns: dnsSilent },
      { paths: untested },
      { dns: dnsAnswers },
      {},
    ].map((facts) => diagnose({ ...silent, ...facts }).state);
    expect(new Set(found)).toEqual(new Set(Object.keys(lineStates)));
  });

  test('Evidence fits the contract, however much there is', () => {
    const paths = Array.from({ length: 4 }, () => ({ hub: 'h'.repeat(32), state: 'down' as const }));
    const addresses = Array.from({ length: 40 }, (_, i) => `2001:db8:1111:2222:3333:4444:5555:${i}`);
    expect(diagnose({ ...silent, paths, addresses, gateway: null }).evidence).toHaveLength(300);
    expect(diagnose({ ...silent, paths, portal: pageSilent }).evidence.length).toBeLessThanOrEqual(300);
  });

  test.each([
    ['192.0.2.1', true],
    ['10.0.0.7', true],
    ['2001:db8::1', true],
    ['fd00::7', true],
    ['169.254.1.1', false],
    ['fe80::1', false],
    ['febf::1', false],
    ['127.0.0.1', false],
    ['::1', false],
    ['0.0.0.0', false],
    ['nonsense', false],
  ])('%s counts as an address: %s', (address, counts) => {
    expect(usableAddresses([address])).toHaveLength(counts ? 1 : 0);
  });
});

describe('The whole', () => {
  const lineOf = (name: string, facts: Partial<LineFacts>) => ({
    name,
    ...diagnose({ ...silent, ...facts }),
  });
  const whole = (lines: readonly Partial<LineFacts>[], running = 60_000) =>
    overall(
      lines.map((facts, at) => lineOf(`line${at}`, facts)),
      ms(running),
    );

  test.each<[string, readonly Partial<LineFacts>[], number, string]>([
    ['one line is up', [{}, { paths: up }], 60_000, 'up'],
    ['small packets pass', [{ paths: up, largest: 'none' }], 60_000, 'up'],
    ['nothing was tested yet, however long', [{ paths: [] }, { paths: [] }], 600_000, 'starting'],
    ['one is not tested yet, just started', [{}, { paths: [] }], 5000, 'starting'],
    ['one is not tested yet, long after', [{}, { paths: [] }], 60_000, 'lines-down'],
    ['nothing works', [{}, { carrier: false }], 60_000, 'lines-down'],
    ['nothing works, just started', [{}, { carrier: false }], 5000, 'lines-down'],
    ['a line works, its hubs do not', [{ dns: dnsAnswers }, { carrier: false }], 60_000, 'hubs-down'],
    ['a portal holds the only line', [{ portal, dns: dnsAnswers }], 60_000, 'lines-down'],
    [
      'the page answers, DNS is dead',
      [{ names: 'failed', dns: dnsSilent, portal: { result: 'ok' } }],
      60_000,
      'hubs-down',
    ],
    ['DNS is dead and nothing else is known', [{ names: 'failed', dns: dnsSilent }], 60_000, 'lines-down'],
    ['a modem brings packets back', [{ gateway: line }], 60_000, 'hubs-down'],
    [
      'an old answer over a cable that is out now',
      [{ dns: dnsAnswers, carrier: false }],
      60_000,
      'lines-down',
    ],
  ])('Where %s', (_, lines, running, state) => {
    expect(whole(lines, running).state).toBe(state);
  });

  test('It names the lines and what was seen of them', () => {
    expect(whole([{}, { carrier: false }]).evidence).toMatch(
      /^line0: the router .*; line1: eth1 has no carrier/,
    );
    expect(whole([{ dns: dnsAnswers }, {}]).evidence).toBe(
      'line0: DNS answers, but no probe to one, two comes back',
    );
    expect(whole([{ paths: up, largest: 'none' }]).evidence).toContain('only to small packets');
  });
});
