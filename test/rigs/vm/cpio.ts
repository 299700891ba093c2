/** One entry of an archive: a file with its bytes, a folder, or the console's device node. */
export interface Entry {
  readonly name: string;
  readonly mode: number;
  readonly bytes?: Uint8Array;
  /** Major and minor number of a device node. */
  readonly device?: readonly [number, number];
}

const file = 0o100000;
const folder = 0o040000;
const characterDevice = 0o020000;

/**
 * Files for a Linux kernel's first file system, in the form that it unpacks into memory ("newc", the kernel's
 * Documentation/driver-api/early-userspace/buffer-format.rst). Folders above each file are added.
 */
export function archive(entries: readonly Entry[]): Buffer {
  const folders = new Set(entries.flatMap(({ name }) => above(name)));
  const all: Entry[] = [
    ...[...folders].sort().map((name) => ({ name, mode: folder | 0o755 })),
    ...entries.map(({ mode, ...entry }) => ({
      ...entry,
      mode: mode | (entry.device === undefined ? file : characterDevice),
    })),
    { name: 'TRAILER!!!', mode: 0 },
  ];
  return Buffer.concat(all.flatMap((entry, at) => [header(entry, at + 1), ...padded(entry.bytes)]));
}

function above(name: string): string[] {
  const parts = name.split('/').slice(0, -1);
  return parts.map((_, at) => parts.slice(0, at + 1).join('/'));
}

function header({ name, mode, bytes, device = [0, 0] }: Entry, inode: number): Buffer {
  const isFolder = (mode & 0o170000) === folder;
  const fields = [
    inode,
    mode,
    0,
    0,
    isFolder ? 2 : 1,
    0,
    bytes?.length ?? 0,
    0,
    0,
    ...device,
    name.length + 1,
    0,
  ];
  const hex = fields.map((field) => field.toString(16).padStart(8, '0')).join('');
  return fill(Buffer.from(`070701${hex}${name}\0`));
}

function padded(bytes: Uint8Array | undefined): Buffer[] {
  if (bytes === undefined) return [];
  return [Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), Buffer.alloc(-bytes.length & 3)];
}

function fill(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}
