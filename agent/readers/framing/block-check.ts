import type { BlockCheck } from '#contracts/readers.ts';

const stx = 0x02;
const etx = 0x03;

/** The XOR of the bytes that a block check character covers, taken as they come. */
export class BlockCheckSum {
  readonly #covers: BlockCheck;
  #sum = 0;

  constructor(covers: BlockCheck) {
    this.#covers = covers;
  }

  get value(): number {
    return this.#sum;
  }

  /** STX came. */
  begin(): void {
    this.#sum = this.#covers === 'stx-text-etx' ? stx : 0;
  }

  /** A byte between STX and ETX. */
  add(byte: number): void {
    this.#sum ^= byte;
  }

  /** ETX came. */
  end(): void {
    if (this.#covers === 'text-etx' || this.#covers === 'stx-text-etx') this.#sum ^= etx;
  }
}
