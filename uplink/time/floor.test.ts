import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { wall } from '#contracts/units.ts';
import { type SigningRole, signEnvelope } from '#formats/envelope.ts';
import { instant } from '#runtime/clock.ts';
import { TestClock } from '#runtime/test-clock.ts';
import { TimeFloor } from './floor.ts';
import { floorFile } from './floor-file.ts';
import { timeResetType } from './reset.ts';

const at = (text: string) => wall(Date.parse(text));
const built = at('2026-01-01T00:00:00.000Z');
let state: string;
let clock: TestClock;
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'checkpost-floor-'));
  clock = new TestClock();
});
afterEach(() => rmSync(state, { recursive: true, force: true }));

const open = (): TimeFloor => new TimeFloor({ state, built, boot: 'boot-1', clock });
const file = (): string => join(state, floorFile);
const kept = (): unknown => JSON.parse(readFileSync(file(), 'utf8'));
const shown = (floor: TimeFloor): string => instant(floor.floor);

describe('The floor of the clock', () => {
  test('Without a file it is the time at which the program was built', () => {
    expect(shown(open())).toBe('2026-01-01T00:00:00.000Z');
    expect(open().fault).toBeUndefined();
  });

  test('It moves forward, is on disk for nobody else to read, and is there after a restart', async () => {
    expect(await open().move(at('2026-03-01T10:00:00.000Z'))).toEqual({ ok: true, value: undefined });
    expect(kept()).toEqual({ v: 1, at: '2026-03-01T10:00:00.000Z', boot: 'boot-1' });
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(shown(open())).toBe('2026-03-01T10:00:00.000Z');
  });

  test('It never moves back, and a time before it is no fault', async () => {
    const floor = open();
    await floor.move(at('2026-03-01T10:00:00.000Z'));
    expect(await floor.move(at('2026-02-01T10:00:00.000Z'))).toMatchObject({ ok: true });
    expect(shown(floor)).toBe('2026-03-01T10:00:00.000Z');
    expect(shown(open())).toBe('2026-03-01T10:00:00.000Z');
  });

  test('It is written at most every 10 min, but at once where it jumps by more than an hour', async () => {
    const floor = open();
    await floor.move(at('2026-03-01T10:00:00.000Z'));
    await clock.advance(60_000);
    await floor.move(at('2026-03-01T10:01:00.000Z'));
    expect(kept()).toMatchObject({ at: '2026-03-01T10:00:00.000Z' });
    expect(shown(floor)).toBe('2026-03-01T10:01:00.000Z');
    await floor.move(at('2026-03-01T11:02:00.000Z'));
    expect(kept()).toMatchObject({ at: '2026-03-01T11:02:00.000Z' });
    await clock.advance(600_000);
    await floor.move(at('2026-03-01T11:12:00.000Z'));
    expect(kept()).toMatchObject({ at: '2026-03-01T11:12:00.000Z' });
  });

  test('An orderly stop keeps what was not written yet', async () => {
    const floor = open();
    await floor.keep();
    expect(() => kept()).toThrow('ENOENT');
    await floor.move(at('2026-03-01T10:00:00.000Z'));
    await floor.move(at('2026-03-01T10:01:00.000Z'));
    await floor.keep();
    expect(kept()).toMatchObject({ at: '2026-03-01T10:01:00.000Z' });
  });

  test('What has passed since a time was verified counts too, so that it does not lie behind the last handshake', async () => {
    const floor = open();
    await floor.move(at('2026-03-01T10:00:00.000Z'));
    await clock.advance(1_800_000);
    await floor.keep();
    expect(kept()).toMatchObject({ at: '2026-03-01T10:30:00.000Z' });
    expect(shown(floor)).toBe('2026-03-01T10:30:00.000Z');
    await floor.move(at('2026-03-01T10:29:59.000Z'));
    await clock.advance(1000);
    await floor.keep();
    expect(kept()).toMatchObject({ at: '2026-03-01T10:30:01.000Z' });
  });

  test('Where no time was verified in this run, what passes moves nothing', async () => {
    await open().move(at('2026-03-01T10:00:00.000Z'));
    const floor = open();
    await clock.advance(600_000);
    await floor.keep();
    expect(shown(floor)).toBe('2026-03-01T10:00:00.000Z');
    expect(kept()).toMatchObject({ at: '2026-03-01T10:00:00.000Z' });
  });

  test.each([
    ['before the program was built', '2025-12-31T00:00:00.000Z'],
    ['more than ten years after it', '2036-02-01T00:00:00.000Z'],
    ['of 2099', '2099-01-01T00:00:00.000Z'],
  ])('A time %s is refused, and nothing moves', async (_, time) => {
    const floor = open();
    expect(await floor.move(at(time))).toMatchObject({ ok: false, fault: { code: 'TIME_FLOOR_FAILED' } });
    expect(floor.floor).toBe(built);
    expect(() => kept()).toThrow('ENOENT');
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, 9e15])('%d is refused without an exception', async (n) => {
    expect(await open().move(wall(n))).toMatchObject({ ok: false });
  });

  test.each([
    ['empty', ''],
    ['cut off', '{"v":1,"at":"2026-03-0'],
    ['of another form', '{"v":1,"at":7,"boot":"x"}'],
    ['of a time that cannot be', '{"v":1,"at":"2026-99-99T00:00:00.000Z","boot":"x"}'],
    ['of a time in the far future', '{"v":1,"at":"2099-01-01T00:00:00.000Z","boot":"x"}'],
  ])(
    'A file that is %s counts as none and is told, and the next verified time makes it whole',
    async (_, text) => {
      writeFileSync(file(), text);
      const floor = open();
      expect(floor.floor).toBe(built);
      expect(floor.fault?.code).toBe('TIME_FLOOR_FAILED');
      await floor.move(at('2026-01-01T00:00:01.000Z'));
      expect(floor.fault).toBeUndefined();
      expect(shown(open())).toBe('2026-01-01T00:00:01.000Z');
    },
  );

  test('A file from before the program was built is no fault: an update brings a higher floor', () => {
    writeFileSync(file(), '{"v":1,"at":"2025-03-01T10:00:00.000Z","boot":"x"}');
    expect(open()).toMatchObject({ floor: built, fault: undefined });
  });

  test('A folder that is gone is a fault, and the floor holds in memory', async () => {
    const floor = open();
    rmSync(state, { recursive: true });
    const moved = await floor.move(at('2026-03-01T10:00:00.000Z'));
    expect(moved).toMatchObject({ ok: false, fault: { code: 'TIME_FLOOR_FAILED' } });
    expect(floor.fault?.code).toBe('TIME_FLOOR_FAILED');
    expect(shown(floor)).toBe('2026-03-01T10:00:00.000Z');
  });

  test('Moves at once end with the latest', async () => {
    const floor = open();
    const times = ['2026-03-01T10:00:00.000Z', '2026-05-01T10:00:00.000Z', '2026-04-01T10:00:00.000Z'];
    await Promise.all(times.map((time) => floor.move(at(time))));
    expect(shown(open())).toBe('2026-05-01T10:00:00.000Z');
  });
});

