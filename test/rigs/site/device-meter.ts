import { run } from './namespaces.ts';

/** What an interface has moved since it was made, as the kernel counts it. */
export interface Moved {
  readonly bytes: number;
  readonly packets: number;
}

/** Both directions together. */
export function movedBy(netns: string, device: string): Moved {
  const [link] = JSON.parse(run('ip', '-n', netns, '-s', '-j', 'link', 'show', 'dev', device)) as {
    stats64: { rx: Moved; tx: Moved };
  }[];
  if (link === undefined) throw new Error(`there is no ${device}`);
  const { rx, tx } = link.stats64;
  return { bytes: rx.bytes + tx.bytes, packets: rx.packets + tx.packets };
}

/** What it moves from one moment on. */
export class DeviceMeter {
  readonly #netns: string;
  readonly #device: string;
  readonly #from: Moved;

  constructor(netns: string, device: string) {
    this.#netns = netns;
    this.#device = device;
    this.#from = movedBy(netns, device);
  }

  get bytes(): number {
    return movedBy(this.#netns, this.#device).bytes - this.#from.bytes;
  }

  get packets(): number {
    return movedBy(this.#netns, this.#device).packets - this.#from.packets;
  }
}
