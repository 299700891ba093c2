import { connect, createServer, type Socket } from 'node:net';

/** A line between two parts that a test can break: cut it, or let it swallow every byte without a word. */
export interface TcpProxy {
  readonly port: number;
  /** Connections taken so far. */
  readonly accepted: number;
  /** Ends every connection at once, as a reset does. */
  cut(): void;
  /** From now on no byte passes in either direction, and nobody is told; `false` lets new connections through. */
  blackHole(on: boolean): void;
  close(): Promise<void>;
}

export async function startTcpProxy(target: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let hole = false;
  let accepted = 0;
  const server = createServer((near) => {
    accepted++;
    const far = connect(target, '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    }
    const pass = (from: Socket, to: Socket): void => {
      from.on('data', (chunk) => {
        if (!hole) to.write(chunk);
      });
      from.on('close', () => to.destroy());
    };
    pass(near, far);
    pass(far, near);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as { port: number }).port,
    get accepted() {
      return accepted;
    },
    cut,
    blackHole(on) {
      hole = on;
    },
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        cut();
      }),
  };
}
