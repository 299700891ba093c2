import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import Type, { type Static } from 'typebox';
import { EditionNumber } from '#contracts/names.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { replaceFile } from '#runtime/durable-file.ts';
import { systemCode } from '#runtime/errors.ts';
import { parseJson } from '#runtime/parse.ts';

/**
 * What the terminal keeps of its offline copy, in the folder of the settings:
 *
 *     current.json            the generation in use: one base and the deltas since
 *     previous.json           the one before the last new base; taken where the one in use cannot be opened
 *     bases/12-0/             base.fingerprints, base.payload and the filter built from them, of edition 12
 *     deltas/13.delta         what was applied since
 *     downloads/              what is being fetched
 *     trust.json              the signed description that is believed
 *
 * Each file is written beside its place, synced and renamed, `current.json` last: a power cut at any moment leaves the
 * generation before or the one after.
 */
const Hash = Type.String({ pattern: '^[0-9a-f]{64}$' });
const FilePart = Type.Object(
  { bytes: Type.Integer({ minimum: 0 }), sha256: Hash, tree: Hash },
  { additionalProperties: false },
);

export const Generation = Type.Object(
  {
    v: Type.Literal(1),
    base: Type.Object(
      {
        edition: EditionNumber,
        folder: Type.String({ pattern: '^[0-9]+-[0-9]+$' }),
        fingerprints: FilePart,
        payload: FilePart,
      },
      { additionalProperties: false },
    ),
    deltas: Type.Array(
      Type.Object({ edition: EditionNumber, sha256: Hash }, { additionalProperties: false }),
      {
        maxItems: 10_000,
      },
    ),
  },
  { additionalProperties: false },
);
export type Generation = Static<typeof Generation>;

/** Number of the edition that a generation makes. */
export function editionOf({ base, deltas }: Generation): number {
  return deltas.at(-1)?.edition ?? base.edition;
}

export interface BaseFiles {
  readonly fingerprints: string;
  readonly payload: string;
  readonly filter: string;
}

/** The paths of one terminal's offline copy. */
export class EditionFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Makes the folders where they are not there. The fault is FILE_REFUSED. */
  async make(): Promise<Result<void>> {
    try {
      for (const path of [this.path, this.bases, this.deltas, this.downloads]) {
        await mkdir(path, { recursive: true, mode: 0o700 });
      }
      return ok(undefined);
    } catch (cause) {
      return fail('FILE_REFUSED', `${this.path} was refused (${systemCode(cause) ?? 'unknown'}).`, cause);
    }
  }

  get downloads(): string {
    return join(this.path, 'downloads');
  }

  get bases(): string {
    return join(this.path, 'bases');
  }

  get deltas(): string {
    return join(this.path, 'deltas');
  }

  get current(): string {
    return join(this.path, 'current.json');
  }

  get previous(): string {
    return join(this.path, 'previous.json');
  }

  base(folder: string): string {
    return join(this.bases, folder);
  }

  baseFiles(folder: string): BaseFiles {
    return baseFilesIn(this.base(folder));
  }

  delta(edition: number): string {
    return join(this.deltas, `${edition}.delta`);
  }

  /** The fault is EDITION_ABSENT where there is no such file, EDITION_DAMAGED where it is not what it should be. */
  async read(file: string): Promise<Result<Generation>> {
    try {
      const parsed = parseJson(Generation, await readFile(file, 'utf8'), 'EDITION_DAMAGED');
      return parsed.ok ? parsed : fail('EDITION_DAMAGED', `${file}: ${parsed.fault.detail}`);
    } catch (cause) {
      const code = systemCode(cause) ?? 'unknown';
      if (code === 'ENOENT') return fail('EDITION_ABSENT', `${file} is not there.`, cause);
      return fail('EDITION_DAMAGED', `${file} cannot be read (${code}).`, cause);
    }
  }

  /** Puts a generation in use, durably; the one before is kept where its base was another one. */
  async use(generation: Generation, before: Generation | undefined): Promise<Result<void>> {
    if (before !== undefined && before.base.folder !== generation.base.folder) {
      const kept = await this.#write(this.previous, before);
      if (!kept.ok) return kept;
    }
    return this.#write(this.current, generation);
  }

  async #write(file: string, generation: Generation): Promise<Result<void>> {
    return replaceFile(file, Buffer.from(`${JSON.stringify(generation)}\n`), 0o600);
  }
}

export function baseFilesIn(folder: string): BaseFiles {
  return {
    fingerprints: join(folder, 'base.fingerprints'),
    payload: join(folder, 'base.payload'),
    filter: join(folder, 'filter'),
  };
}
