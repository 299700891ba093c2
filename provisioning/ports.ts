import type { Clock } from '#runtime/clock.ts';

/** What every act of provisioning needs from outside, so that tests drive it. */
export interface Parts {
  readonly clock: Clock;
  /** Fills the bytes from a cryptographic source and gives them back. */
  readonly random: (bytes: Uint8Array) => Uint8Array;
}

/** Which authority, and what opens its private keys. */
export interface AuthorityAt {
  readonly dir: string;
  /** Left out where the keys were made without one. */
  readonly passphrase?: string | undefined;
}
