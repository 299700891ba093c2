import { fail, ok, type Result } from '#contracts/result.ts';
import { leafBytes } from '#formats/edition/hash-tree.ts';
import type { Leaves } from './leaves.ts';
import type { PartFile } from './part-file.ts';

/**
 * Writes what comes behind what is there, leaf by leaf; a leaf that is not the signed one is dropped whole.
 *
 * ```
 * file:   | leaf | leaf | leaf | beginning of a leaf |
 *         '------ verified ----'------ pending ------'
 * ```
 *
 * The beginning of a leaf is kept when the line breaks, since on a bad line a whole one may never come in one go. It
 * cannot be verified yet; whoever goes on with it does so in memory, and it is written when it is whole.
 */
export class PartWriter {
  readonly #file: PartFile;
  /** Undefined for a file without a hash tree, which is verified as a whole at its end. */
  readonly #leaves: Leaves | undefined;
  readonly #pending = Buffer.allocUnsafe(leafBytes);
  #filled: number;
  /** Whether the leaf that is coming began in an earlier attempt. */
  #carried: boolean;

  private constructor(file: PartFile, leaves: Leaves | undefined, begun: Buffer) {
    this.#file = file;
    this.#leaves = leaves;
    this.#filled = begun.length;
    this.#carried = begun.length > 0;
    begun.copy(this.#pending);
  }

  /**
   * Goes on with a file whose first `verified` bytes are known to be right: the rest of it is cut off, but for the
   * beginning of one leaf.
   */
  static async resume(
    file: PartFile,
    leaves: Leaves | undefined,
    verified: number,
  ): Promise<Result<PartWriter>> {
    if (leaves === undefined) return ok(new PartWriter(file, leaves, Buffer.alloc(0)));
    const rest = file.size - verified;
    const begun = rest < leaves.lengthAt(verified) ? await file.read(verified, rest) : ok(Buffer.alloc(0));
    if (!begun.ok) return begun;
    const cut = await file.cut(verified);
    return cut.ok ? ok(new PartWriter(file, leaves, begun.value)) : cut;
  }

  /** Where the next byte belongs. */
  get at(): number {
    return this.#file.size + this.#filled;
  }

  /**
   * The fault is EDITION_DAMAGED where a leaf is not the signed one; `carried` says then whether its beginning came in
   * an earlier attempt, so that a disk that forgot it in a power cut may be what is wrong.
   */
  async take(piece: Uint8Array, damaged: (carried: boolean) => void): Promise<Result<void>> {
    for (let at = 0; at < piece.length;) {
      const room = (this.#leaves?.lengthAt(this.#file.size) ?? leafBytes) - this.#filled;
      const part = piece.subarray(at, at + room);
      this.#pending.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (part.length < room) break;
      const leaf = this.#pending.subarray(0, this.#filled);
      const begins = this.#file.size;
      if (this.#leaves?.holds(begins, leaf) === false) {
        damaged(this.#carried);
        this.#filled = 0;
        this.#carried = false;
        return fail('EDITION_DAMAGED', `Its bytes from ${begins} on are not those that were signed.`);
      }
      const kept = await this.keep();
      if (!kept.ok) return kept;
    }
    return ok(undefined);
  }

  /** Writes what has come of a leaf, at the end or when the line has broken. */
  async keep(): Promise<Result<void>> {
    const filled = this.#filled;
    this.#filled = 0;
    this.#carried = false;
    return this.#file.append(this.#pending.subarray(0, filled));
  }
}
