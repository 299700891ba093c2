import type { DocumentType } from './search-key.ts';
import type { CollectionState, KindOfLoss } from './verdict.ts';

/** What an edition says of itself: the collection's version, date and count, and what it was made with. */
export interface EditionDescription extends CollectionState {
  /** Id of the bureau's fingerprint key that the edition was made with. */
  readonly fingerprintKey: string;
  /** Size of its base on disk in bytes. */
  readonly bytes: number;
}

/** What an edition knows of one record. */
export interface EditionRecord {
  readonly documentType: DocumentType;
  readonly kindOfLoss: KindOfLoss;
  /** ISO 8601 day. */
  readonly reportedOn: string;
  /** ISO 3166-1 alpha-3 code. */
  readonly reportedBy: string;
}
