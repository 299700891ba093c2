import assert from 'node:assert/strict';
import type { MonotonicTime } from '#contracts/units.ts';
import { smallestEcho } from './echo-packet.ts';
import type { EchoListener, EchoReply, EchoSocket } from './echo-socket.ts';

/** Where an echo socket is tried: a device of 1500 bytes at which `address` answers and `nowhere` does not. */
export interface EchoPlace {
  readonly address: string;
  readonly nowhere: string;
  open(listener: EchoListener): Promise<EchoSocket>;
  now(): MonotonicTime;
  until(check: () => boolean): Promise<unknown>;
}

interface Opened {
  readonly socket: EchoSocket;
  readonly replies: EchoReply[];
}

async function opened(place: EchoPlace): Promise<Opened> {
  const replies: EchoReply[] = [];
  const onError = (): void => assert.fail('the socket has failed');
  return { socket: await place.open({ onReply: (reply) => replies.push(reply), onError }), replies };
}

/** What every echo socket keeps, the real one and the one that stands in for it in tests; each is a sentence. */
export const echoContract: Readonly<Record<string, (place: EchoPlace) => Promise<void>>> = {
  async 'a reply says who answered, which probe, of what size and when'(place) {
    const { socket, replies } = await opened(place);
    const before = place.now();
    assert.deepEqual(socket.send({ to: place.address, sequence: 70_001, size: 64 }), {
      ok: true,
      value: 'sent',
    });
    await place.until(() => replies.length === 1);
    const { at, ...rest } = replies[0] ?? assert.fail();
    assert.deepEqual(rest, { from: place.address, sequence: 70_001, size: 64 });
    assert.ok(at >= before && at <= place.now());
    socket.close();
  },

  async 'the smallest and the largest size come back as they went'(place) {
    const { socket, replies } = await opened(place);
    const sizes = [smallestEcho, 1420, 1500];
    sizes.forEach((size, sequence) => socket.send({ to: place.address, sequence, size }));
    await place.until(() => replies.length === 3);
    assert.deepEqual(
      replies.map(({ sequence, size }) => [sequence, size]),
      sizes.map((size, sequence) => [sequence, size]),
    );
    socket.close();
  },

  async 'a packet larger than the device takes is said to be too large, and the next one goes out'(place) {
    const { socket, replies } = await opened(place);
    assert.deepEqual(socket.send({ to: place.address, sequence: 1, size: 1501 }), {
      ok: true,
      value: 'too-large',
    });
    assert.deepEqual(socket.send({ to: place.address, sequence: 2, size: 100 }), { ok: true, value: 'sent' });
    await place.until(() => replies.length > 0);
    assert.deepEqual(
      replies.map(({ sequence }) => sequence),
      [2],
    );
    socket.close();
  },

  async 'where nobody answers nothing is heard, and another address is heard all the same'(place) {
    const { socket, replies } = await opened(place);
    assert.deepEqual(socket.send({ to: place.nowhere, sequence: 1, size: 64 }), { ok: true, value: 'sent' });
    assert.deepEqual(socket.send({ to: place.address, sequence: 2, size: 64 }), { ok: true, value: 'sent' });
    await place.until(() => replies.length > 0);
    assert.deepEqual(
      replies.map(({ sequence }) => sequence),
      [2],
    );
    socket.close();
  },

  async 'a probe that cannot be one is refused'(place) {
    const { socket } = await opened(place);
    for (const size of [0, smallestEcho - 1, Number.NaN])
      assert.ok(!socket.send({ to: place.address, sequence: 1, size }).ok);
    assert.ok(!socket.send({ to: 'hub.example', sequence: 1, size: 64 }).ok);
    socket.close();
  },

  async 'two sockets of one device do not hear each other'(place) {
    const [one, other] = [await opened(place), await opened(place)];
    one.socket.send({ to: place.address, sequence: 5, size: 64 });
    await place.until(() => one.replies.length === 1);
    other.socket.send({ to: place.address, sequence: 6, size: 64 });
    await place.until(() => other.replies.length === 1);
    assert.deepEqual([one.replies.length, other.replies[0]?.sequence], [1, 6]);
    one.socket.close();
    other.socket.close();
  },

  async 'after it is closed nothing is heard and nothing is sent, and closing again is harmless'(place) {
    const [one, other] = [await opened(place), await opened(place)];
    one.socket.send({ to: place.address, sequence: 1, size: 64 });
    one.socket.close();
    one.socket.close();
    const refused = one.socket.send({ to: place.address, sequence: 2, size: 64 });
    assert.ok(!refused.ok && /closed/.test(refused.fault.detail));
    other.socket.send({ to: place.address, sequence: 1, size: 64 });
    await place.until(() => other.replies.length === 1);
    assert.deepEqual(one.replies, []);
    other.socket.close();
  },
};
