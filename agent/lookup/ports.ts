import type { AuditEntry, AuditEvent } from '#contracts/audit.ts';
import type { EditionDescription, EditionRecord } from '#contracts/edition.ts';
import type { CollectionResponse, LookupRequest, LookupResponse } from '#contracts/lookup.ts';
import type { OwedItem } from '#contracts/outbox.ts';
import type { Result } from '#contracts/result.ts';
import type { SearchKey } from '#contracts/search-key.ts';
import type { MonotonicTime } from '#contracts/units.ts';

/** What the lookup room is given; it knows none of the rooms behind these. */

export interface EditionPort {
  describe(): EditionDescription;
  /** The fault is EDITION_DAMAGED: part of it cannot be read, and nobody can say. */
  search(key: SearchKey): Result<readonly EditionRecord[]>;
}

export type LinkState = 'up' | 'down' | 'unknown';

export interface CentralPort {
  state(): LinkState;
  /** Asks once; the fault is CENTRAL_UNREACHABLE, _TIMEOUT, _REFUSED, _NONSENSE or a certificate's. */
  ask(request: LookupRequest): Promise<Result<LookupResponse>>;
  onState(listener: (state: LinkState) => void): void;
  close(): Promise<void>;
}

/** Told of each answer of the centre that carries the time: when it came and how long the round trip took. */
export type TimeListener = (
  response: CollectionResponse | LookupResponse,
  received: MonotonicTime,
  roundTrip: number,
) => void;

/** When something happened, as this terminal knows it. */
export type AuditStamp = Pick<AuditEntry, 'at' | 'clock' | 'boot' | 'monotonic'>;

/** One thing that happened: its entry in the record, and what it makes the terminal owe and keep. */
export interface Happening {
  readonly event: AuditEvent;
  readonly stamp: AuditStamp;
  readonly owed: readonly OwedItem[];
  /** Changes what the terminal keeps of its lookups, inside the same transaction. */
  readonly keep?: () => void;
}

export interface RecordPort {
  /** One durable transaction: everything of it is on disk when this returns ok, or nothing of it is. */
  record(happening: Happening): Result<void>;
}
