import { constants, type FileHandle, open, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, ok, type Result } from '#contracts/result.ts';
import { systemCode } from '#runtime/errors.ts';

/** A file of the repository that is open for reading; whoever has it closes it. */
export interface OpenFile {
  readonly handle: FileHandle;
  readonly size: number;
  /** Changes when the file is written again or replaced. */
  readonly stamp: string;
}

/** What the system says where there is no such file; anything else is a trouble of this machine. */
const absences = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'ENXIO']);

/**
 * Opens a file below the folder. Faults:
 *
 * - NOT_FOUND where there is none, where it is no regular file, and where any part of the way to it is a symbolic link:
 *   the publisher makes none, so that one is either a slip or leads out of the repository;
 * - REPOSITORY_ABSENT where the folder itself is missing;
 * - FILE_REFUSED where it is there and cannot be opened: told apart, since a terminal believes that what is not found
 *   has not been published.
 */
export async function openBelow(folder: string, path: string): Promise<Result<OpenFile>> {
  let root: string;
  try {
    root = await realpath(folder);
  } catch (cause) {
    if (!absences.has(systemCode(cause) ?? '')) return refused(cause);
    return fail('REPOSITORY_ABSENT', 'The centre has no repository yet.', cause);
  }
  let handle: FileHandle | undefined;
  try {
    const file = join(root, path);
    if ((await realpath(file)) !== file) return absent();
    // O_NONBLOCK: a FIFO that somebody put there must not hold a thread for ever.
    handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stat = await handle.stat({ bigint: true });
    if (stat.isFile()) {
      const stamp = [stat.size, stat.mtimeNs, stat.ino].map((part) => part.toString(36)).join('-');
      return ok({ handle, size: Number(stat.size), stamp });
    }
    await handle.close();
    return absent();
  } catch (cause) {
    await handle?.close();
    return absences.has(systemCode(cause) ?? '') ? absent(cause) : refused(cause);
  }
}

function absent(cause?: unknown): Result<never> {
  return fail('NOT_FOUND', 'The repository has no such file.', cause);
}

function refused(cause: unknown): Result<never> {
  const why = systemCode(cause) ?? 'unknown';
  return fail('FILE_REFUSED', `A file of the repository cannot be read (${why}).`, cause);
}
