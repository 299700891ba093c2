import {
  closeSync,
  existsSync,
  fsyncSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { CheckpostError, systemCode } from '#runtime/errors.ts';

/**
 * Files of provisioning. Each is there whole or not at all: written beside its place, synced, renamed. Whatever the
 * system refuses is thrown as FILE_REFUSED with the path and the system's reason, never with what was to be written.
 */

/** Mode of whatever holds a secret, and of its folder. */
export const secretFile = 0o600;
export const secretFolder = 0o700;

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk or stick is full',
  EROFS: 'the disk or stick is write-protected',
  EACCES: 'this user may not',
  EPERM: 'this user may not',
  ENOENT: 'it is not there',
  ENOTDIR: 'part of the path is a file, not a folder',
  EISDIR: 'it is a folder, not a file',
  EIO: 'the disk or stick is damaged or was pulled out',
};

function refused(path: string, cause: unknown): CheckpostError {
  const code = systemCode(cause);
  if (code === undefined && !(cause instanceof Error)) return new CheckpostError('INTERNAL', path, cause);
  const reason = reasons[code ?? ''];
  return new CheckpostError(
    'FILE_REFUSED',
    `${path}: ${reason === undefined ? code : `${reason} (${code})`}.`,
    cause,
  );
}

function attempt<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    throw refused(path, cause);
  }
}

/** Writes the whole file durably; a reader sees the old one or the new one. */
export function writeWhole(path: string, text: string, mode = secretFile): void {
  attempt(path, () => {
    const beside = join(dirname(path), `.${basename(path)}.new`);
    rmSync(beside, { force: true });
    const fd = openSync(beside, 'wx', mode);
    try {
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(beside, path);
    syncFolder(dirname(path));
  });
}

/** Writes only where the text differs from what is there. */
export function writeChanged(path: string, text: string, mode = secretFile): void {
  if (readOptional(path) !== text) writeWhole(path, text, mode);
}

/** The text of a file, or undefined where there is none. */
export function readOptional(path: string): string | undefined {
  return existsSync(path) ? readText(path) : undefined;
}

export function readText(path: string): string {
  return attempt(path, () => readFileSync(path, 'utf8'));
}

/** Makes the folder and those above it; what is there already keeps its mode. */
export function makeFolder(path: string, mode = secretFolder): void {
  attempt(path, () => mkdirSync(path, { recursive: true, mode }));
}

/** Removes a file or folder; harmless where there is none. */
export function remove(path: string): void {
  attempt(path, () => rmSync(path, { recursive: true, force: true }));
}

/** Gives all that lies in a folder to whom the folder belongs: root enrols, and its services read. */
export function adopt(folder: string): void {
  attempt(folder, () => {
    const { uid, gid } = statSync(folder);
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      const path = join(folder, name);
      const now = lstatSync(path);
      if (now.uid !== uid || now.gid !== gid) lchownSync(path, uid, gid);
    }
  });
}

/** Moves a file or folder, in place of what is there. */
export function move(from: string, to: string): void {
  attempt(from, () => {
    rmSync(to, { recursive: true, force: true });
    renameSync(from, to);
    syncFolder(dirname(to));
  });
}

/** Some file systems of sticks cannot sync a folder and say EINVAL; any other failure is a failure. */
function syncFolder(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } catch (cause) {
    if (systemCode(cause) !== 'EINVAL' && systemCode(cause) !== 'ENOTSUP') throw cause;
  } finally {
    closeSync(fd);
  }
}
