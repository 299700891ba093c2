import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fail, ok, type Result } from '#contracts/result.ts';
import { uplinkLineLimit } from '#contracts/uplink.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { wellStatus } from '#test/rigs/uplink-status.ts';
import { TestDesk } from './test-desk.ts';

let desk: TestDesk;
beforeEach(() => {
  desk = new TestDesk(wellStatus);
});
afterEach(() => desk.close());

describe('The verbs', () => {
  test('Each does what it says, with its arguments, one after the other, and answers with its number', async () => {
    await desk.open();
    const caller = await desk.call();
    const envelope = { payload: 'eyJ9', signatures: [{ deep: [{}] }] };
    caller.say({ id: 1, verb: 'status' });
    caller.say({ id: 2, verb: 'apply', envelope });
    caller.say({ id: 3, verb: 'rotate' });
    caller.say({ id: 4, verb: 'rotate', hub: 'hub-two' });
    caller.say({ id: 5, verb: 'probe' });
    caller.say({ id: 6, verb: 'prefer', uplink: 'lte' });
    caller.say({ id: 7, verb: 'prefer', auto: true });
    caller.say({ id: 8, verb: 'enrolment', seconds: 600 });
    await caller.answer(8);
    expect(caller.answers).toEqual([
      { id: 1, ok: true, status: wellStatus },
      ...[2, 3, 4, 5, 6, 7, 8].map((id) => ({ id, ok: true })),
    ]);
    expect(desk.told).toEqual([
      ['apply', envelope],
      ['rotate', undefined],
      ['rotate', 'hub-two'],
      ['probe'],
      ['prefer', { auto: false, uplink: 'lte' }],
      ['prefer', { auto: true }],
      ['enrolment', 600],
    ]);
  });

  test('A verb that could not be done says why; one that breaks says that it broke and no more', async () => {
    await desk.open();
    const caller = await desk.call();
    desk.result = () => Promise.resolve(fail('ROTATION_FAILED', 'hub-two does not answer'));
    caller.say({ id: 1, verb: 'rotate' });
    expect(await caller.answer(1)).toEqual({
      id: 1,
      ok: false,
      code: 'ROTATION_FAILED',
      detail: 'hub-two does not answer',
    });
    desk.result = () => Promise.reject(new Error('something inside'));
    caller.say({ id: 2, verb: 'rotate' });
    expect(await caller.answer(2)).toMatchObject({
      ok: false,
      code: 'INTERNAL',
      detail: expect.not.stringContaining('inside'),
    });
    caller.say({ id: 3, verb: 'status' });
    expect(await caller.answer(3)).toMatchObject({ ok: true });
  });

  test('Whoever has said all and waits gets the answer, and then the end', async () => {
    await desk.open();
    let finish: (result: Result<void>) => void = () => {};
    desk.result = () => new Promise((resolve) => (finish = resolve));
    const caller = await desk.call();
    caller.socket.end('{"id":1,"verb":"rotate"}\n');
    await eventually(() => desk.told.length === 1);
    expect(caller.closed).toBe(false);
    finish(ok(undefined));
    expect(await caller.answer(1)).toEqual({ id: 1, ok: true });
    await eventually(() => caller.closed);
  });

  test.each([
    ['no JSON', '{"id":1', 0, 'not JSON'],
    ['no object', '[1]', 0, 'not a JSON object'],
    ['an unknown verb', '{"id":1,"verb":"reboot"}', 1, 'none of status, watch'],
    ['a verb that every object has', '{"id":1,"verb":"constructor"}', 1, 'none of status'],
    ['no number', '{"verb":"status"}', 0, 'id'],
    ['a number that is none', '{"id":1.5,"verb":"status"}', 0, '/id'],
    ['something more', '{"id":1,"verb":"rotate","force":true}', 1, 'additional'],
    ['a hub that is no name', '{"id":1,"verb":"rotate","hub":"../x"}', 1, '/hub'],
    ['too many seconds', '{"id":1,"verb":"enrolment","seconds":3601}', 1, '/seconds'],
    ['no choice', '{"id":1,"verb":"prefer"}', 1, 'wants an uplink'],
    ['two choices', '{"id":1,"verb":"prefer","auto":true,"hub":"hub-one"}', 1, 'wants an uplink'],
    ['a false way back', '{"id":1,"verb":"prefer","auto":false}', 1, '/auto'],
    ['a name out of the prototype', '{"id":1,"verb":"probe","__proto__":{"x":1}}', 1, 'additional'],
  ])('A request with %s is refused in words, and nothing is done', async (_, line, id, words) => {
    await desk.open();
    const caller = await desk.call();
    caller.say(line);
    expect(await caller.answer(id)).toMatchObject({
      ok: false,
      code: 'UPLINK_REQUEST_INVALID',
      detail: expect.stringContaining(words),
    });
    expect(desk.told).toEqual([]);
  });
});

