import { stat } from 'node:fs/promises';
import { fail, ok, type Result } from '#contracts/result.ts';
import { type WallTime, wall } from '#contracts/units.ts';
import { systemCode } from '#runtime/errors.ts';
import { readFileChunks } from './chunks.ts';
import { type CollectionOrder, readCollection } from './collection.ts';
import type { Chunks } from './csv.ts';
import { type DatabaseQuery, readDatabase } from './database.ts';
import type { EditionRow } from './edition-row.ts';
import { editionRows } from './row-check.ts';
import type { Fill, RecordSink } from './make.ts';

/** Where a collection is read from. */
export type CollectionPlace =
  | { readonly kind: 'csv'; readonly file: string }
  | { readonly kind: 'stream'; readonly chunks: Chunks }
  | ({ readonly kind: 'database' } & DatabaseQuery);

export interface CollectionSource {
  /** How old what it says is: when the file was last written, or now. */
  readonly date: WallTime;
  readonly fill: Fill;
}

/**
 * A collection as a publishing reads it; nothing is read yet. The fault is FILE_REFUSED where there is no such file.
 */
export async function openSource(place: CollectionPlace, now: WallTime): Promise<Result<CollectionSource>> {
  const order = (name: string, sink: RecordSink, work: string): CollectionOrder<EditionRow> => ({
    name,
    shape: editionRows(),
    work,
    take: (records) => {
      for (const record of records) sink(record.key, record);
    },
  });
  switch (place.kind) {
    case 'stream':
      return ok({
        date: now,
        fill: (sink, work) => readCollection(place.chunks, order('standard input', sink, work)),
      });
    case 'csv': {
      const written = await writtenAt(place.file);
      if (!written.ok) return written;
      const fill: Fill = (sink, work) =>
        readCollection(readFileChunks(place.file), order(place.file, sink, work));
      return ok({ date: written.value, fill });
    }
    default:
      return ok({ date: now, fill: (sink, work) => readDatabase(place, order(place.file, sink, work)) });
  }
}

async function writtenAt(file: string): Promise<Result<WallTime>> {
  try {
    return ok(wall(Math.floor((await stat(file)).mtimeMs)));
  } catch (cause) {
    return fail('FILE_REFUSED', `${file} cannot be read (${systemCode(cause) ?? 'unknown'}).`, cause);
  }
}
