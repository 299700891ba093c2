import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { UplinkRequest } from '#contracts/uplink.ts';
import { parseJson } from '#runtime/parse.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { wellStatus } from '#test/rigs/uplink-status.ts';
import { TestDesk } from './test-desk.ts';

// Whatever comes at the socket: nothing crashes, nothing is changed, and it answers afterwards.

let desk: TestDesk;
beforeAll(async () => {
  desk = new TestDesk(wellStatus);
  await desk.open();
});
afterAll(() => desk.close());

const verbs = UplinkRequest.anyOf.map((one) => one.properties.verb.const);
const verb = fc.constantFrom<unknown>(
  ...verbs,
  'reboot',
  '__proto__',
  'constructor',
  'toString',
  '',
  0,
  null,
  [],
  {},
);
const odd = fc.oneof(
  fc.anything({ maxDepth: 2 }),
  fc.constantFrom<unknown>(-1, 0, 1e308, 2 ** 53, 'hub-one', '../..', '$(id)', '\u0000', 'x'.repeat(10_000)),
);
/** Something like a request, of which at least one thing is wrong. */
const almost = fc
  .record(
    {
      id: fc.oneof(fc.nat(), odd),
      verb,
      hub: odd,
      uplink: odd,
      auto: odd,
      seconds: odd,
      envelope: odd,
      ['__proto__']: odd,
      constructor: odd,
    },
    { requiredKeys: [], noNullPrototype: false },
  )
  .map(
    (value) =>
      JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? 1 : inner)) ?? 'null',
  )
  .filter((line) => !changes(line));

/** Whether a line is by chance one that may change something: that is then no nonsense. */
function changes(line: string): boolean {
  const parsed = parseJson(UplinkRequest, line, 'UPLINK_REQUEST_INVALID');
  return parsed.ok && parsed.value.verb !== 'status' && parsed.value.verb !== 'watch';
}

const deep = fc
  .tuple(
    fc.integer({ min: 1, max: 30_000 }),
    fc.constantFrom('[', '{"a":', '{"id":1,"verb":"apply","envelope":'),
  )
  .map(([depth, open]) => open.repeat(Math.min(depth, Math.floor(60_000 / open.length))));
const bytes = fc.uint8Array({ maxLength: 2000 }).map((array) => Buffer.from(array));
const text = fc
  .oneof(fc.json(), fc.string({ unit: 'binary' }), almost, deep)
  .map((line) => Buffer.from(`${line}\n`));
const huge = fc.integer({ min: 65_000, max: 200_000 }).map((length) => Buffer.alloc(length, 'x'));
const half = almost.map((line) => Buffer.from(line.slice(0, Math.ceil(line.length / 2))));
const piece = fc.oneof(
  { arbitrary: text, weight: 6 },
  { arbitrary: bytes, weight: 3 },
  { arbitrary: half, weight: 1 },
  { arbitrary: huge, weight: 1 },
);

test('Random bytes, huge and half lines, deep JSON, wrong types and names of the prototype change nothing', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { minLength: 1, maxLength: 8 }),
      fc.constantFrom(0, 641, 642, 1000),
      fc.boolean(),
      async (pieces, uid, abruptly) => {
        const caller = await desk.call(uid);
        for (const one of pieces) caller.socket.write(one);
        if (abruptly) caller.socket.destroy();
        else caller.socket.end();
        const after = await desk.call(0);
        after.say({ id: 7, verb: 'status' });
        expect(await after.answer(7)).toMatchObject({ ok: true });
        after.socket.end();
        if (!abruptly) await eventually(() => caller.closed, { everyMs: 1 });
        caller.socket.destroy();
        expect(desk.told).toEqual([]);
      },
    ),
    { numRuns: 300 },
  );
  await eventually(() => desk.listeners.size === 0);
});

test('A whole request in the middle of nonsense counts only where the line is whole', async () => {
  const caller = await desk.call(0);
  caller.socket.write('nonsense {"id":1,"verb":"probe"}\n\n{"id":2,"verb":"status"}\n{"id":3,"verb":"pro');
  expect(await caller.answer(2)).toMatchObject({ ok: true });
  caller.socket.end();
  await eventually(() => caller.closed);
  expect(desk.told).toEqual([]);
});