describe('Who asks', () => {
  test('The agent may not open the closed list; it is told so and may go on', async () => {
    await desk.open();
    const caller = await desk.call(641);
    caller.say({ id: 1, verb: 'enrolment', seconds: 60 });
    expect(await caller.answer(1)).toMatchObject({ ok: false, code: 'UPLINK_DENIED' });
    caller.say({ id: 2, verb: 'status' });
    expect(await caller.answer(2)).toMatchObject({ ok: true });
    expect(desk.told).toEqual([]);
  });

  test('Anybody else is told so and put out, whatever was said', async () => {
    await desk.open();
    const caller = await desk.call(1000);
    caller.say({ id: 1, verb: 'status' });
    expect(await caller.answer(0)).toMatchObject({ ok: false, code: 'UPLINK_DENIED' });
    await eventually(() => caller.closed);
    expect(caller.answers).toHaveLength(1);
  });

  test('The agent cannot hold all connections: root still gets in', async () => {
    await desk.open();
    for (let n = 0; n < 24; n++) await desk.call(641);
    const late = await desk.call(641);
    expect(await late.answer(0)).toMatchObject({ ok: false, code: 'UPLINK_ABSENT' });
    const root = await desk.call(0);
    root.say({ id: 1, verb: 'status' });
    expect(await root.answer(1)).toMatchObject({ ok: true });
  });

  test('Nobody gets more than 32 connections', async () => {
    await desk.open();
    for (let n = 0; n < 32; n++) await desk.call(0);
    expect(await (await desk.call(0)).answer(0)).toMatchObject({ ok: false, code: 'UPLINK_ABSENT' });
  });
});

describe('Slow and silent ends', () => {
  test('A half line and a silent connection keep nobody waiting, and go after half a minute', async () => {
    await desk.open();
    const half = await desk.call();
    half.socket.write('{"id":1,"verb":"sta');
    const silent = await desk.call();
    const other = await desk.call();
    other.say({ id: 1, verb: 'watch' });
    expect(await other.answer(1)).toMatchObject({ ok: true });
    await desk.clock.advance(31_000);
    await eventually(() => half.closed && silent.closed);
    expect(other.closed).toBe(false);
  });

  test('A line that is too long is refused and ends the connection', async () => {
    await desk.open();
    const caller = await desk.call();
    caller.socket.write('x'.repeat(uplinkLineLimit + 1));
    expect(await caller.answer(0)).toMatchObject({ ok: false, code: 'UPLINK_REQUEST_INVALID' });
    await eventually(() => caller.closed);
  });

  test('Whoever asks and asks and takes no answer is read no further, and is cut off', async () => {
    await desk.open();
    const caller = await desk.call();
    caller.socket.pause();
    const line = '{"id":1,"verb":"status"}\n';
    let sent = 0;
    // The kernel's buffers and ours take some; then the server stops to read, and what is sent piles up here.
    await eventually(() => {
      caller.socket.write(line.repeat(2000));
      sent += 2000;
      return caller.socket.writableLength > 1_000_000;
    });
    expect(sent).toBeGreaterThan(0);
    await desk.clock.advance(11_000);
    caller.socket.resume();
    await eventually(() => caller.closed);
  });
});

