import { join, resolve } from 'node:path';
import { build } from 'vite';

const root = resolve(import.meta.dirname, '../..');

/** The pages and their sources, by the names that bin/places.ts looks for. */
const pages = { officer: 'agent/officer/page', console: 'central/console/page' } as const;

/** Builds both pages into `folder`: plain files, nothing inline, so that the strictest content policy holds. */
export async function buildPages(folder: string): Promise<void> {
  for (const [name, source] of Object.entries(pages)) {
    await build({
      root: join(root, source),
      base: './',
      configFile: false,
      publicDir: false,
      logLevel: 'warn',
      oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
      build: {
        outDir: join(folder, name),
        emptyOutDir: true,
        target: 'chrome115',
        assetsInlineLimit: 0,
        // The borders of the map, fetched once the page stands.
        chunkSizeWarningLimit: 1000,
        modulePreload: { polyfill: false },
      },
    });
  }
}
