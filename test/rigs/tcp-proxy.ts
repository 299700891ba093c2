import { connect, createServer, type Socket } from 'node:net';

/** A line between two parts that a test can break: cut it, or let it swallow every byte without a word. */
export interface TcpProxy {
  readonly port: number;
  /** Connections taken so far. */
  readonly accepted: number;
  /** Connections that are open now, each counted at both of its ends. */
  readonly open: number;
  /** Bytes that came from the far side so far and were passed on. */
  readonly passed: number;
  /** Ends every connection at once, as a reset does. */
  cut(): void;
  /** Ends every connection, once, as soon as so many more bytes have come from the far side; Infinity takes it back. */
  cutAfter(bytes: number): void;
  /** From now on no byte passes in either direction, and nobody is told; `false` lets new connections through. */
  blackHole(on: boolean): void;
  /** From now on the near side's bytes pass at this rate, as on a thin line; Infinity takes it back. */
  throttle(bytesPerSecond: number): void;
  /** Bytes that came from the near side so far and were passed on. */
  readonly sent: number;
  close(): Promise<void>;
}

export async function startTcpProxy(target: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let hole = false;
  let accepted = 0;
  let passed = 0;
  let cutAt = Number.POSITIVE_INFINITY;
  let rate = Number.POSITIVE_INFINITY;
  let sent = 0;
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const server = createServer((near) => {
    accepted++;
    const far = connect(target, '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    }
    near.on('data', (chunk: Buffer) => {
      if (hole) return;
      const pass = (): void => {
        sent += chunk.length;
        far.write(chunk);
      };
      if (rate === Number.POSITIVE_INFINITY) return pass();
      // It arrives when its last byte has left, and nothing overtakes it.
      near.pause();
      const arrive = (): void => {
        pass();
        near.resume();
      };
      setTimeout(arrive, (chunk.length / rate) * 1000);
    });
    near.on('close', () => far.destroy());
    far.on('data', (chunk: Buffer) => {
      if (hole || near.destroyed) return;
      // What came before the cut arrives, and no byte after it.
      const whole = passed + chunk.length < cutAt;
      const part = whole ? chunk : chunk.subarray(0, cutAt - passed);
      passed += part.length;
      const taken = near.write(part, () => {
        if (!whole) cut();
      });
      if (!whole) {
        cutAt = Number.POSITIVE_INFINITY;
        far.pause();
      } else if (!taken) {
        // A reader that is slow holds the sender back through the proxy too.
        far.pause();
        near.once('drain', () => far.resume());
      }
    });
    far.on('close', () => near.destroySoon());
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    get passed() {
      return passed;
    },
    get sent() {
      return sent;
    },
    port: (server.address() as { port: number }).port,
    get accepted() {
      return accepted;
    },
    get open() {
      return sockets.size;
    },
    cut,
    cutAfter(bytes) {
      cutAt = passed + bytes;
    },
    blackHole(on) {
      hole = on;
    },
    throttle(bytesPerSecond) {
      rate = bytesPerSecond;
    },
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        cut();
      }),
  };
}
