import type { ReaderId } from '#contracts/names.ts';
import type { MonotonicTime } from '#contracts/units.ts';

/** The bytes of one read, as the reader sent them. Personal data: never logged. */
export interface Frame {
  readonly reader: ReaderId;
  readonly bytes: Uint8Array;
  /** When its last byte came. */
  readonly receivedAt: MonotonicTime;
}
