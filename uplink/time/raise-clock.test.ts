import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fail, ok, type Result } from '#contracts/result.ts';
import { wall } from '#contracts/units.ts';
import type { Children } from '#runtime/child.ts';
import { TestClock } from '#runtime/test-clock.ts';
import { floorFile } from './floor-file.ts';
import { builtAt } from '#runtime/built-at.ts';
import { raiseClock } from './raise-clock.ts';

let state: string;
let ran: string[];
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'checkpost-raise-'));
  ran = [];
});
afterEach(() => rmSync(state, { recursive: true }));

function raise(
  now: string,
  { says = ok(''), onlyCheck = false }: { says?: Result<string>; onlyCheck?: boolean } = {},
) {
  const children: Children = {
    run: (tool, args) => {
      ran.push([tool.name, ...args].join(' '));
      return Promise.resolve(says);
    },
    start: () => {
      throw new Error('nothing is started');
    },
  };
  const built = wall(Date.parse('2026-01-01T00:00:00.000Z'));
  return raiseClock({ state, built, clock: new TestClock(now), children, onlyCheck });
}
const floorIs = (at: string): void =>
  writeFileSync(join(state, floorFile), JSON.stringify({ v: 1, at, boot: 'before' }));

describe('The clock at boot', () => {
  test('Above the floor it is left alone', async () => {
    floorIs('2026-03-01T10:00:00.000Z');
    expect(await raise('2026-03-01T10:00:00.001Z')).toMatchObject({ value: { result: 'stands' } });
    expect(ran).toEqual([]);
  });

  test('Below the floor it is set to it, never below by a part of a second', async () => {
    floorIs('2026-03-01T10:00:00.125Z');
    expect(await raise('1970-01-01T00:00:30.000Z')).toMatchObject({ value: { result: 'raised' } });
    expect(ran).toEqual([`date --utc --set=@${Date.parse('2026-03-01T10:00:01.000Z') / 1000}`]);
  });

  test('Without a floor the time of building is one', async () => {
    await raise('1970-01-01T00:00:30.000Z');
    expect(ran).toEqual([`date --utc --set=@${Date.parse('2026-01-01T00:00:00.000Z') / 1000}`]);
  });

  test('With a damaged floor too, and it is told', async () => {
    writeFileSync(join(state, floorFile), 'damaged');
    const raised = await raise('1970-01-01T00:00:30.000Z');
    expect(raised).toMatchObject({ value: { result: 'raised', fault: { code: 'TIME_FLOOR_FAILED' } } });
  });

  test('A look alone sets nothing', async () => {
    floorIs('2026-03-01T10:00:00.000Z');
    const looked = await raise('2026-02-01T10:00:00.000Z', { onlyCheck: true });
    expect(looked).toMatchObject({ value: { result: 'below' } });
    expect(ran).toEqual([]);
  });

  test('Where it may not be set, the fault says which capability is wanting', async () => {
    const says = fail(
      'TOOL_FAILED',
      'date ended with code 1: date: cannot set date: Operation not permitted',
    );
    const raised = await raise('1970-01-01T00:00:30.000Z', { says });
    expect(raised).toMatchObject({ fault: { code: 'TIME_FLOOR_FAILED' } });
    expect(raised.ok ? '' : raised.fault.detail).toContain('CAP_SYS_TIME');
    const missing = fail('TOOL_MISSING', 'date is not installed');
    expect(await raise('1970-01-01T00:00:30.000Z', { says: missing })).toEqual(missing);
  });

  test('A program was built when its file was last changed', () => {
    const program = join(state, 'program');
    writeFileSync(program, '');
    utimesSync(program, 1_700_000_000, 1_700_000_000);
    expect(builtAt(program)).toEqual({ ok: true, value: 1_700_000_000_000 });
    expect(builtAt(join(state, 'none'))).toMatchObject({ fault: { code: 'TIME_FLOOR_FAILED' } });
  });
});
