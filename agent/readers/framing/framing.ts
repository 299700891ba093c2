/** What a framing makes of the bytes, in the order in which it came. */
export type Framed =
  | {
      /** One read: the lines of the document with their line ends, without what the reader puts around them. */
      readonly kind: 'frame';
      readonly text: Uint8Array;
      /** Bytes that are no text were among it. */
      readonly noisy: boolean;
      /** The reader's own check of its transmission does not hold: never data. */
      readonly damaged: boolean;
    }
  /** An answer to a command of ours. */
  | { readonly kind: 'reply'; readonly command: number; readonly data: Uint8Array }
  /** A whole read of something that is no machine readable zone. */
  | { readonly kind: 'other'; readonly what: 'magnetic-stripe' | 'barcode' | 'one-line' }
  /** A spike on the line: too few bytes to be a read. */
  | { readonly kind: 'noise'; readonly bytes: Uint8Array }
  /** A frame ended at `longestFrame`; what follows is passed over until the line is silent or a frame begins. */
  | { readonly kind: 'too-long' };

/**
 * Bytes to frames, in chunks cut anywhere. It knows no clock: its owner calls `silence` when the line has been silent
 * for the profile's `idleMillis`. Never throws, whatever comes; its memory is bounded by `longestFrame`.
 */
export interface Framing {
  /** Whether bytes wait for more, so that silence means something. */
  readonly pending: boolean;
  /** Takes a chunk; what it completes, in order. */
  push(chunk: Uint8Array): Framed[];
  /** The line has been silent: what waits is all that comes. */
  silence(): Framed[];
  /** The device is gone: what waits is dropped, so that it is never joined to a frame after it. */
  reset(): void;
}

/** Twice the longest frame of a known reader: more than this is no document. */
export const longestFrame = 256;
/** Fewer bytes than this are a spike on the line even if all of them are text. */
export const shortestFrame = 6;
/** Fewer bytes than this that are no text are a spike on the line, not a read that an officer waits for. */
export const shortestNoisyFrame = 20;
