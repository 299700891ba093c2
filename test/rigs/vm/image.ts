import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, delimiter, join, relative } from 'node:path';
import { bundle } from '../../../bin/dev/bundle.ts';
import { archive, type Entry } from './cpio.ts';
import { kernelFiles, librariesOf } from './kernel.ts';

const root = join(import.meta.dirname, '../../..');

/** The native packages of whatever reads a device or speaks to the kernel. */
const needed = ['@serialport/bindings-cpp', 'koffi'];

/** What QEMU boots. */
export interface Image {
  readonly vmlinuz: string;
  readonly initrd: string;
}

export interface ImageOptions {
  /** Source of the program. */
  readonly program: string;
  /** Modules of the kernel that are there from the beginning; what they need is added. */
  readonly modules: readonly string[];
  /** Programs of this machine that it needs, which come with their libraries. */
  readonly tools?: readonly string[];
  /** Whether the project's own command is there too, as it ships: `/app/bin/checkpost`. */
  readonly command?: boolean;
  /** After so long the program is ended. */
  readonly seconds?: number;
  /** Keeps what is fetched, over runs. */
  readonly cache: string;
  readonly folder: string;
}

/**
 * A machine that holds nothing but Debian's kernel, busybox, the project's Node, the tools that are wanted and one
 * program of ours as it ships: bundled, with the native packages beside it. All of it is unpacked into memory; there is
 * no disk.
 */
export async function makeImage(options: ImageOptions): Promise<Image> {
  const { program, modules, tools = [], command = false, seconds = 300, cache, folder } = options;
  const kernel = kernelFiles(cache, modules);
  const built = join(folder, 'bundle');
  const input = { guest: program, ...(command && { checkpost: join(root, 'bin/main.ts') }) };
  await bundle({ root, input, outDir: built });
  const initrd = join(folder, 'initrd');
  const programs = tools.map(findTool);
  const libraries = new Set([process.execPath, ...programs].flatMap(librariesOf));
  const names = kernel.modules.map((path) => basename(path));
  const entries: Entry[] = [
    { name: 'init', mode: 0o755, bytes: Buffer.from(init(names, seconds)) },
    { name: 'dev/console', mode: 0o600, device: [5, 1] },
    { name: 'etc/passwd', mode: 0o644, bytes: Buffer.from(users) },
    fromDisk(kernel.busybox, 'bin/busybox'),
    fromDisk(process.execPath, 'bin/node'),
    ...programs.map((path) => fromDisk(path, `bin/${basename(path)}`)),
    ...[...libraries].map((path) => fromDisk(path, path.slice(1))),
    ...kernel.modules.map((path) => fromDisk(path, `modules/${basename(path)}`)),
    ...allOf(built).map((path) => fromDisk(path, `app/${relative(built, path)}`)),
    ...(command ? [fromDisk(join(root, 'bin/checkpost'), 'app/bin/checkpost')] : []),
    ...packages(needed)
      .flatMap((name) => allOf(join(root, 'node_modules', name)))
      .map((path) => fromDisk(path, `app/${relative(root, path)}`)),
  ];
  writeFileSync(initrd, archive(entries));
  return { vmlinuz: kernel.vmlinuz, initrd };
}

const users = 'root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n';

function findTool(name: string): string {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  const found = folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
  if (found === undefined) throw new Error(`there is no ${name} on this machine`);
  return found;
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
function init(modules: readonly string[], seconds: number): string {
  return `#!/bin/busybox sh
export PATH=/bin
busybox mkdir -p /proc /sys /tmp /run /var
busybox mount -t proc proc /proc
busybox mount -t sysfs sys /sys
busybox mount -t devtmpfs dev /dev
busybox mkdir -p /dev/shm
busybox mount -t tmpfs shm /dev/shm
busybox ln -s /proc/self/fd/0 /dev/stdin
busybox ln -s /run /var/run
for name in sh dirname readlink; do busybox ln -s busybox /bin/$name; done
busybox ln -s /bin/node /app/node
for module in ${modules.join(' ')}; do busybox insmod /modules/$module || echo "insmod $module failed"; done
busybox stty -F /dev/ttyS1 raw -echo
cd /app
busybox timeout ${seconds} /bin/node guest.cjs >/dev/ttyS1 2>/dev/console </dev/null
echo "the program ended with $?"
busybox poweroff -f
`;
}