describe('Watching', () => {
  test('The status comes at once and after every change, and no listener is left behind', async () => {
    await desk.open();
    const caller = await desk.call();
    caller.say({ id: 7, verb: 'watch' });
    await caller.answer(7);
    desk.changed({ ...wellStatus, state: 'lines-down', carrying: null });
    await eventually(() => caller.answers.length === 2);
    expect(caller.answers[1]).toMatchObject({ id: 7, ok: true, status: { state: 'lines-down' } });
    caller.socket.destroy();
    await eventually(() => desk.listeners.size === 0);
  });

  test('A watcher that is slow gets the newest status and none of those before it', async () => {
    await desk.open();
    const caller = await desk.call();
    caller.say({ id: 1, verb: 'watch' });
    await caller.answer(1);
    caller.socket.pause();
    const changes = 2000;
    for (let n = 1; n <= changes; n++) {
      desk.changed({ ...wellStatus, since: n });
      // The loop turns, so that what the kernel takes is taken.
      await new Promise((resolve) => setImmediate(resolve));
    }
    caller.socket.resume();
    const last = await eventually(() =>
      caller.answers.find((one) => one.ok && one.status?.since === changes),
    );
    expect(caller.answers.at(-1)).toEqual(last);
    expect(caller.answers.length).toBeLessThan(changes);
  });

  test('A watcher that takes nothing for ten seconds is cut off', async () => {
    await desk.open();
    const caller = await desk.call();
    caller.say({ id: 1, verb: 'watch' });
    await caller.answer(1);
    caller.socket.pause();
    for (let n = 1; n <= 2000; n++) {
      desk.changed({ ...wellStatus, since: n });
      await new Promise((resolve) => setImmediate(resolve));
    }
    await desk.clock.advance(11_000);
    expect(desk.listeners.size).toBe(0);
  });
});

describe('The socket file', () => {
  test('Its group may use it and nobody else, whatever the umask of the service', async () => {
    const before = process.umask(0o077);
    await desk.open();
    process.umask(before);
    expect(statSync(desk.path).mode & 0o777).toBe(0o660);
    expect(statSync(dirname(desk.path)).mode & 0o777).toBe(0o750);
  });

  test('The socket of a process that was killed is replaced', async () => {
    mkdirSync(dirname(desk.path), { recursive: true });
    const dead = `require('net').createServer().listen(${JSON.stringify(desk.path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', dead]);
    expect(statSync(desk.path).isSocket()).toBe(true);
    await desk.open();
    const caller = await desk.call();
    caller.say({ id: 1, verb: 'status' });
    expect(await caller.answer(1)).toMatchObject({ ok: true });
  });

  test('That of one that lives is not: the second uplink is refused and the first goes on', async () => {
    await desk.open();
    expect(await desk.try()).toMatchObject({ ok: false, fault: { code: 'ADDRESS_REFUSED' } });
    const caller = await desk.call();
    caller.say({ id: 1, verb: 'status' });
    expect(await caller.answer(1)).toMatchObject({ ok: true });
  });

  test('Another file in its place is not touched', async () => {
    mkdirSync(dirname(desk.path), { recursive: true });
    writeFileSync(desk.path, 'mine');
    expect(await desk.try()).toMatchObject({ ok: false, fault: { code: 'FILE_REFUSED' } });
    expect(statSync(desk.path).size).toBe(4);
  });

  test('Closed, it cuts every connection and is gone', async () => {
    await desk.open();
    const caller = await desk.call();
    await desk.shut();
    await eventually(() => caller.closed);
    expect(statSync(desk.path, { throwIfNoEntry: false })).toBeUndefined();
  });
});
