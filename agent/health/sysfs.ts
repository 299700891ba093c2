import { readdir, readFile } from 'node:fs/promises';

/** Small files of /proc and /sys; what is not there, or may not be read, is undefined: each machine has others. */

export async function textOf(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch {
    return undefined;
  }
}

/** A whole number; `0x` in front means hexadecimal. */
export async function numberOf(file: string): Promise<number | undefined> {
  const text = await textOf(file);
  return text === undefined || !/^-?(\d+|0x[0-9a-f]+)$/i.test(text) ? undefined : Number(text);
}

/** What is in a folder, sorted; none where there is no such folder. */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch {
    return [];
  }
}