describe('A signed order for the floor', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const trust = (role: SigningRole) => [{ id: 'bureau', role, key: publicKey }];
  const terminal = 'UTO-0001-1';
  const order = (more: object = {}, type = timeResetType) =>
    signEnvelope(
      type,
      Buffer.from(JSON.stringify({ v: 1, terminal, at: '2026-02-01T00:00:00.000Z', version: 1, ...more })),
      { id: 'bureau', key: privateKey },
    );
  const expected = { trusted: trust('configuration'), terminal };
  async function tooHigh(): Promise<TimeFloor> {
    const floor = open();
    await floor.move(at('2030-01-01T00:00:00.000Z'));
    return floor;
  }

  test('It sets the floor back, for good', async () => {
    const floor = await tooHigh();
    expect(await floor.reset(order(), expected)).toEqual({ ok: true, value: at('2026-02-01T00:00:00.000Z') });
    expect(shown(floor)).toBe('2026-02-01T00:00:00.000Z');
    expect(shown(open())).toBe('2026-02-01T00:00:00.000Z');
  });

  test('What has passed since the time that it took back moves nothing any more', async () => {
    const floor = await tooHigh();
    await floor.reset(order(), expected);
    await clock.advance(60_000);
    await floor.keep();
    expect(shown(floor)).toBe('2026-02-01T00:00:00.000Z');
  });

  test('It is obeyed once; a higher version is obeyed again, also after a damaged floor', async () => {
    const floor = await tooHigh();
    await floor.reset(order(), expected);
    await floor.move(at('2030-01-01T00:00:00.000Z'));
    expect(await floor.reset(order(), expected)).toMatchObject({ fault: { code: 'TIME_FLOOR_FAILED' } });
    writeFileSync(file(), 'damaged');
    expect(await open().reset(order(), expected)).toMatchObject({ fault: { code: 'TIME_FLOOR_FAILED' } });
    expect((await open().reset(order({ version: 2 }), expected)).ok).toBe(true);
  });

  test.each<[string, () => unknown, string]>([
    ['for another terminal', () => order({ terminal: 'UTO-0001-2' }), 'TIME_FLOOR_FAILED'],
    ['of a time that cannot be', () => order({ at: '2099-01-01T00:00:00.000Z' }), 'TIME_FLOOR_FAILED'],
    ['of no time', () => order({ at: '2026-99-01T00:00:00.000Z' }), 'ENVELOPE_INVALID'],
    ['without a version', () => order({ version: undefined }), 'ENVELOPE_INVALID'],
    ['of another type', () => order({}, 'application/json'), 'ENVELOPE_INVALID'],
    ['that is no envelope', () => 'nonsense', 'ENVELOPE_INVALID'],
    [
      'that was changed',
      () => ({ ...order(), payload: Buffer.from('{}').toString('base64') }),
      'SIGNATURE_REFUSED',
    ],
  ])('One %s is refused, and nothing changes', async (_, envelope, code) => {
    const floor = await tooHigh();
    expect(await floor.reset(envelope(), expected)).toMatchObject({ ok: false, fault: { code } });
    expect(shown(floor)).toBe('2030-01-01T00:00:00.000Z');
    expect((await floor.reset(order(), expected)).ok).toBe(true);
  });

  test('A key of another role is not believed', async () => {
    const floor = await tooHigh();
    const reset = await floor.reset(order(), { trusted: trust('commands'), terminal });
    expect(reset).toMatchObject({ fault: { code: 'SIGNATURE_REFUSED' } });
  });

  test('While the version obeyed last cannot be read, no order is obeyed', async () => {
    const floor = await tooHigh();
    writeFileSync(join(state, 'time-reset.json'), 'damaged');
    expect(await floor.reset(order(), expected)).toMatchObject({ fault: { code: 'TIME_FLOOR_FAILED' } });
    expect(shown(floor)).toBe('2030-01-01T00:00:00.000Z');
  });
});
