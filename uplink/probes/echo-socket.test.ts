import { describe, expect, test } from 'vitest';
import { TestClock } from '#runtime/test-clock.ts';
import { errno, type Libc, linux } from '../native/libc.ts';
import { echoContract } from './echo-contract.ts';
import { EchoLedger, smallestEcho } from './echo-packet.ts';
import { type EchoReply, openIcmpSocket } from './echo-socket.ts';
import { fakeLine, FakeEchoSocket } from './fake-echo-socket.ts';

describe('the socket that stands in for tests keeps the contract', () => {
  test.each(Object.entries(echoContract))('%s', async (_name, keep) => {
    const clock = new TestClock();
    const line = fakeLine({ answers: new Set(['10.80.0.1']) });
    const kept = keep({
      address: '10.80.0.1',
      nowhere: '192.0.2.1',
      open: async (listener) => new FakeEchoSocket(line, clock, listener),
      now: () => clock.monotonic(),
      async until(check) {
        for (let turn = 0; turn < 10 && !check(); turn++) await clock.advance(10);
        if (!check()) throw new Error('it did not happen');
      },
    });
    await expect(kept).resolves.toBeUndefined();
  });
});

/** A kernel of a test: what it is sent is kept, what it holds is read. */
class FakeKernel implements Libc {
  readonly calls: string[] = [];
  readonly sent: Uint8Array[] = [];
  readonly inbox: (Uint8Array | number)[] = [];
  answers: Record<string, number> = {};
  socket(...args: number[]): number {
    this.calls.push(`socket ${args.join(' ')}`);
    return this.answers['socket'] ?? 40;
  }
  setsockopt(_fd: number, level: number, option: number, value: Uint8Array): number {
    this.calls.push(`setsockopt ${level} ${option} ${Buffer.from(value).toString('latin1')}`);
    return this.answers[`setsockopt ${option}`] ?? 0;
  }
  getsockopt(_fd: number, _level: number, _option: number, value: Uint8Array): number {
    value[0] = this.answers['error'] ?? 0;
    return 4;
  }
  sendto(_fd: number, bytes: Uint8Array): number {
    const answer = this.answers['sendto'] ?? bytes.length;
    if (answer >= 0) this.sent.push(bytes.slice());
    return answer;
  }
  recv(_fd: number, into: Uint8Array): number {
    const next = this.inbox.shift() ?? -errno.EAGAIN;
    if (typeof next === 'number') return next;
    into.set(next);
    return next.length;
  }
  close(): number {
    this.calls.push('close');
    return 0;
  }
}

async function openOn(kernel: FakeKernel) {
  const replies: EchoReply[] = [];
  const faults: string[] = [];
  let wake = (_failing: boolean): void => {};
  let stopped = 0;
  const opened = await openIcmpSocket({
    device: 'checkpost-p0',
    libc: kernel,
    clock: new TestClock(),
    onReply: (reply) => replies.push(reply),
    onError: (fault) => faults.push(fault.detail),
    wait(_fd, readable) {
      wake = readable;
      return { stop: () => stopped++ };
    },
  });
  return { opened, replies, faults, wake: (failing = false) => wake(failing), stopped: () => stopped };
}

async function socketOn(kernel: FakeKernel) {
  const { opened, ...rest } = await openOn(kernel);
  if (!opened.ok) throw new Error(opened.fault.detail);
  return { socket: opened.value, ...rest };
}

const probe = { to: '10.80.0.1', sequence: 7, size: 64 };
const replyTo = (packet: Uint8Array | undefined): Uint8Array => {
  const reply = Uint8Array.from(packet ?? []);
  reply[0] = 0;
  return reply;
};

