import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the built pages are: beside the bundle, or in dist/ of a checkout. */
export function pagesFolder(page: 'officer' | 'console'): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (let up = 0; up < 4; up++) {
    for (const pages of [join(folder, 'pages'), join(folder, 'dist/pages')]) {
      if (existsSync(join(pages, page))) return join(pages, page);
    }
    folder = dirname(folder);
  }
  // The server that is given this says that the page is not built, and what to do.
  return join(folder, 'dist/pages', page);
}

/** The file of the thread that works on editions: beside the bundle, or its source where the sources run as they are. */
export function editionWorkerFile(): string {
  const here = fileURLToPath(import.meta.url);
  if (here.endsWith('.ts')) return join(dirname(here), '../agent/editions/worker.ts');
  let folder = dirname(here);
  while (!existsSync(join(folder, workerName)) && folder !== dirname(folder)) folder = dirname(folder);
  return join(folder, workerName);
}

const workerName = 'edition-worker.cjs';
