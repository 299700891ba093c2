import { cpSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'vite';
import { buildPages } from './pages.ts';

/**
 * Builds what ships into dist/: `bin/checkpost`, `checkpost.cjs` with a chunk for each subcommand, and the pages. The bundle is CommonJS
 * on purpose: an ES module's import of node:http reads every export of it, which loads a whole second HTTP client and
 * costs 8 MiB; `require` does not (docs/decisions/0001-bundle.md).
 */
const root = resolve(import.meta.dirname, '../..');
const dist = join(root, 'dist');

/** Native parts stay packages: they find their prebuilt binary beside themselves. */
const native = ['better-sqlite3', '@serialport/bindings-cpp'];

rmSync(dist, { recursive: true, force: true });
await buildPages(join(dist, 'pages'));
await build({
  root,
  configFile: false,
  logLevel: 'warn',
  ssr: { noExternal: true, external: native, target: 'node' },
  build: {
    ssr: true,
    outDir: dist,
    emptyOutDir: false,
    target: 'node24',
    minify: true,
    rolldownOptions: {
      input: { checkpost: join(root, 'bin/main.ts') },
      external: native,
      output: { format: 'cjs', entryFileNames: '[name].cjs', chunkFileNames: 'chunks/[name]-[hash].cjs' },
    },
  },
});
cpSync(join(root, 'bin/checkpost'), join(dist, 'bin/checkpost'));
