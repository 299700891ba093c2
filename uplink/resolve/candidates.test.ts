import { describe, expect, test } from 'vitest';
import { monotonic } from '#contracts/units.ts';
import { Candidates } from './candidates.ts';
import { hubTarget } from './endpoint.ts';

const both = new Set([4, 6]);
const at = (seconds: number) => monotonic(seconds * 1000);
const random = () => 1;

function candidates({
  endpoint = 'hub.example:51820',
  pinned = [],
  good,
}: { endpoint?: string; pinned?: string[]; good?: string } = {}): Candidates {
  return new Candidates(hubTarget({ name: 'one', endpoint, pinned }), good, random);
}

describe('The address of a hub', () => {
  test.each([
    ['192.0.2.1:51820', '192.0.2.1'],
    ['[2001:db8::1]:51820', '2001:db8::1'],
  ])('%s is an address: nothing is ever asked, and nothing else is tried', (endpoint, address) => {
    const one = candidates({ endpoint, pinned: ['192.0.2.9'] });
    for (let second = 0; second < 100; second++) one.look('silent', both, at(second));
    expect(one.address).toBe(address);
    expect(one.isDue(at(100))).toBe(false);
  });

  test('A name is asked for at the start, and tried is meanwhile what worked last, or else the first pinned one', () => {
    expect(candidates().isDue(at(0))).toBe(true);
    expect(candidates().address).toBeUndefined();
    expect(candidates({ pinned: ['192.0.2.9'] }).address).toBe('192.0.2.9');
    expect(candidates({ pinned: ['192.0.2.9'], good: '192.0.2.7' }).address).toBe('192.0.2.7');
  });

  test('While the hub answers it is not asked for, and an answer of DNS changes nothing', () => {
    const one = candidates({ good: '192.0.2.7' });
    one.look('up', both, at(1));
    expect(one.isDue(at(1000))).toBe(false);
    one.answered(['192.0.2.8'], both, at(1000));
    expect(one.address).toBe('192.0.2.7');
  });

  test('While the hub is silent it is asked for again with pauses from 2 s to 60 s, and anew from 2 s once it was up', () => {
    const one = candidates({ good: '192.0.2.7' });
    const pauses: number[] = [];
    let last = 0;
    for (let second = 0; second < 400; second++) {
      one.look('silent', both, at(second));
      if (!one.isDue(at(second))) continue;
      one.asked(at(second));
      pauses.push(second - last);
      last = second;
    }
    expect(pauses).toEqual([0, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60]);
    one.look('up', both, at(500));
    one.look('silent', both, at(600));
    expect(one.isDue(at(600))).toBe(true);
    one.asked(at(600));
    expect(one.isDue(at(602))).toBe(true);
  });

  test('What DNS says takes the place of an old address while the hub is silent, or not heard of yet', () => {
    const one = candidates({ good: '192.0.2.7' });
    one.look('silent', both, at(0));
    one.answered(['192.0.2.8'], both, at(1));
    expect(one.address).toBe('192.0.2.8');
    const other = candidates({ good: '192.0.2.7' });
    other.answered(['192.0.2.8'], both, at(1));
    expect(other.address).toBe('192.0.2.8');
  });

  test('An address that DNS still says stays, although another stands before it', () => {
    const one = candidates({ good: '192.0.2.7' });
    one.look('silent', both, at(0));
    one.answered(['192.0.2.8', '192.0.2.7'], both, at(1));
    expect(one.address).toBe('192.0.2.7');
  });

  test('What stays silent for 10 s makes way: resolved ones, the one that worked last, the pinned ones, in turn', () => {
    const one = candidates({ good: '192.0.2.7', pinned: ['192.0.2.9', '192.0.2.10'] });
    one.look('silent', both, at(0));
    one.answered(['192.0.2.8'], both, at(0));
    const seen: (string | undefined)[] = [];
    for (let second = 0; second <= 50; second++) {
      one.look('silent', both, at(second));
      if (seen.at(-1) !== one.address) seen.push(one.address);
    }
    expect(seen).toEqual(['192.0.2.8', '192.0.2.7', '192.0.2.9', '192.0.2.10', '192.0.2.8', '192.0.2.7']);
  });

  test('The same answer again does not lead back from the pinned address that is being tried', () => {
    const one = candidates({ pinned: ['192.0.2.9'] });
    one.look('silent', both, at(0));
    one.answered(['192.0.2.8'], both, at(0));
    one.look('silent', both, at(11));
    expect(one.address).toBe('192.0.2.9');
    one.answered(['192.0.2.8'], both, at(12));
    expect(one.address).toBe('192.0.2.9');
  });

  test('A name whose every answer is another gives each of them its time', () => {
    const one = candidates();
    one.look('silent', both, at(0));
    one.answered(['192.0.2.1'], both, at(0));
    one.answered(['192.0.2.2'], both, at(2));
    expect(one.address).toBe('192.0.2.1');
    one.look('silent', both, at(10));
    expect(one.address).toBe('192.0.2.2');
  });

  test('An empty answer takes nothing away', () => {
    const one = candidates({ good: '192.0.2.7' });
    one.look('silent', both, at(0));
    one.answered([], both, at(1));
    expect(one.address).toBe('192.0.2.7');
  });

  test('An address of a family that no uplink has is passed over', () => {
    const one = candidates({ good: '2001:db8::7', pinned: ['192.0.2.9'] });
    one.look('silent', new Set([4]), at(0));
    expect(one.address).toBe('192.0.2.9');
    one.answered(['2001:db8::8', '192.0.2.8'], new Set([4]), at(1));
    expect(one.address).toBe('192.0.2.8');
  });

  test('The address at which the hub answers is the good one from then on', () => {
    const one = candidates({ good: '192.0.2.7' });
    one.answered(['192.0.2.8'], both, at(0));
    expect(one.good).toBe('192.0.2.7');
    one.look('up', both, at(1));
    expect(one.good).toBe('192.0.2.8');
  });
});