describe('the socket of the kernel', () => {
  test('is bound to its device and forbids fragments before anything is sent', async () => {
    const kernel = new FakeKernel();
    await socketOn(kernel);
    expect(kernel.calls).toEqual([
      `socket 2 ${2 | linux.SOCK_NONBLOCK | linux.SOCK_CLOEXEC} 1`,
      'setsockopt 1 25 checkpost-p0\0',
      'setsockopt 0 10 \x02\0\0\0',
    ]);
  });

  test('a group that may send no echoes is told where to stand', async () => {
    const kernel = new FakeKernel();
    kernel.answers = { socket: -errno.EACCES };
    const { opened } = await openOn(kernel);
    expect(opened).toMatchObject({
      ok: false,
      fault: { code: 'PROBE_FAILED', detail: expect.stringContaining('net.ipv4.ping_group_range (EACCES)') },
    });
  });

  test('a device that is not there is named, and the socket does not stay open', async () => {
    const kernel = new FakeKernel();
    kernel.answers = { 'setsockopt 25': -errno.ENODEV };
    const { opened } = await openOn(kernel);
    expect(opened).toMatchObject({
      fault: { detail: expect.stringMatching(/checkpost-p0.*the device is not there \(ENODEV\)/) },
    });
    expect(kernel.calls.at(-1)).toBe('close');
  });

  test.each([
    [errno.EMSGSIZE, 'too-large'],
    [errno.ENODEV, 'device-gone'],
    [errno.ENXIO, 'device-gone'],
  ])('error %i of a sending is the outcome “%s”', async (code, outcome) => {
    const kernel = new FakeKernel();
    const { socket } = await socketOn(kernel);
    kernel.answers = { sendto: -code };
    expect(socket.send(probe)).toEqual({ ok: true, value: outcome });
  });

  test.each([
    [errno.EPERM, 'firewall'],
    [errno.ENETUNREACH, 'no route'],
    [errno.ENETDOWN, 'switched off'],
    [errno.ENOKEY, 'no hub of the tunnel'],
    [errno.EDESTADDRREQ, 'where the hub is'],
    [errno.ENOBUFS, 'queue'],
    [71, 'EPROTO'],
  ])('error %i of a sending is said in words: %s', async (code, words) => {
    const kernel = new FakeKernel();
    const { socket } = await socketOn(kernel);
    kernel.answers = { sendto: -code };
    expect(socket.send(probe)).toMatchObject({
      fault: { code: 'PROBE_FAILED', detail: expect.stringContaining(words) },
    });
  });

  test('a reply that comes twice counts once', async () => {
    const kernel = new FakeKernel();
    const { socket, replies, wake } = await socketOn(kernel);
    socket.send(probe);
    kernel.inbox.push(replyTo(kernel.sent[0]), replyTo(kernel.sent[0]));
    wake();
    wake();
    expect(replies).toEqual([expect.objectContaining({ from: '10.80.0.1', sequence: 7, size: 64 })]);
  });

  test('a reply to a probe that was not sent, since the device was full, is none', async () => {
    const kernel = new FakeKernel();
    const { socket, replies, wake } = await socketOn(kernel);
    socket.send(probe);
    kernel.answers = { sendto: -errno.ENOBUFS };
    socket.send(probe);
    kernel.inbox.push(replyTo(kernel.sent[0]));
    wake();
    expect(replies).toEqual([]);
  });

  test('an error that comes alone closes the socket once and is said once', async () => {
    const kernel = new FakeKernel();
    const { socket, faults, wake, stopped } = await socketOn(kernel);
    kernel.answers = { error: errno.ENETDOWN };
    wake(true);
    wake(true);
    socket.close();
    expect(faults).toEqual(['checkpost-p0: the device is switched off (ENETDOWN).']);
    expect([stopped(), kernel.calls.filter((call) => call === 'close')]).toEqual([1, ['close']]);
  });

  test('a listener that closes in the middle of a reading stops it', async () => {
    const kernel = new FakeKernel();
    let close = (): void => {};
    const seen: number[] = [];
    let wake = (): void => {};
    const opened = await openIcmpSocket({
      device: 'checkpost-p0',
      libc: kernel,
      clock: new TestClock(),
      onReply({ sequence }) {
        seen.push(sequence);
        close();
      },
      onError: () => {},
      wait(_fd, readable) {
        wake = () => readable(false);
        return { stop: () => {} };
      },
    });
    if (!opened.ok) throw new Error(opened.fault.detail);
    close = () => opened.value.close();
    opened.value.send(probe);
    opened.value.send({ ...probe, sequence: 8 });
    kernel.inbox.push(...kernel.sent.map(replyTo));
    wake();
    expect(seen).toEqual([7]);
  });
});

describe('the ledger of probes', () => {
  const echo = { to: '10.80.0.1', sequence: 0xfedc_ba98, size: smallestEcho };

  test('a packet is an echo request with our sequence number and another token each time', () => {
    const ledger = new EchoLedger();
    const [one, other] = [ledger.enter(echo), ledger.enter(echo)];
    expect([one[0], one[1], one.length + 20]).toEqual([8, 0, smallestEcho]);
    expect([...one.subarray(6, 12)]).toEqual([0xba, 0x98, 0xfe, 0xdc, 0xba, 0x98]);
    expect(one.subarray(12)).not.toEqual(other.subarray(12));
  });

  test('a stray, a forgery, a short one, another type or another size is no answer, and spoils none', () => {
    const ledger = new EchoLedger();
    const reply = replyTo(ledger.enter({ ...echo, size: 100 }));
    const changed = (index: number): Uint8Array => reply.map((byte, at) => (at === index ? byte ^ 1 : byte));
    expect(ledger.answered(changed(0))).toBeUndefined();
    expect(ledger.answered(changed(1))).toBeUndefined();
    for (let index = 8; index < 28; index++) expect(ledger.answered(changed(index))).toBeUndefined();
    for (let length = 0; length < 80; length++)
      expect(ledger.answered(reply.subarray(0, length))).toBeUndefined();
    expect(ledger.answered(Uint8Array.of(...reply, 0))).toBeUndefined();
    expect(ledger.answered(reply)).toMatchObject({ size: 100 });
    expect(ledger.answered(reply)).toBeUndefined();
  });

  test('of many probes without an answer only the last 128 are remembered', () => {
    const ledger = new EchoLedger();
    const packets = Array.from({ length: 129 }, (_, sequence) => ledger.enter({ ...echo, sequence }));
    expect(ledger.answered(replyTo(packets[0]))).toBeUndefined();
    expect(ledger.answered(replyTo(packets[1]))?.sequence).toBe(1);
    expect(ledger.answered(replyTo(packets[128]))?.sequence).toBe(128);
  });
});
