import { connect, createServer, type Socket } from 'node:net';

/** A satellite line between two parts of this machine: so many bytes a second in each direction, and a round trip. */
export interface SlowLine {
  readonly port: number;
  /** Bytes that have crossed it, in both directions. */
  readonly crossed: number;
  close(): Promise<void>;
}

/**
 * Passes bytes on to `target` at `bytesPerSecond` in each direction, each half of `roundTrip` milliseconds later. A
 * connection costs a round trip before its first byte, as TCP's handshake does.
 */
export async function startSlowLine(
  target: number,
  { bytesPerSecond, roundTrip }: { readonly bytesPerSecond: number; readonly roundTrip: number },
): Promise<SlowLine> {
  const sockets = new Set<Socket>();
  let crossed = 0;
  /** When each direction is free again; all connections share the line. */
  const freeAt = { up: 0, down: 0 };
  const pass = (from: Socket, to: Socket, way: 'up' | 'down'): void => {
    from.on('data', (chunk: Buffer) => {
      const now = performance.now();
      const sent = Math.max(now, freeAt[way]) + (chunk.length / bytesPerSecond) * 1000;
      freeAt[way] = sent;
      crossed += chunk.length;
      // A line holds what is in flight and little more: whoever sends waits.
      from.pause();
      setTimeout(() => from.resume(), Math.max(0, sent - now - 50));
      setTimeout(
        () => {
          if (!to.destroyed) to.write(chunk);
        },
        sent - now + roundTrip / 2,
      );
    });
    from.on('close', () => setTimeout(() => to.destroy(), roundTrip / 2));
  };
  const server = createServer({ pauseOnConnect: true }, (near) => {
    sockets.add(near);
    near.on('error', () => {});
    setTimeout(() => {
      const far = connect(target, '127.0.0.1');
      sockets.add(far);
      far.on('error', () => near.destroy());
      pass(near, far, 'up');
      pass(far, near, 'down');
      near.resume();
    }, roundTrip);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    port: (server.address() as { port: number }).port,
    get crossed() {
      return crossed;
    },
    close: () =>
      new Promise((done) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => done());
      }),
  };
}
