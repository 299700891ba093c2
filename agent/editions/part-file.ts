import { createHash } from 'node:crypto';
import { constants, type FileHandle, open } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { fail, ok, type Result } from '#contracts/result.ts';
import { systemCode } from '#runtime/errors.ts';

/**
 * Synced piece by piece: a hundred megabytes that are written back at once would hold up the record's own sync, and with
 * it a verdict, for as long.
 */
const syncBytes = 4_194_304;
/** How much is hashed before the loop gets its turn: about a millisecond. */
const hashedAtOnce = 262_144;

/** A file that grows while it is fetched. Every failure of the disk is a fault: STORE_FULL or FILE_REFUSED. */
export class PartFile {
  readonly path: string;
  readonly #handle: FileHandle;
  #size: number;
  #unsynced = 0;

  private constructor(path: string, handle: FileHandle, size: number) {
    this.path = path;
    this.#handle = handle;
    this.#size = size;
  }

  /** Opens it as it stands, or makes it. */
  static async open(path: string): Promise<Result<PartFile>> {
    return onDisk(path, async () => {
      const handle = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
      return new PartFile(path, handle, (await handle.stat()).size);
    });
  }

  get size(): number {
    return this.#size;
  }

  /** Up to `length` bytes from there on; fewer only at the end of the file. */
  async read(at: number, length: number): Promise<Result<Buffer>> {
    return onDisk(this.path, async () => {
      const into = Buffer.allocUnsafe(Math.max(0, Math.min(length, this.#size - at)));
      let done = 0;
      while (done < into.length) {
        const { bytesRead } = await this.#handle.read(into, done, into.length - done, at + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return into.subarray(0, done);
    });
  }

  async append(bytes: Uint8Array): Promise<Result<void>> {
    return onDisk(this.path, async () => {
      let done = 0;
      while (done < bytes.length) {
        const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, this.#size);
        done += bytesWritten;
        this.#size += bytesWritten;
      }
      this.#unsynced += bytes.length;
      if (this.#unsynced < syncBytes) return;
      await this.#handle.datasync();
      this.#unsynced = 0;
    });
  }

  /** Cuts it off there, where it is longer. */
  async cut(size: number): Promise<Result<void>> {
    if (this.#size <= size) return ok(undefined);
    return onDisk(this.path, async () => {
      await this.#handle.truncate(size);
      this.#size = size;
    });
  }

  async sync(): Promise<Result<void>> {
    return onDisk(this.path, () => this.#handle.sync());
  }

  /** SHA-256 of the whole, hexadecimal, a piece at a time; undefined where the signal was aborted. */
  async sha256(signal: AbortSignal): Promise<Result<string | undefined>> {
    const hash = createHash('sha256');
    for (let at = 0; at < this.#size; at += hashedAtOnce) {
      if (signal.aborted) return ok(undefined);
      const bytes = await this.read(at, hashedAtOnce);
      if (!bytes.ok) return bytes;
      hash.update(bytes.value);
      // A read from the page cache may be done at once; whoever waits for the loop still gets it.
      await setImmediate();
    }
    return ok(hash.digest('hex'));
  }

  async close(): Promise<void> {
    await this.#handle.close().catch(() => {});
  }
}

/** What was done to this file, or why it could not be. */
export async function onDisk<T>(path: string, act: () => Promise<T>): Promise<Result<T>> {
  try {
    return ok(await act());
  } catch (cause) {
    const code = systemCode(cause) ?? 'unknown';
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      return fail('STORE_FULL', `There is no room for ${path}.`, cause);
    }
    return fail('FILE_REFUSED', `${path} (${code}).`, cause);
  }
}
