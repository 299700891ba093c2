import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CommandOrder, TerminalCommand } from '#contracts/command.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { openStore, type Store } from '../store/index.ts';
import { CommandBench, done, failed } from './test-bench.ts';

let folder: string;
let store: Store;
let bench: CommandBench;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpost-commands-'));
  const opened = openStore(join(folder, 'test.db'));
  if (!opened.ok) throw new Error(opened.fault.detail);
  store = opened.value;
  bench = new CommandBench(store);
});
afterEach(() => {
  bench.close();
  store.close();
  rmSync(folder, { recursive: true });
});

const report: TerminalCommand = { kind: 'report-now' };
const rotate: TerminalCommand = { kind: 'rotate-keys' };
const reboot: TerminalCommand = { kind: 'reboot' };
const restart: TerminalCommand = { kind: 'restart-agent' };
const states = (): string[] => bench.answers.map(({ state }) => state);

describe('a command that is signed for this terminal and this session', () => {
  test('is on record with who asked before it is done, and its end is on record and owed before it is answered', async () => {
    bench.act.set('report-now', done('A full report was sent.'));
    const order = bench.orderFor(report, { by: 'a.night' });
    await bench.send(order, Buffer.from('c1'));
    expect(bench.order).toEqual([
      'record accepted',
      'answer accepted',
      'do report-now',
      'record done',
      'answer done',
    ]);
    const common = { kind: 'command', command: order.id, what: 'report-now', by: 'a.night' };
    expect(bench.recorded).toEqual([
      { ...common, state: 'accepted' },
      { ...common, state: 'done' },
    ]);
    expect(bench.owed).toEqual([
      { kind: 'command', command: order.id, state: 'done', detail: 'A full report was sent.' },
    ]);
    expect(bench.correlations.map(String)).toEqual(['c1', 'c1']);
  });

  test('that fails, or throws, is failed with its code', async () => {
    bench.act.set('report-now', failed);
    bench.act.set('rotate-keys', () => {
      throw new TypeError('a mistake of ours');
    });
    await bench.send(bench.orderFor(report));
    expect(bench.last()).toMatchObject({ state: 'failed', code: 'READER_ABSENT' });
    await bench.send(bench.orderFor(rotate));
    expect(bench.last()).toMatchObject({ state: 'failed', code: 'INTERNAL', detail: 'a mistake of ours' });
    expect(bench.owed.map((item) => item.kind === 'command' && item.code)).toEqual([
      'READER_ABSENT',
      'INTERNAL',
    ]);
    expect(bench.commands.underWay()).toEqual([]);
  });

  test('that hangs fails when its time is over, is told so, and holds nobody up', async () => {
    let aborted = false;
    bench.act.set('report-now', (_, signal) => {
      signal.addEventListener('abort', () => (aborted = true));
      return new Promise(() => {});
    });
    bench.act.set('rotate-keys', done('done'));
    await bench.send(bench.orderFor(report));
    await bench.send(bench.orderFor(rotate));
    expect(bench.last()).toMatchObject({ state: 'done' });
    await bench.clock.advance(59_000);
    expect(bench.commands.underWay()).toEqual(['report-now']);
    await bench.clock.advance(2000);
    expect(bench.last()).toMatchObject({ state: 'failed', code: 'COMMAND_TIMEOUT' });
    expect(aborted).toBe(true);
    bench.act.set('report-now', done('again'));
    await bench.send(bench.orderFor(report));
    expect(bench.last()).toMatchObject({ state: 'done', detail: 'again' });
  });

  test('that ends after its time was over is not ended twice', async () => {
    const late = Promise.withResolvers<Result<string>>();
    bench.act.set('report-now', () => late.promise);
    await bench.send(bench.orderFor(report));
    await bench.clock.advance(61_000);
    late.resolve(ok('late'));
    await bench.clock.advance(1000);
    expect(states()).toEqual(['accepted', 'failed']);
    expect(bench.owed).toHaveLength(1);
    expect(bench.clock.waiting).toBe(0);
  });

  test('is not done where it cannot be recorded', async () => {
    bench.recording = fail('STORE_FULL', 'no space');
    const order = bench.orderFor(report);
    await bench.send(order);
    expect(bench.order).toEqual(['answer refused']);
    expect(bench.last()).toMatchObject({ code: 'STORE_FULL' });
    bench.recording = ok(undefined);
    await bench.send(order);
    expect(bench.order).toEqual(['answer refused', 'answer refused']);
  });

  test('whose end cannot be recorded is answered when it can be', async () => {
    const end = Promise.withResolvers<Result<string>>();
    bench.act.set('report-now', () => end.promise);
    await bench.send(bench.orderFor(report));
    bench.recording = fail('STORE_FULL', 'no space');
    end.resolve(ok('done'));
    await bench.clock.advance(1000);
    expect(states()).toEqual(['accepted']);
    bench.recording = ok(undefined);
    await bench.clock.advance(30_000);
    expect(states()).toEqual(['accepted', 'done']);
    expect(bench.owed).toHaveLength(1);
  });
});

