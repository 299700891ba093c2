import fc from 'fast-check';
import { expect, test } from 'vitest';
import { InputEvents } from './input-event.ts';

/** Two events as an x86-64 kernel gave them: key 42 (left shift) down, and the report's end. */
const given = Buffer.from(
  '0102030405060708' +
    '1112131400000000' +
    '0100' +
    '2a00' +
    '01000000' +
    '0102030405060708' +
    '1112131400000000' +
    '0000' +
    '0000' +
    '00000000',
  'hex',
);
const read = [
  { type: 1, code: 42, value: 1 },
  { type: 0, code: 0, value: 0 },
];

test('Each 24 bytes are one event with its type, code and value', () => {
  expect(new InputEvents().push(given)).toEqual(read);
});

test('A value is signed', () => {
  const event = Buffer.alloc(24);
  event.writeInt32LE(-1, 20);
  expect(new InputEvents().push(event)).toEqual([{ type: 0, code: 0, value: -1 }]);
});

test('Events cut anywhere are the same events', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(48), { maxLength: 6 }), (places) => {
      const events = new InputEvents();
      const cuts = [0, ...places.toSorted((a, b) => a - b), 48];
      const out = cuts.slice(1).flatMap((to, at) => events.push(given.subarray(cuts[at], to)));
      expect(out).toEqual(read);
    }),
  );
});
