import { describe, expect, test } from 'vitest';
import { builtInProfiles } from '#agent/readers/index.ts';
import type { ReaderProfile, SerialLinkProfile } from '#contracts/readers.ts';
import { seeded } from '../random.ts';
import { specimens } from '../specimens.ts';
import { encodeRead, joined, type Lines, plainStyle } from './encode.ts';
import { type FaultName, faults, type Plan, planRead, refusePlay, type Step } from './faults.ts';

function profile(name: string): ReaderProfile {
  const found = builtInProfiles.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no profile ${name}`);
  return found;
}

const { passport, card } = specimens;
const swipe = profile('swipe');
const checked = profile('swipe-stx-bcc');

function whatIsPlayed(
  ordered: readonly FaultName[],
  of: ReaderProfile = swipe,
  seed = 1,
  all: readonly Lines[] = [passport],
): Plan {
  const line = of.link as SerialLinkProfile;
  return planRead(all, ordered, { profile: of, style: plainStyle, line, random: seeded(seed) });
}
const plan = (...order: Parameters<typeof whatIsPlayed>): readonly Step[] => whatIsPlayed(...order).steps;
const sent = (steps: readonly Step[]): Uint8Array =>
  joined(...steps.flatMap((step) => (step.kind === 'send' ? [step.bytes] : [])));
const rests = (steps: readonly Step[]): number[] =>
  steps.flatMap((step) => (step.kind === 'rest' ? [step.millis] : []));
const whole = encodeRead(swipe.framing, passport);
const seeds = Array.from({ length: 30 }, (_, seed) => seed);

describe('A fault to order', () => {
  test('none: the read in one piece', () => {
    expect(plan([])).toEqual([{ kind: 'send', bytes: whole, line: swipe.link }]);
  });

  test.each(Object.keys(faults) as FaultName[])('%s is the same for the same seed', (name) => {
    for (const seed of seeds) expect(plan([name], checked, seed)).toEqual(plan([name], checked, seed));
  });

  test('split: every byte in its order, byte by byte or in pieces, and no rest as long as a silence', () => {
    for (const seed of seeds) {
      const steps = plan(['split'], swipe, seed);
      expect(sent(steps)).toEqual(whole);
      expect(steps.length).toBeGreaterThan(5);
      expect(Math.max(...rests(steps))).toBeLessThan(swipe.idleMillis / 2);
    }
    const byByte = seeds.filter((seed) =>
      plan(['split'], swipe, seed).every((step) => step.kind !== 'send' || step.bytes.length === 1),
    );
    expect(byByte.length).toBeGreaterThan(0);
    expect(byByte.length).toBeLessThan(seeds.length);
  });

  test('joined: two reads in one piece', () => {
    const steps = plan(['joined'], swipe, 1, [passport, card]);
    expect(steps).toHaveLength(1);
    expect(sent(steps)).toEqual(joined(whole, encodeRead(swipe.framing, card)));
  });

  test('noise: bytes that are no text before each read; bare lines have a silence behind it', () => {
    for (const seed of seeds) {
      const [noise, silence, read] = plan(['noise'], swipe, seed);
      expect(noise?.kind === 'send' && noise.bytes.every((byte) => byte < 0x20 || byte > 0x7e)).toBe(true);
      expect(silence).toMatchObject({ kind: 'rest' });
      expect(read).toMatchObject({ kind: 'send', bytes: whole });
      expect(plan(['noise'], checked, seed, [passport, card]).map(({ kind }) => kind)).toEqual(
        Array.from({ length: 4 }, () => 'send'),
      );
    }
  });

  test('stutter: a third of the read, then a silence', () => {
    const steps = plan(['stutter']);
    expect(sent(steps)).toEqual(whole.subarray(0, 30));
    expect(rests(steps)).toEqual([600]);
  });

  test('repeat: the read twice', () => {
    expect(sent(plan(['repeat']))).toEqual(joined(whole, whole));
    // An imager's read ends with silence alone.
    const imager = plan(['repeat'], profile('honeywell-imager'));
    expect(imager.map(({ kind }) => kind)).toEqual(['send', 'rest', 'send']);
  });

  test('unread: one to four characters are _ ? or *, and the others as they were', () => {
    for (const seed of seeds) {
      const bytes = sent(plan(['unread'], swipe, seed));
      const changed = [...bytes].filter((byte, at) => byte !== whole[at]);
      expect(changed.length).toBeGreaterThanOrEqual(1);
      expect(changed.length).toBeLessThanOrEqual(4);
      expect(changed.every((byte) => '_?*'.includes(String.fromCharCode(byte)))).toBe(true);
    }
  });

  test('unplug: half of the read, then the cable', () => {
    const steps = plan(['unplug']);
    expect(sent(steps)).toEqual(whole.subarray(0, 45));
    expect(steps.at(-1)).toMatchObject({ kind: 'unplug' });
  });

  test('wrong-baud: another speed, never its own', () => {
    const speeds = new Set(
      seeds.flatMap((seed) =>
        plan(['wrong-baud'], swipe, seed).map((step) => (step.kind === 'send' ? step.line.baudRate : 0)),
      ),
    );
    expect(speeds.has(9600)).toBe(false);
    expect(speeds.size).toBeGreaterThan(3);
  });

  test('bad-check: the last byte alone is another', () => {
    const good = sent(plan([], checked));
    for (const seed of seeds) {
      const bad = sent(plan(['bad-check'], checked, seed));
      expect(bad.subarray(0, -1)).toEqual(good.subarray(0, -1));
      expect(bad.at(-1)).not.toBe(good.at(-1));
    }
  });

  test('swapped: nothing', () => {
    expect(plan(['swapped'])).toEqual([]);
  });

  test('together they all hold: cut, noisy and unread', () => {
    const steps = plan(['split', 'repeat', 'unread', 'noise'], checked, 3);
    expect(steps.length).toBeGreaterThan(10);
    expect(sent(steps).length).toBeGreaterThan(2 * encodeRead(checked.framing, passport).length);
  });
});

test.each<[FaultName, RegExp]>([
  ['split', /^93 bytes sent in [0-9]+ pieces$/],
  ['noise', /^[0-9]+ bytes of noise sent before it$/],
  ['stutter', /^31 of its 93 bytes sent, then silence$/],
  ['repeat', /^sent twice$/],
  ['unread', /^[1-4] characters? sent as _ \? or \*$/],
  ['unplug', /^46 of its 93 bytes sent, then its cable is pulled$/],
  ['wrong-baud', /^sent at [0-9]+ baud instead of 9600$/],
  ['bad-check', /^its block check is wrong$/],
  ['swapped', /^its wires are crossed: nothing reaches the terminal$/],
])('What %s has made of a read is said in words, without the document', (name, words) => {
  for (const seed of seeds) {
    const { played } = whatIsPlayed([name], checked, seed);
    expect(played).toHaveLength(1);
    expect(played[0]).toMatch(words);
  }
});

test('How many characters are said to be unread is how many are', () => {
  for (const seed of seeds) {
    const { steps, played } = whatIsPlayed(['unread'], swipe, seed);
    const changed = [...sent(steps)].filter((byte, at) => byte !== whole[at]).length;
    expect(played).toEqual([`${changed} character${changed === 1 ? '' : 's'} sent as _ ? or *`]);
  }
});

test('Two reads in one piece are said to be two, and a read without a fault is said nothing of', () => {
  expect(whatIsPlayed(['joined'], swipe, 1, [passport, card]).played).toEqual(['2 reads sent as one piece']);
  expect(whatIsPlayed([]).played).toEqual([]);
});

test('What cannot be played is refused with the reason', () => {
  const why = (name: string, ordered: readonly FaultName[] = []): string => {
    const played = refusePlay(profile(name), ordered);
    return played.ok ? 'played' : `${played.fault.code}: ${played.fault.detail}`;
  };
  expect(why('access-is-ocr31x-usb')).toMatch(/^USAGE: .*HID device/);
  expect(why('keyboard-wedge')).toMatch(/^USAGE: .*keyboard/);
  expect(why('swipe', ['bad-check'])).toMatch(/^USAGE: .*no block check/);
  expect(why('elyctis-idbox', ['joined'])).toMatch(/^USAGE: .*reads once/);
  expect(why('honeywell-imager', ['joined'])).toMatch(/^USAGE: .*reads once/);
  expect(why('elyctis-idbox', ['split', 'unplug'])).toBe('played');
});
