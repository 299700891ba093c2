import type { Result } from '#contracts/result.ts';
import type { UplinkRequest, UplinkStatus } from '#contracts/uplink.ts';

/** What the uplink does on the word of its control socket. Every argument has been checked by its schema before. */
export interface Handlers {
  /** How it is now; answers at once. */
  status(): UplinkStatus;
  /** Calls the listener after every change that a watcher should know of; the answer ends it. */
  subscribe(listener: () => void): () => void;
  /** Takes a signed configuration; what is in the envelope has not been looked at. */
  apply(envelope: Envelope): Promise<Result<void>>;
  /** New keys with this hub, or with each; fulfilled when it is done. */
  rotate(hub?: string): Promise<Result<void>>;
  /** Probes every path at once. */
  probe(): Result<void>;
  prefer(choice: Preference): Result<void>;
  /** Opens the mode `enrolment` for so long; 0 closes it. */
  enrolment(seconds: number): Promise<Result<void>>;
}

export type Envelope = Extract<UplinkRequest, { verb: 'apply' }>['envelope'];

/** This uplink, this hub or both are to carry; or the choice is the helper's own again. */
export type Preference =
  | { readonly auto: true }
  | { readonly auto: false; readonly uplink?: string; readonly hub?: string };
