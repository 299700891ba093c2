import { build } from 'vite';
import { lean } from './lean.ts';

/** Native parts stay packages: they find their prebuilt binary beside themselves. */
export const nativePackages = ['better-sqlite3', '@serialport/bindings-cpp', 'koffi'];

export interface BundleOptions {
  readonly root: string;
  /** Entry files by the name of what is made of them. */
  readonly input: Readonly<Record<string, string>>;
  readonly outDir: string;
}

/**
 * Our code as it ships: one CommonJS file for each entry and a chunk for whatever it loads later. CommonJS on purpose:
 * an ES module's import of node:http reads every export of it, which loads a whole second HTTP client and costs 8 MiB;
 * `require` does not (docs/decisions/0001-bundle.md).
 */
export async function bundle({ root, input, outDir }: BundleOptions): Promise<void> {
  await build({
    root,
    configFile: false,
    logLevel: 'warn',
    plugins: [lean()],
    ssr: { noExternal: true, external: nativePackages, target: 'node' },
    build: {
      ssr: true,
      outDir,
      emptyOutDir: false,
      target: 'node24',
      minify: true,
      rolldownOptions: {
        input: { ...input },
        // Files inside them too, of which the bundler would otherwise make copies without their binary.
        external: nativePackages.map((name) => new RegExp(`^${name}(/|$)`)),
        treeshake: {
          // Schemas that nobody asks for, and whatever of typebox they alone would need.
          manualPureFunctions: ['Type'],
          moduleSideEffects: [{ test: /node_modules\/typebox\//, sideEffects: false }],
        },
        output: {
          format: 'cjs',
          // By `require`, for the reason above.
          dynamicImportInCjs: false,
          entryFileNames: '[name].cjs',
          chunkFileNames: 'chunks/[name]-[hash].cjs',
        },
      },
    },
  });
}
