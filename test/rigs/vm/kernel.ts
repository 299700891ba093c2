import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';

/** Debian's own kernel and busybox, unpacked and not installed. */
export interface KernelFiles {
  readonly vmlinuz: string;
  readonly busybox: string;
  /** Modules in the order in which they can be loaded. */
  readonly modules: readonly string[];
}

/** Of their packages, what is unpacked: of the modules those for readers, and those for networks and what they need. */
const parts = [
  './boot/vmlinuz-*',
  './bin/busybox',
  '*/drivers/usb/*',
  '*/drivers/hid/*',
  '*/drivers/input/*',
  '*/drivers/net/veth.ko',
  '*/drivers/net/wireguard/*',
  '*/kernel/arch/x86/crypto/*',
  '*/kernel/crypto/*',
  '*/kernel/lib/*',
  '*/kernel/net/*',
];

/**
 * The kernel that a terminal runs, with the modules that are wanted and those that they need; fetched through apt into
 * `cache` once and taken from there ever after. Throws where apt cannot fetch it.
 */
export function kernelFiles(cache: string, wanted: readonly string[]): KernelFiles {
  // What is unpacked is part of the name: where that changes, it is fetched again.
  const key = createHash('sha256').update(parts.join(' ')).digest('hex').slice(0, 8);
  const folder = join(cache, `kernel-${key}`);
  if (!existsSync(folder)) fetchInto(cache, folder);
  const boot = readdirSync(join(folder, 'boot')).find((name) => name.startsWith('vmlinuz-'));
  if (boot === undefined)
    throw new Error(`no kernel in ${folder}; remove the folder to have it fetched again`);
  return {
    vmlinuz: join(folder, 'boot', boot),
    busybox: join(folder, 'bin/busybox'),
    modules: inOrder(modulesIn(join(folder, 'lib/modules')), wanted),
  };
}

function fetchInto(cache: string, folder: string): void {
  mkdirSync(cache, { recursive: true });
  // Two tests may want it at the same time.
  const work = mkdtempSync(join(cache, 'fetching-'));
  try {
    const files = unpack(work);
    if (!existsSync(folder)) renameSync(files, folder);
  } finally {
    rmSync(work, { recursive: true });
  }
}

/** The folder with what is wanted of the packages. */
function unpack(work: string): string {
  if (!download(work)) {
    // The lists of packages may be missing or old; only root may renew them.
    spawnSync('apt-get', ['-q', 'update'], { stdio: 'ignore', timeout: 120_000 });
    if (!download(work)) throw new Error('apt cannot fetch linux-image-amd64 and busybox-static');
  }
  const script =
    'deb=$1; into=$2; shift 2; dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$into" --wildcards "$@"';
  const files = join(work, 'files');
  mkdirSync(files);
  for (const name of readdirSync(work).filter((name) => name.endsWith('.deb'))) {
    // Neither package has all the parts, and tar calls that a failure: what matters is what is there in the end.
    spawnSync('sh', ['-c', script, 'sh', join(work, name), files, ...parts], { timeout: 120_000 });
  }
  if (!existsSync(join(files, 'boot')) || !existsSync(join(files, 'bin/busybox')))
    throw new Error('the packages linux-image-amd64 and busybox-static cannot be unpacked');
  return files;
}

function download(work: string): boolean {
  const depends = spawnSync('apt-cache', ['depends', 'linux-image-amd64'], { encoding: 'utf8' }).stdout;
  const image = /Depends: (linux-image-\S+)/.exec(depends)?.[1];
  if (image === undefined) return false;
  const done = spawnSync('apt-get', ['-q', 'download', image, 'busybox-static'], {
    cwd: work,
    timeout: 240_000,
  });
  return done.status === 0;
}

/** Modules by the name under which they know each other. */
function modulesIn(folder: string): ReadonlyMap<string, string> {
  return new Map(
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ko'))
      .map((name) => [basename(name, '.ko').replaceAll('-', '_'), join(folder, name)]),
  );
}

/** Each wanted module after those that it says it depends on. */
function inOrder(all: ReadonlyMap<string, string>, wanted: readonly string[]): string[] {
  const ordered = new Set<string>();
  const add = (name: string): void => {
    const path = all.get(name.replaceAll('-', '_'));
    if (path === undefined) throw new Error(`the kernel has no module ${name}`);
    for (const other of dependencies(path)) add(other);
    ordered.add(path);
  };
  for (const name of wanted) add(name);
  return [...ordered];
}

/** What a module says of itself: `depends=a,b` among its strings (kernel, include/linux/moduleparam.h). */
function dependencies(path: string): string[] {
  const said = /\0depends=([^\0]*)\0/.exec(readFileSync(path, 'latin1'))?.[1] ?? '';
  return said.split(',').filter((name) => name !== '');
}

/** The shared libraries of a program, by the names under which it looks for them. */
export function librariesOf(program: string): string[] {
  const listed = execFileSync('ldd', [program], { encoding: 'utf8' });
  return [...listed.matchAll(/(\/\S+) \(0x/g)].flatMap((match) => match[1] ?? []);
}