describe('a message is refused, and nothing is done, where', () => {
  const foreign: readonly [string, (order: CommandOrder) => string][] = [
    ['it is noise', () => 'noise'],
    ['it is empty', () => ''],
    ['it is another JSON', () => '[]'],
    ['it is longer than allowed', (order) => bench.signed({ ...order, by: 'x'.repeat(9000) })],
    ['nobody signed it', (order) => JSON.stringify(order)],
    ['a stranger signed it', (order) => bench.signed(order, 'stranger')],
    [
      'a stranger signed it under the controller’s name',
      (order) => {
        return bench.signed(order, 'stranger').replace('"stranger"', '"online"');
      },
    ],
    ['the key for configurations signed it', (order) => bench.signed(order, 'offline')],
    ['it was signed as something else', (order) => bench.signed(order, 'online', 'application/json')],
    ['it is for another terminal', (order) => bench.signed({ ...order, terminal: 'UTO-0001-2' })],
    ['it has no session', (order) => bench.signed({ ...order, session: undefined })],
    [
      'its bytes were changed after signing',
      (order) => {
        const envelope = JSON.parse(bench.signed(order)) as { payload: string };
        const changed = { ...order, command: { kind: 'reboot' } };
        envelope.payload = Buffer.from(JSON.stringify(changed)).toString('base64');
        return JSON.stringify(envelope);
      },
    ],
  ];
  test.each(foreign)('%s; it makes no entry in the record', async (_, text) => {
    await bench.deliver(text(bench.orderFor(report)));
    expect([bench.order, bench.commands.refused()]).toEqual([[], 1]);
  });

  const refused: readonly [string, () => unknown, string][] = [
    ['it quotes an earlier session', () => bench.orderFor(report, { session: 6 }), 'COMMAND_REFUSED_SESSION'],
    ['it quotes a later session', () => bench.orderFor(report, { session: 8 }), 'COMMAND_REFUSED_SESSION'],
    [
      'there is no session',
      () => {
        const order = bench.orderFor(report);
        bench.session = undefined;
        return order;
      },
      'COMMAND_REFUSED_SESSION',
    ],
    [
      'it is of a later release',
      () => ({ ...bench.orderFor(report), command: { kind: 'self-destruct' } }),
      'COMMAND_UNKNOWN',
    ],
    [
      'it says more than it may',
      () => ({ ...bench.orderFor(report), command: { kind: 'reboot', how: 'hard' } }),
      'COMMAND_UNKNOWN',
    ],
    [
      'a reader is named as no reader is',
      () => bench.orderFor({ kind: 'reader-probe', reader: '../x' }),
      'COMMAND_UNKNOWN',
    ],
  ];
  test.each(refused)('%s; that is on record once, owed and answered', async (_, make, code) => {
    const order = make();
    await bench.send(order);
    expect(bench.order).toEqual(['record refused', 'answer refused']);
    expect(bench.recorded[0]).toMatchObject({ by: 'duty', code });
    expect(bench.owed[0]).toMatchObject({ kind: 'command', state: 'refused', code });
    await bench.send(order);
    await bench.send(order);
    expect(bench.order).toEqual(['record refused', 'answer refused', 'answer refused', 'answer refused']);
  });

  test('one of its kind, or too many, are under way; the others go on', async () => {
    await bench.send(bench.orderFor(report));
    await bench.send(bench.orderFor(report));
    expect(bench.last()).toMatchObject({ state: 'refused', code: 'COMMAND_BUSY' });
    for (const kind of ['rotate-keys', 'rebuild-edition', 'diagnostic-bundle'] as const)
      await bench.send(bench.orderFor({ kind }));
    await bench.send(bench.orderFor({ kind: 'training-drill' }));
    expect(bench.last()).toMatchObject({ state: 'refused', code: 'COMMAND_BUSY' });
    expect(bench.commands.underWay()).toHaveLength(4);
  });

  test('the terminal is about to go down', async () => {
    bench.act.set('reboot', done('soon'));
    await bench.send(bench.orderFor(reboot));
    await bench.send(bench.orderFor(report));
    expect(bench.last()).toMatchObject({ state: 'refused', code: 'COMMAND_BUSY' });
  });
});

