import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { Clock } from '#runtime/clock.ts';
import { acceptSeed, type Seed } from '#formats/trust/index.ts';
import { systemCode } from '#runtime/errors.ts';
import { Budget } from './budget.ts';
import { downloadTarget } from './download.ts';
import type { Repository } from './ports.ts';
import type { EditionTransport } from './transport.ts';

/** The most bytes of a file of the metadata that are read from a stick. */
const metadataBytes = 1_048_576;
const pieceBytes = 262_144;

/**
 * A copy of the repository in a folder, such as a stick. It needs no fresh timestamp: the snapshot says for how long it
 * may seed a terminal. What is in it is verified like what comes over the line.
 */
export function stickRepository(folder: string, downloads: string, clock: Clock): Repository {
  const transport = new FolderTransport(folder);
  return {
    name: 'the stick',
    async refresh(trusted, now, keep) {
      const seed = await readSeed(folder);
      if (!seed.ok) return seed;
      const accepted = acceptSeed(trusted, seed.value, now);
      if (!accepted.ok || accepted.value === trusted) return accepted;
      const kept = await keep(accepted.value);
      return kept.ok ? accepted : kept;
    },
    fetch: (target, signal) =>
      downloadTarget(target, { transport, folder: downloads, budget: new Budget(clock, 0), signal }),
    fetchSmall: (path, maxBytes) => readOptional(join(folder, path), maxBytes),
    tidy: () => Promise.resolve(),
  };
}

async function readSeed(folder: string): Promise<Result<Seed>> {
  try {
    const metadata = join(folder, 'metadata');
    const names = await readdir(metadata);
    const versions = (role: string): number[] =>
      names
        .flatMap((name) => new RegExp(`^(\\d{1,9})\\.${role}\\.json$`).exec(name)?.[1] ?? [])
        .map(Number)
        .sort((a, b) => b - a);
    const read = (version: number, role: string) => readSmall(join(metadata, `${version}.${role}.json`));
    const [snapshot, targets] = [versions('snapshot')[0], versions('targets')[0]];
    if (snapshot === undefined || targets === undefined) {
      return fail('TRUST_DAMAGED', `${folder} has no signed description of editions.`);
    }
    return ok({
      roots: await Promise.all(
        versions('root')
          .slice(0, 64)
          .map((version) => read(version, 'root')),
      ),
      snapshot: await read(snapshot, 'snapshot'),
      targets: await read(targets, 'targets'),
    });
  } catch (cause) {
    return fail('TRUST_DAMAGED', `${folder} cannot be read (${systemCode(cause) ?? 'unknown'}).`, cause);
  }
}

async function readOptional(file: string, maxBytes: number): Promise<Result<Buffer | undefined>> {
  try {
    // One byte more, so that a longer file is seen to be longer.
    const bytes = await readSmall(file, maxBytes + 1);
    return bytes.length > maxBytes
      ? fail('EDITION_DAMAGED', `It is longer than ${maxBytes} bytes.`)
      : ok(bytes);
  } catch (cause) {
    const code = systemCode(cause) ?? 'unknown';
    if (code === 'ENOENT' || code === 'ENOTDIR') return ok(undefined);
    return fail('EDITION_UNREACHABLE', `The stick cannot be read (${code}).`, cause);
  }
}

/** At most as much as any description may have: a stick may hold anything under that name. */
async function readSmall(file: string, maxBytes = metadataBytes): Promise<Buffer> {
  const handle = await open(file, 'r');
  try {
    const bytes = Buffer.alloc(maxBytes);
    const { bytesRead } = await handle.read(bytes, 0, maxBytes, 0);
    return Buffer.from(bytes.subarray(0, bytesRead));
  } finally {
    await handle.close();
  }
}

/** Files of a folder, in pieces like those of a line. */
class FolderTransport implements Pick<EditionTransport, 'fetchRange'> {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async fetchRange(
    path: string,
    order: { readonly from: number; readonly to?: number; readonly size: number },
    take: (piece: Buffer) => Promise<Result<void>>,
    signal?: AbortSignal,
  ): Promise<Result<void>> {
    try {
      const handle = await open(join(this.#folder, path), 'r');
      try {
        const { size } = await handle.stat();
        if (size !== order.size) {
          return fail(
            'EDITION_DAMAGED',
            `The file on the stick has ${size} bytes, not the ${order.size} that were signed.`,
          );
        }
        const end = Math.min(order.to ?? size - 1, size - 1) + 1;
        for (let at = order.from; at < end;) {
          if (signal?.aborted === true) return fail('EDITION_UNREACHABLE', 'It was stopped.');
          const piece = Buffer.allocUnsafe(Math.min(pieceBytes, end - at));
          const { bytesRead } = await handle.read(piece, 0, piece.length, at);
          if (bytesRead === 0) return fail('EDITION_DAMAGED', 'The file on the stick ended too early.');
          const taken = await take(piece.subarray(0, bytesRead));
          if (!taken.ok) return taken;
          at += bytesRead;
        }
        return ok(undefined);
      } finally {
        await handle.close();
      }
    } catch (cause) {
      const code = systemCode(cause) ?? 'unknown';
      return fail('EDITION_UNREACHABLE', `The stick cannot be read (${code}).`, cause);
    }
  }
}
