import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { bundle } from '../../../bin/dev/bundle.ts';
import { archive, type Entry } from './cpio.ts';
import { kernelFiles, librariesOf } from './kernel.ts';

const root = join(import.meta.dirname, '../../..');

/** The native packages of whatever reads a device. */
const needed = ['@serialport/bindings-cpp', 'koffi'];

/** What QEMU boots. */
export interface Image {
  readonly vmlinuz: string;
  readonly initrd: string;
}

/**
 * A machine that holds nothing but Debian's kernel, busybox, the project's Node and one program of ours as it ships:
 * bundled, with the native packages beside it. All of it is unpacked into memory; there is no disk.
 */
export async function makeImage(options: {
  /** Source of the program. */
  readonly program: string;
  /** Keeps what is fetched, over runs. */
  readonly cache: string;
  readonly folder: string;
}): Promise<Image> {
  const { program, cache, folder } = options;
  const kernel = kernelFiles(cache);
  const built = join(folder, 'bundle');
  await bundle({ root, input: { guest: program }, outDir: built });
  const initrd = join(folder, 'initrd');
  const entries: Entry[] = [
    { name: 'init', mode: 0o755, bytes: Buffer.from(init(kernel.modules.map((path) => basename(path)))) },
    { name: 'dev/console', mode: 0o600, device: [5, 1] },
    fromDisk(kernel.busybox, 'bin/busybox'),
    fromDisk(process.execPath, 'bin/node'),
    ...librariesOf(process.execPath).map((path) => fromDisk(path, path.slice(1))),
    ...kernel.modules.map((path) => fromDisk(path, `modules/${basename(path)}`)),
    ...allOf(built).map((path) => fromDisk(path, `app/${relative(built, path)}`)),
    ...packages(needed)
      .flatMap((name) => allOf(join(root, 'node_modules', name)))
      .map((path) => fromDisk(path, `app/${relative(root, path)}`)),
  ];
  writeFileSync(initrd, archive(entries));
  return { vmlinuz: kernel.vmlinuz, initrd };
}

function fromDisk(path: string, name: string): Entry {
  return { name, mode: statSync(path).mode & 0o777, bytes: readFileSync(path) };
}

function allOf(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** The packages and all that they need, as far as they are installed here. */
function packages(names: readonly string[], found = new Set<string>()): string[] {
  for (const name of names) {
    const about = join(root, 'node_modules', name, 'package.json');
    // One that is not there is a binary for another kind of machine.
    if (found.has(name) || !existsSync(about)) continue;
    found.add(name);
    const { dependencies, optionalDependencies } = JSON.parse(readFileSync(about, 'utf8')) as {
      dependencies?: Record<string, string>;
      optionalDependencies?: Record<string, string>;
    };
    packages(Object.keys({ ...dependencies, ...optionalDependencies }), found);
  }
  return [...found];
}

/** The first process: it prepares what a program expects, runs it with its output on the second serial port, and ends. */
function init(modules: readonly string[]): string {
  return `#!/bin/busybox sh
export PATH=/bin
busybox mkdir -p /proc /sys /tmp
busybox mount -t proc proc /proc
busybox mount -t sysfs sys /sys
busybox mount -t devtmpfs dev /dev
for module in ${modules.join(' ')}; do busybox insmod /modules/$module || echo "insmod $module failed"; done
busybox stty -F /dev/ttyS1 raw -echo
cd /app
busybox timeout 300 /bin/node guest.cjs >/dev/ttyS1 2>/dev/console </dev/null
echo "the program ended with $?"
busybox poweroff -f
`;
}
