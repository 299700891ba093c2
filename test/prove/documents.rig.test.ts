import { describe, expect, test } from 'vitest';
import { compareWithPackage } from './differential.ts';
import { explanations } from './differential/explanations.ts';
import { fuzz } from './fuzz.ts';
import { families } from './fuzz/families.ts';

const say = (): void => {};

describe('the package mrz as a second opinion', () => {
  test('of 100,000 generated documents, every difference from it is explained', () => {
    const counts = compareWithPackage({ count: 100_000, seed: 1 });
    console.log(table(counts.differences));
    expect(counts.documents).toBe(100_000);
    expect(counts.alike).toBeGreaterThan(30_000);
    expect(counts.comparisons).toBeGreaterThan(1_000_000);
    expect(Object.keys(counts.differences)).toEqual(explanations.map(({ name }) => name));
    // An explanation of nothing would be a leftover that could hide something one day.
    expect(Object.entries(counts.differences).filter(([, { count }]) => count === 0)).toEqual([]);
  });
});

function table(
  differences: Readonly<Record<string, { readonly count: number; readonly why: string }>>,
): string {
  return Object.entries(differences)
    .map(([name, { count, why }]) => `${String(count).padStart(6)}  ${name}: ${why}`)
    .join('\n');
}

describe('fuzzed frames through every framing', () => {
  test('nothing throws, no more false documents than chance makes, and memory stays flat', () => {
    const counts = fuzz({ count: 60_000, seed: 2, say, families });
    expect(counts.frames).toBe(60_000);
    // What chance makes was really seen: the judge is not asleep.
    const substituted = counts.classes['characters of the number substituted'];
    expect(substituted?.falseDocuments).toBeGreaterThan(300);
    for (const name of [
      'cut',
      'same columns cut from every line',
      'joined',
      'doubled',
      'noise between',
      'random bytes',
    ]) {
      expect(counts.classes[name]?.falseDocuments, name).toBe(0);
    }
    const cut = counts.classes['same columns cut from every line'];
    expect(cut?.frames).toBe(2400);
    expect(cut?.documents).toBeGreaterThan(200);
    expect(cut?.bound).toBeLessThan(5);
    expect(cut?.wrongNumbers).toBeLessThanOrEqual(cut?.bound ?? 0);
    expect(counts.classes['joined']?.documents).toBeGreaterThan(3000);
  });

  test('a frame is made of the seed and its index alone, so that what was seen can be seen again', () => {
    const options = { count: 2000, seed: 3, say, families };
    const [first, again] = [fuzz(options), fuzz(options)];
    expect(again.classes).toEqual(first.classes);
  });
});
