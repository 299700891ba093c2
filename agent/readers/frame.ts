import type { ReaderId } from '#contracts/names.ts';
import type { MonotonicTime } from '#contracts/units.ts';

/**
 * One read: the lines of the document as the reader sent them, without what its framing puts around them. Personal
 * data: never logged.
 */
export interface Frame {
  readonly reader: ReaderId;
  readonly bytes: Uint8Array;
  /** The reader's own check of its transmission does not hold: shown as unreadable, never taken for data. */
  readonly damaged: boolean;
  /** When its last byte came. */
  readonly receivedAt: MonotonicTime;
}
