import { expect, test } from 'vitest';
import { fail, ok } from '#contracts/result.ts';
import { SessionNumbers } from './session-numbers.ts';

function memory(kept = 0) {
  let full = false;
  let writes = 0;
  return {
    read: () => kept,
    write: (through: number) => {
      if (full) return fail('STORE_FULL', 'no space');
      kept = through;
      writes++;
      return ok(undefined);
    },
    fill: () => {
      full = true;
    },
    writes: () => writes,
  };
}

test('Every session has a higher number than any before, over every restart', () => {
  const kept = memory();
  const seen: number[] = [];
  for (let restart = 0; restart < 3; restart++) {
    const numbers = new SessionNumbers(kept, 10);
    for (let i = 0; i < 25; i++) {
      const next = numbers.next();
      if (next.ok) seen.push(next.value);
    }
  }
  expect(seen).toHaveLength(75);
  expect(seen.every((number, i) => i === 0 || number > (seen[i - 1] ?? 0))).toBe(true);
  expect(kept.writes()).toBe(9);
});

test('When the disk is full, the numbers taken before still open sessions; after them it says why there is none', () => {
  const kept = memory();
  const numbers = new SessionNumbers(kept, 3);
  numbers.next();
  kept.fill();
  expect([numbers.next().ok, numbers.next().ok]).toEqual([true, true]);
  expect(numbers.next()).toMatchObject({ ok: false, fault: { code: 'STORE_FULL' } });
});
