import { cpSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { bundle } from './bundle.ts';
import { buildPages } from './pages.ts';

/**
 * Builds what ships into dist/: `bin/checkpost` and `bin/checkpost-uplink`, `checkpost.cjs` with a chunk for each
 * subcommand, and the pages.
 */
const root = resolve(import.meta.dirname, '../..');
const dist = join(root, 'dist');

rmSync(dist, { recursive: true, force: true });
await buildPages(join(dist, 'pages'));
await bundle({
  root,
  input: {
    checkpost: join(root, 'bin/main.ts'),
    'edition-worker': join(root, 'agent/editions/worker.ts'),
  },
  outDir: dist,
});
for (const name of ['checkpost', 'checkpost-uplink'])
  cpSync(join(root, 'bin', name), join(dist, 'bin', name));
