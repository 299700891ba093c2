export { readFileChunks } from './chunks.ts';
export { type CollectionOrder, type CollectionRead, readCollection } from './collection.ts';
export type { Chunks } from './csv.ts';
export { type DatabaseQuery, readDatabase } from './database.ts';
export type { EditionRow } from './edition-row.ts';
export {
  lifetimes,
  type Published,
  type PublisherKeys,
  publishEdition,
  type PublishOrder,
  refreshTimestamp,
} from './publish.ts';
export { readFingerprintKey, readSigningKey } from './keys.ts';
export type { Say } from './make.ts';
export { describeRepositoryIn, type RepositorySummary, verifyRepository } from './check.ts';
export { type CollectionPlace, type CollectionSource, openSource } from './source.ts';
export { writeStick, type WrittenStick } from './stick.ts';
export { type CollectionRecord, optionalColumns, requiredColumns } from './record.ts';
export { editionRows, type Shape, wholeRecords } from './row-check.ts';
export { createRepositoryHandler, type RepositoryHandler, type RepositoryParts } from './serve.ts';
