import { connect, createServer, type Socket } from 'node:net';

/** A line that takes its time, as over a satellite: every byte comes so much later, in order. */
export interface SlowLine {
  readonly port: number;
  /** From now on no byte passes in either direction, and nobody is told; false lets new connections through. */
  blackHole(on: boolean): void;
  close(): Promise<void>;
}

/** `oneWay` in milliseconds: a round trip takes twice as long. */
export async function startSlowLine(target: number, oneWay: number): Promise<SlowLine> {
  const sockets = new Set<Socket>();
  let hole = false;
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('error', () => {});
      from.on('data', (bytes) => {
        setTimeout(() => {
          if (!hole && !to.destroyed) to.write(bytes);
        }, oneWay);
      });
      from.on('close', () => {
        sockets.delete(from);
        // Whoever is in the dark does not hear of the end either.
        if (!hole) setTimeout(() => to.destroy(), oneWay);
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as { port: number }).port,
    blackHole(on) {
      hole = on;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
