import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { BenchOptions, Figure } from './bench.ts';

/**
 * Bytes of a reader to a travel document, family by family, in a process with the compilers of the agent as it ships
 * (bin/checkpost) and in one with V8's own; beside it what one would pick instead: serialport's ReadlineParser and the
 * package `mrz`, in the same processes.
 */
export function benchReaders({ small, say }: BenchOptions): Promise<Figure[]> {
  const documents = small ? 2000 : 20_000;
  const figures: Figure[] = [];
  for (const [name, flags] of [
    ['as it ships', ['--max-semi-space-size=1', '--no-opt', '--no-maglev']],
    ['with V8 compilers', []],
  ] as const) {
    say(`${documents} documents a family, ${name}`);
    const child = join(import.meta.dirname, 'readers-child.ts');
    const out = execFileSync(process.execPath, [...flags, child, name, String(documents)], {
      encoding: 'utf8',
    });
    figures.push(...(JSON.parse(out) as Figure[]));
  }
  return Promise.resolve(figures);
}
