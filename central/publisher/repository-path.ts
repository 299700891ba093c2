import { editionsPath } from '#contracts/edition-target.ts';
import { fingerprintKeysFolder } from '#contracts/fingerprint-keys.ts';

/**
 * A name of the repository: letters, digits, dot, hyphen and underscore, and no dot at its beginning. That leaves out
 * `.` and `..`, every escape and separator, and the files that are still being written beside their place.
 */
const name = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,254}$/;
/** `TERMINAL.json`. */
const keysName = /^[A-Za-z0-9][A-Za-z0-9-]{0,62}\.json$/;
const longestPath = 1024;
const deepest = 8;

/**
 * The file that an address names, as a path below the repository's folder: `metadata/NAME`, `keys/TERMINAL.json` or
 * `targets/…`; undefined where it is none. Nothing is decoded or normalised: what is not written plainly is not there.
 */
export function repositoryPath(url: string): string | undefined {
  if (!url.startsWith(editionsPath) || url.length > longestPath) return undefined;
  const path = url.slice(editionsPath.length);
  const [folder, ...names] = path.split('/');
  if (names.length === 0 || names.length > deepest || !names.every((part) => name.test(part)))
    return undefined;
  if (folder === fingerprintKeysFolder)
    return names.length === 1 && isKeysName(names[0] ?? '') ? path : undefined;
  if (folder === 'metadata') return names.length === 1 ? path : undefined;
  return folder === 'targets' ? path : undefined;
}

/** Whether a file of the folder of wrapped keys is one of a terminal, and not one that is still being written. */
export function isKeysName(name: string): boolean {
  return keysName.test(name);
}