describe('a command that comes again', () => {
  test('while it is under way, or after its end, is answered and not done again', async () => {
    const end = Promise.withResolvers<Result<string>>();
    bench.act.set('report-now', () => end.promise);
    const order = bench.orderFor(report);
    await bench.send(order);
    await bench.send(order, Buffer.from('c2'));
    expect(states()).toEqual(['accepted', 'accepted']);
    end.resolve(ok('the end'));
    await bench.clock.advance(0);
    await bench.send(order);
    expect(bench.last()).toMatchObject({ id: order.id, state: 'done', detail: 'the end' });
    expect(bench.order.filter((what) => what.startsWith('do '))).toHaveLength(1);
    expect(bench.recorded).toHaveLength(2);
  });

  test('in another session, or after a restart, is answered with the end that it had', async () => {
    bench.act.set('report-now', failed);
    const order = bench.orderFor(report);
    await bench.send(order);
    bench.session = 8;
    await bench.send(order);
    expect(bench.last()).toMatchObject({ state: 'failed', code: 'READER_ABSENT' });
    await bench.restart();
    await bench.send(order);
    expect(bench.last()).toMatchObject({ state: 'failed', code: 'READER_ABSENT' });
    expect(bench.order.filter((what) => what.startsWith('do '))).toHaveLength(1);
  });

  test('after so many others that its end is forgotten is refused, in its session and in the next', async () => {
    bench.act.set('report-now', done('done'));
    const first = bench.orderFor(report);
    await bench.send(first);
    for (let more = 0; more < 100; more++) await bench.send(bench.orderFor(report));
    await bench.send(first);
    expect(bench.last()).toMatchObject({ id: first.id, state: 'refused', code: 'COMMAND_REPEATED' });
    await bench.send(bench.orderFor(report));
    expect(bench.last()).toMatchObject({ state: 'done' });
    await bench.restart();
    await bench.send({ ...first, id: bench.orderFor(report).id });
    expect(bench.last()).toMatchObject({ state: 'refused', code: 'COMMAND_REFUSED_SESSION' });
    expect(bench.store.meta('commands')?.length).toBeLessThan(60_000);
  });
});

describe('a restart', () => {
  test('of the agent by a command ends it: done, on record and owed, once', async () => {
    bench.act.set('restart-agent', done('soon'));
    const order = bench.orderFor(restart);
    await bench.send(order);
    expect(states()).toEqual(['accepted']);
    await bench.restart();
    expect(bench.recorded.at(-1)).toMatchObject({ command: order.id, by: 'duty', state: 'done' });
    expect(bench.owed).toMatchObject([{ command: order.id, state: 'done' }]);
    await bench.restart();
    expect(bench.owed).toHaveLength(1);
    // What the broker kept for the session brings it again: it must not restart for ever.
    await bench.send(order);
    expect(bench.last()).toMatchObject({ state: 'done' });
    expect(bench.order.filter((what) => what.startsWith('do '))).toHaveLength(1);
  });

  test('of the machine by a command ends it when the machine really was restarted', async () => {
    bench.act.set('reboot', done('soon'));
    const order = bench.orderFor(reboot);
    await bench.send(order);
    await bench.restart('boot-2');
    expect(bench.owed).toMatchObject([{ command: order.id, state: 'done' }]);
  });

  test('of the agent alone leaves a reboot open, which has failed when its time is over', async () => {
    bench.act.set('reboot', done('soon'));
    const order = bench.orderFor(reboot);
    await bench.send(order);
    await bench.restart('boot-1');
    expect([bench.owed, bench.commands.underWay()]).toEqual([[], ['reboot']]);
    await bench.clock.advance(601_000);
    expect(bench.owed).toMatchObject([{ command: order.id, state: 'failed', code: 'COMMAND_TIMEOUT' }]);
    await bench.restart('boot-2');
    expect(bench.owed).toHaveLength(1);
  });

  test('that does not come is a failure: the process is still there', async () => {
    bench.act.set('restart-agent', done('soon'));
    bench.act.set('reboot', () => Promise.resolve(fail('COMMAND_UNSUPPORTED', 'no unit')));
    await bench.send(bench.orderFor(reboot));
    expect(bench.last()).toMatchObject({ state: 'failed', code: 'COMMAND_UNSUPPORTED' });
    await bench.send(bench.orderFor(restart));
    await bench.clock.advance(121_000);
    expect(bench.last()).toMatchObject({ state: 'failed', code: 'COMMAND_TIMEOUT' });
  });

  test('while another command was under way fails that one', async () => {
    const order = bench.orderFor(rotate);
    await bench.send(order);
    await bench.restart();
    expect(bench.owed).toMatchObject([{ command: order.id, state: 'failed', code: 'COMMAND_INTERRUPTED' }]);
    expect(bench.commands.underWay()).toEqual([]);
  });

  test('with a memory that cannot be read begins anew', async () => {
    bench.store.setMeta('commands', '{"v":1');
    bench.act.set('report-now', done('done'));
    await bench.restart();
    await bench.send(bench.orderFor(report));
    expect(bench.last()).toMatchObject({ state: 'done' });
  });
});
