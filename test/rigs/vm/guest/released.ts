import { readdirSync, readlinkSync } from 'node:fs';
import { eventually } from '../../eventually.ts';

/** Resolves when this process has the node open no more: the kernel gives its number again only then. */
export async function released(node: string): Promise<void> {
  const folder = '/proc/self/fd';
  await eventually(() => !readdirSync(folder).some((fd) => target(`${folder}/${fd}`).startsWith(node)), {
    what: `${node} being closed`,
  });
}

function target(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // The descriptor with which the folder was read is gone by now.
    return '';
  }
}
