import type { Result } from '#contracts/result.ts';

/** An open device. Each adapter in this folder alone knows its library or its kernel interface. */
export interface Link {
  /** Whether the device that was opened is still there and still the same. */
  present(): boolean;
  /** Sends bytes to it, in order; a failure is told as `lost`. A device that takes none passes them over. */
  write(bytes: Uint8Array): void;
  /** Resolves also where the device is gone and never answers. */
  close(): Promise<void>;
}

export interface LinkListener {
  /** Text bytes, cut anywhere. */
  data(chunk: Uint8Array): void;
  /** The device is gone or has failed; said once, and not for our own `close`. */
  lost(why: string): void;
}

/** Opens a device node. Faults: READER_ABSENT, READER_REFUSED. */
export type OpenLink = (path: string, listener: LinkListener) => Promise<Result<Link>>;
