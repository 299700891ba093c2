export { Base } from './base.ts';
export { BaseWriter, BucketFull, type WrittenBase } from './base-writer.ts';
export { decodeDelta, type Delta, encodeDelta } from './delta.ts';
export { onlyRecord } from './delta-columns.ts';
export { differenceOf } from './difference.ts';
export { checkSecret, Edition, fingerprintCheck, type MembershipFilter, noFilter } from './edition.ts';
export {
  compareEntries,
  type Entries,
  encodePayload,
  makeEntries,
  payloadEncoder,
  reportDays,
} from './entries.ts';
export { Filter } from './filter.ts';
export { FilterBuilder } from './filter-builder.ts';
export { decodeFilter, encodeFilter } from './filter-file.ts';
export { hashBytes, leafBytes, leafHash, treeRoot } from './hash-tree.ts';
export type { WrittenFile } from './hashed-file.ts';
export { decodeHeader, type EditionHeader, headerBytes } from './header.ts';
export { mergedEntries } from './merged.ts';
export { Overlay } from './overlay.ts';
export { verifyFile } from './verify-file.ts';
