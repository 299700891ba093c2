import { statSync } from 'node:fs';

/** What a name leads to: a device node's number and place, so that another device under the same name is noticed. */
export function deviceOf(path: string): string | undefined {
  try {
    const { dev, ino, rdev, ctimeMs } = statSync(path);
    return `${dev} ${ino} ${rdev} ${rdev === 0 ? ctimeMs : ''}`;
  } catch {
    return undefined;
  }
}
