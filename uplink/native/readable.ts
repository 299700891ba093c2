/** Something that waits for a descriptor. */
export interface Waiting {
  /** After this nothing is said any more, and the descriptor may be closed. */
  stop(): void;
}

/**
 * Calls `readable` whenever there is something to read at `fd`, until stopped; `failing` is true where the kernel
 * reports an error of the descriptor instead.
 */
export type WaitReadable = (fd: number, readable: (failing: boolean) => void) => Waiting;

/**
 * Waits through libuv's own poll, which node-serialport's native package has for any descriptor, so that no thread of
 * the pool is held. Each one leaves some hundred bytes behind when it is stopped, for which the package has no remedy, so
 * descriptors are not opened and closed for every probe. Loaded here, so that a program that measures nothing does not pay for it.
 */
export async function openWaiting(): Promise<WaitReadable> {
  const { Poller } = await import('@serialport/bindings-cpp/dist/poller.js');
  return (fd, readable) => {
    const poller = new Poller(fd);
    let over = false;
    const wait = (): void => {
      poller.once('readable', (error) => {
        if (over) return;
        readable(error !== null);
        if (!over) wait();
      });
    };
    wait();
    return {
      stop() {
        if (over) return;
        over = true;
        poller.stop();
      },
    };
  };
}
