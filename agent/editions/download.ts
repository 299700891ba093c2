import { mkdir, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { type EditionTarget, type NamedTarget, targetPath } from '#contracts/edition-target.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { leafBytes } from '#formats/edition/hash-tree.ts';
import type { Budget } from './budget.ts';
import { leafHashBytes, Leaves } from './leaves.ts';
import { onDisk, PartFile } from './part-file.ts';
import { PartWriter } from './part-writer.ts';
import type { EditionTransport } from './transport.ts';

export { tidyDownloads } from './tidy-downloads.ts';

export interface DownloadParts {
  readonly transport: Pick<EditionTransport, 'fetchRange'>;
  /** Where files are kept while they come and when they have come: `SHA256.part`, and `SHA256.leaves` beside it. */
  readonly folder: string;
  readonly budget: Budget;
  readonly signal: AbortSignal;
  /** Told how much is there of the whole, in bytes. */
  readonly progress?: (bytes: number, of: number) => void;
  /**
   * What this process itself has verified already, by SHA-256: kept by the caller from one attempt to the next, so that
   * a line that breaks every minute does not have hundreds of megabytes read again every minute. Without it, and after
   * a restart, everything on disk is verified again.
   */
  readonly verified?: Map<string, number>;
}

/**
 * Fetches a file into the folder, from where an earlier attempt ended, and verifies it; the answer is its path. It is
 * synced then, and is the caller's: it stays until it is moved away or tidied up.
 *
 * A file with a hash tree is verified leaf by leaf while it comes, so that a wrong byte costs one leaf; any other only
 * as a whole. Faults: EDITION_UNREACHABLE (also where the signal is aborted: what has come is kept), EDITION_DAMAGED
 * (what is wrong is dropped, the rest is kept), STORE_FULL, FILE_REFUSED, and those of the transport.
 */
export async function downloadTarget(target: NamedTarget, parts: DownloadParts): Promise<Result<string>> {
  const { folder } = parts;
  const made = await onDisk(folder, () => mkdir(folder, { recursive: true, mode: 0o700 }));
  if (!made.ok) return made;
  const opened = await PartFile.open(join(folder, `${target.sha256}.part`));
  if (!opened.ok) return opened;
  try {
    return await new Download(target, parts, opened.value).run();
  } finally {
    await opened.value.close();
  }
}

class Download {
  readonly #target: NamedTarget;
  readonly #parts: DownloadParts;
  readonly #file: PartFile;
  /** Bytes that come from the file's beginning: all but the leaf hashes. */
  readonly #bytes: number;

  constructor(target: NamedTarget, parts: DownloadParts, file: PartFile) {
    this.#target = target;
    this.#parts = parts;
    this.#file = file;
    this.#bytes = treeOf(target.about)?.leavesAt ?? target.bytes;
  }

  async run(): Promise<Result<string>> {
    const { bytes, sha256 } = this.#target;
    // It came whole before, and the caller did not get to take it away.
    if (this.#file.size === bytes) {
      const whole = await this.#file.sha256(this.#parts.signal);
      if (!whole.ok) return whole;
      if (whole.value === sha256) return this.#finish();
      const dropped = whole.value === undefined ? ok(undefined) : await this.#drop();
      if (!dropped.ok) return dropped;
    }
    const carried = this.#file.size > 0;
    const room = await this.#findRoom();
    if (!room.ok) return room;
    const leaves = await this.#leaves();
    if (!leaves.ok) return leaves;
    const verified = leaves.value === undefined ? ok(0) : await this.#verify(leaves.value);
    if (!verified.ok) return verified;
    const fetched = await this.#fetch(leaves.value, verified.value);
    if (!fetched.ok) return fetched;
    if (leaves.value !== undefined) {
      const appended = await this.#file.append(leaves.value.hashes);
      if (!appended.ok) return appended;
    }
    const checked = await this.#check();
    // Without a tree nobody can say which part is wrong: it may be what an earlier attempt left on the disk.
    const again = !checked.ok && checked.fault.code === 'EDITION_DAMAGED' && carried;
    return again && leaves.value === undefined ? this.run() : checked;
  }

  /** Hours of a slow line are not spent on what will not fit. */
  async #findRoom(): Promise<Result<void>> {
    const { folder } = this.#parts;
    const missing = this.#target.bytes - this.#file.size;
    const disk = await onDisk(folder, () => statfs(folder));
    if (!disk.ok) return disk;
    const free = disk.value.bavail * disk.value.bsize;
    if (missing <= free) return ok(undefined);
    return fail(
      'STORE_FULL',
      `${this.#target.name} needs ${missing} more bytes in ${folder}; ${free} are free.`,
    );
  }

  /** The leaf hashes, from the file's end, as they are signed for; undefined for a file that has none. */
  async #leaves(): Promise<Result<Leaves | undefined>> {
    const { name, bytes, about } = this.#target;
    const tree = treeOf(about);
    if (tree === undefined) return ok(undefined);
    if (tree.leavesAt + leafHashBytes(tree.leavesAt) !== bytes) {
      return fail('EDITION_DAMAGED', `${name}: its description does not fit its length.`);
    }
    const opened = await PartFile.open(this.#leavesPath());
    if (!opened.ok) return opened;
    const file = opened.value;
    try {
      for (;;) {
        // Those of an earlier attempt may have been lost by the disk; those that came now were sent wrong.
        const carried = file.size > 0;
        const fetched = await this.#fetchLeaves(file, tree.leavesAt);
        if (!fetched.ok) return fetched;
        const hashes = await file.read(0, file.size);
        if (!hashes.ok) return hashes;
        const leaves = await Leaves.under(tree.tree, hashes.value, tree.leavesAt);
        if (leaves !== undefined) return ok(leaves);
        const cut = await file.cut(0);
        if (!cut.ok) return cut;
        if (!carried)
          return fail('EDITION_DAMAGED', `${name}: its leaf hashes are not those that were signed.`);
      }
    } finally {
      await file.close();
    }
  }

  async #fetchLeaves(file: PartFile, leavesAt: number): Promise<Result<void>> {
    const size = this.#target.bytes;
    const cut = await file.cut(size - leavesAt);
    if (!cut.ok || file.size === size - leavesAt) return cut;
    return this.#transfer(leavesAt + file.size, size - 1, (piece) => file.append(piece));
  }

  /** How much of what is on disk is right, from the beginning in whole leaves. */
  async #verify(leaves: Leaves): Promise<Result<number>> {
    const { signal, verified } = this.#parts;
    const end = Math.min(this.#file.size, this.#bytes);
    let at = Math.min(verified?.get(this.#target.sha256) ?? 0, end);
    at -= at === this.#bytes ? 0 : at % leafBytes;
    while (at < end && !signal.aborted) {
      const leaf = await this.#file.read(at, leaves.lengthAt(at));
      if (!leaf.ok) return leaf;
      if (leaf.value.length < leaves.lengthAt(at) || !leaves.holds(at, leaf.value)) break;
      at += leaf.value.length;
    }
    if (signal.aborted) return stopped();
    return ok(at);
  }

  /** What is missing before the leaf hashes. */
  async #fetch(leaves: Leaves | undefined, from: number): Promise<Result<void>> {
    // Leaf hashes that were appended before are appended again.
    const cut = await this.#file.cut(this.#bytes);
    if (!cut.ok) return cut;
    const resumed = await PartWriter.resume(this.#file, leaves, from);
    if (!resumed.ok) return resumed;
    const writer = resumed.value;
    for (;;) {
      if (this.#file.size === this.#bytes) return ok(undefined);
      let again = false;
      const fetched = await this.#transfer(writer.at, this.#bytes - 1, async (piece) => {
        const taken = await writer.take(piece, (carried) => (again = carried));
        this.#parts.progress?.(writer.at, this.#target.bytes);
        return taken;
      });
      const kept = await writer.keep();
      this.#note(leaves);
      if (!fetched.ok && !again) return fetched;
      if (!kept.ok) return kept;
    }
  }

  async #transfer(
    from: number,
    to: number,
    take: (piece: Buffer) => Promise<Result<void>>,
  ): Promise<Result<void>> {
    const { transport, budget, signal } = this.#parts;
    const { bytes: size, name } = this.#target;
    const fetched = await transport.fetchRange(
      targetPath(this.#target),
      { from, to, size },
      async (piece) => {
        const taken = await take(piece);
        if (taken.ok) await budget.pay(piece.length, signal);
        return taken;
      },
      signal,
    );
    if (fetched.ok) return fetched;
    return fail(fetched.fault.code, `${name}: ${fetched.fault.detail}`, fetched.fault.cause);
  }

  /** The whole against what was signed. */
  async #check(): Promise<Result<string>> {
    const { name, sha256, bytes } = this.#target;
    const whole = await this.#file.sha256(this.#parts.signal);
    if (!whole.ok) return whole;
    if (whole.value === undefined) return stopped();
    if (this.#file.size === bytes && whole.value === sha256) return this.#finish();
    const dropped = await this.#drop();
    if (!dropped.ok) return dropped;
    return fail('EDITION_DAMAGED', `${name}: it came whole and is not what was signed.`);
  }

  /**
   * A whole that is wrong: nothing of it is believed. With a tree the next attempt finds out how far it is right, and
   * fetches the rest; without one nobody can.
   */
  #drop(): Promise<Result<void>> {
    this.#parts.verified?.delete(this.#target.sha256);
    return treeOf(this.#target.about) === undefined ? this.#file.cut(0) : Promise.resolve(ok(undefined));
  }

  async #finish(): Promise<Result<string>> {
    const { sha256, bytes } = this.#target;
    const synced = await this.#file.sync();
    if (!synced.ok) return synced;
    const gone = await onDisk(this.#leavesPath(), () => rm(this.#leavesPath(), { force: true }));
    if (!gone.ok) return gone;
    this.#parts.verified?.delete(sha256);
    this.#parts.progress?.(bytes, bytes);
    return ok(this.#file.path);
  }

  /** Whole leaves that are on disk were verified, here or before. */
  #note(leaves: Leaves | undefined): void {
    if (leaves === undefined) return;
    const { size } = this.#file;
    this.#parts.verified?.set(this.#target.sha256, size === this.#bytes ? size : size - (size % leafBytes));
  }

  #leavesPath(): string {
    return join(this.#parts.folder, `${this.#target.sha256}.leaves`);
  }
}

function treeOf(about: EditionTarget): { readonly tree: string; readonly leavesAt: number } | undefined {
  return about.part === 'delta' ? undefined : about;
}

function stopped(): Result<never> {
  return fail('EDITION_UNREACHABLE', 'The download was stopped here.');
}
