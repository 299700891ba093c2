import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative } from 'node:path';
import { fail, ok, type Result } from '#contracts/result.ts';

/** One file of a built page, ready to be sent. */
export interface PageFile {
  readonly type: string;
  readonly caching: string;
  readonly etag: string;
  readonly body: Buffer;
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/**
 * Reads a built page whole, by its addresses (`/index.html`, `/assets/…`): it is some 50 KiB, and an address that is
 * not in the map cannot reach any other file. Files whose kind is not in the table are left out. Fault: PAGE_ABSENT.
 */
export function readPage(folder: string): Result<ReadonlyMap<string, PageFile>> {
  const files = new Map<string, PageFile>();
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
      const type = types[extname(entry.name)];
      if (!entry.isFile() || type === undefined) continue;
      const file = join(entry.parentPath, entry.name);
      const address = `/${relative(folder, file)}`;
      const body = readFileSync(file);
      files.set(address, {
        type,
        // The build names assets by their content.
        caching: address.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
        etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
        body,
      });
    }
  } catch (cause) {
    return fail('PAGE_ABSENT', `The folder ${folder} cannot be read.`, cause);
  }
  return files.has('/index.html') ? ok(files) : fail('PAGE_ABSENT', `There is no index.html in ${folder}.`);
}
