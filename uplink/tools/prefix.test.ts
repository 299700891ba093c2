import fc from 'fast-check';
import { expect, test } from 'vitest';
import { destinationOf, networkOf, normalDestination, parsePrefix } from './prefix.ts';

const network = (text: string): string | undefined => normalDestination(text)?.destination;

test('A destination is written as ip prints it, whatever its host bits and its spelling', () => {
  expect(network('10.77.3.9/16')).toBe('10.77.0.0/16');
  expect(network('10.77.3.9')).toBe('10.77.3.9');
  expect(network('10.77.3.9/32')).toBe('10.77.3.9');
  expect(network('10.1.2.3/0')).toBe('default');
  expect(network('2001:DB8:0:0::1/64')).toBe('2001:db8::/64');
  expect(network('fd00::1')).toBe('fd00::1');
  expect(network('::/0')).toBe('default');
  expect(network('fd00::ff01/121')).toBe('fd00::ff00/121');
  expect(network('64:ff9b::192.0.2.1/128')).toBe('64:ff9b::c000:201');
});

test.each([
  '',
  'default',
  '10.0.0.0/33',
  '::/129',
  '10.0.0/8',
  '10.0.0.0/8/8',
  'fe80::1%eth0',
  '1.2.3.4/x',
  '/8',
])('What is no prefix is not taken for one: %j', (text) => expect(parsePrefix(text)).toBeUndefined());

test('A network is its own network, and no text makes the parser throw', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.nat(128), (address, length) => {
      const prefix = parsePrefix(`${address}/${length}`);
      if (prefix === undefined) return;
      const once = networkOf(prefix);
      expect(networkOf(once)).toEqual(once);
      expect(network(destinationOf({ ...once, length: Math.max(1, once.length) }))).toBeDefined();
    }),
  );
  fc.assert(fc.property(fc.string(), (text) => void normalDestination(text)));
});
