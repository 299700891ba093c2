import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { HubTerminal } from '#contracts/settings/hub.ts';
import { Registry } from './registry.ts';
import type { RotatedTerminal } from './rotated-keys.ts';

const key = (): string => randomBytes(32).toString('base64');
const hub = { address: '10.77.255.1', probeAddress: '10.78.255.1', publicKey: key() };

function terminal(number: number, more: Partial<HubTerminal> = {}): HubTerminal {
  return {
    terminal: `UTO-000${number}-1`,
    address: `10.77.0.${number}`,
    publicKey: key(),
    probes: [
      { uplink: 'dsl', address: `10.78.0.${number}`, publicKey: key() },
      { uplink: 'lte', address: `10.78.1.${number}`, publicKey: key() },
    ],
    ...more,
  };
}

function build(terminals: HubTerminal[], rotated: RotatedTerminal[] = []) {
  return Registry.build(terminals, new Map(rotated.map((one) => [one.terminal, one])), hub);
}

function complaintOf(terminals: HubTerminal[], rotated: RotatedTerminal[] = []): string {
  const built = build(terminals, rotated);
  return built.ok ? '' : built.fault.detail;
}

function rotatedOf({ terminal, publicKey }: HubTerminal, more: object): RotatedTerminal {
  const slot = { slot: 'tunnel', registered: publicKey, current: null, candidate: null };
  return { v: 1, terminal, slots: [{ ...slot, ...more }] };
}

test('Every tunnel and probe is a peer with one address', () => {
  const built = build([terminal(1), terminal(2)]);
  if (!built.ok) throw new Error(built.fault.detail);
  const addresses = [...built.value.peers().values()].map(({ address }) => address);
  expect(new Set(addresses)).toEqual(
    new Set(['10.77.0.1', '10.77.0.2', '10.78.0.1', '10.78.0.2', '10.78.1.1', '10.78.1.2']),
  );
  expect(addresses).toHaveLength(6);
  expect(built.value.terminals).toEqual(['UTO-0001-1', 'UTO-0002-1']);
});

test('Who speaks is known by the address of the probe, and an address of the tunnel is nobody', () => {
  const built = build([terminal(1), terminal(2)]);
  if (!built.ok) throw new Error(built.fault.detail);
  expect(built.value.speaker('10.78.1.2')).toEqual({ terminal: 'UTO-0002-1', uplink: 'lte' });
  expect(built.value.speaker('10.77.0.2')).toBeUndefined();
  expect(built.value.speaker('10.78.255.1')).toBeUndefined();
});

const shared = key();
test.each([
  ['a key', [terminal(1, { publicKey: shared }), terminal(2, { publicKey: shared })], 'the public key'],
  ['an address', [terminal(1), terminal(2, { address: '10.77.0.1' })], 'the address 10.77.0.1'],
  [
    'an address of a probe that is one of a tunnel',
    [terminal(1), terminal(2, { address: '10.78.0.1' })],
    'the address 10.78.0.1',
  ],
  ['a name', [terminal(1), terminal(2, { terminal: 'UTO-0001-1' })], 'the name UTO-0001-1'],
])('Two terminals that share %s are refused, and both are named', (_, terminals, what) => {
  const complaint = complaintOf(terminals);
  expect(complaint).toContain(what);
  for (const { terminal } of terminals) expect(complaint).toContain(terminal);
});

test('A terminal that has an address or the key of the hub itself is refused', () => {
  expect(complaintOf([terminal(1, { address: hub.address })])).toContain('this hub and UTO-0001-1 (tunnel)');
  expect(complaintOf([terminal(1, { publicKey: hub.publicKey })])).toContain(
    'this hub and UTO-0001-1 (tunnel)',
  );
});

test('An address that is none is refused', () => {
  expect(complaintOf([terminal(1, { address: '10.77.0.300' })])).toContain('10.77.0.300 is no IPv4 address');
});

test('A terminal with the rotated key of another, or with its candidate, is refused', () => {
  const one = terminal(1);
  const current = { publicKey: key(), presharedKey: key() };
  const candidate = { publicKey: key(), presharedKey: key(), offeredAt: '2026-01-01T00:00:00.000Z' };
  const rotated = rotatedOf(one, { current, candidate });
  for (const { publicKey } of [current, candidate])
    expect(complaintOf([one, terminal(2, { publicKey })], [rotated])).toContain(
      'UTO-0001-1 (tunnel) and UTO-0002-1',
    );
});

test('Rotated keys take the place of the registered one, and are void where another is registered now', () => {
  const one = terminal(1);
  const current = { publicKey: key(), presharedKey: key() };
  const rotated = rotatedOf(one, { current });
  const built = build([one], [rotated]);
  expect(built.ok && built.value.slot(one.terminal, 'tunnel')?.current).toEqual(current);
  const again = build([{ ...one, publicKey: key() }], [rotated]);
  expect(again.ok && again.value.slot(one.terminal, 'tunnel')?.current).not.toEqual(current);
});

test('A candidate is a peer that has no address yet', () => {
  const one = terminal(1);
  const candidate = { publicKey: key(), presharedKey: key(), offeredAt: '2026-01-01T00:00:00.000Z' };
  const built = build([one], [rotatedOf(one, { candidate })]);
  if (!built.ok) throw new Error(built.fault.detail);
  expect(built.value.peers().get(candidate.publicKey)).toMatchObject({ address: null });
  expect(built.value.peers().get(one.publicKey)).toMatchObject({ address: '10.77.0.1' });
});

test('Complaints are listed twenty at most, and the rest is counted', () => {
  const doubled = Array.from({ length: 30 }, () => terminal(1));
  expect(complaintOf(doubled)).toMatch(/and \d+ more$/);
});

test('Whatever is in a list that is accepted, no two peers have one address and no key stands twice', () => {
  const small = fc.record({
    number: fc.integer({ min: 1, max: 4 }),
    address: fc.integer({ min: 1, max: 6 }),
    key: fc.integer({ min: 0, max: 5 }),
  });
  const pool = Array.from({ length: 6 }, key);
  fc.assert(
    fc.property(fc.array(small, { maxLength: 5 }), (list) => {
      const built = build(
        list.map((one) =>
          terminal(one.number, {
            address: `10.77.1.${one.address}`,
            publicKey: pool[one.key] ?? '',
            probes: [],
          }),
        ),
      );
      if (!built.ok) return;
      const peers = [...built.value.peers().values()];
      expect(peers).toHaveLength(list.length);
      expect(new Set(peers.map(({ address }) => address)).size).toBe(list.length);
    }),
  );
});

test('Five thousand terminals with three uplinks each are read within a second', () => {
  const many = Array.from({ length: 5000 }, (_, at): HubTerminal => {
    const tail = `${at >> 8}.${at & 255}`;
    const probes = ['a', 'b', 'c'].map((uplink, i) => ({
      uplink,
      address: `10.${80 + i}.${tail}`,
      publicKey: key(),
    }));
    return { terminal: `T-${at}`, address: `10.79.${tail}`, publicKey: key(), probes };
  });
  const began = performance.now();
  const built = build(many);
  expect(built.ok && built.value.peers().size).toBe(20_000);
  expect(performance.now() - began).toBeLessThan(1000);
});
