import type { NamedTarget } from '#contracts/edition-target.ts';
import type { Fault, Result } from '#contracts/result.ts';
import type { WallTime } from '#contracts/units.ts';
import type { Trusted } from '#formats/trust/index.ts';

/** Where an update comes from: the centre over the link, or a stick. */
export interface Repository {
  /** In words, for the log: "the centre", "the stick". */
  readonly name: string;
  /** Brings what is believed up to date with what is there; `keep` makes each step durable. */
  refresh(
    trusted: Trusted,
    now: WallTime,
    keep: (trusted: Trusted) => Promise<Result<void>>,
  ): Promise<Result<Trusted>>;
  /** Fetches a file into the downloads, verified from its first byte to its last and synced; its path. */
  fetch(target: NamedTarget, signal: AbortSignal): Promise<Result<string>>;
  /** A small file that nothing is known of yet, whole; undefined where there is none. EDITION_DAMAGED: it is longer. */
  fetchSmall(path: string, maxBytes: number, signal: AbortSignal): Promise<Result<Buffer | undefined>>;
  /** Removes what was begun and is of none of these files, by SHA-256. */
  tidy(wanted: ReadonlySet<string>): Promise<void>;
}

/** What happened to the offline copy that the centre and the record should know. */
export type EditionEvent =
  | {
      readonly kind: 'edition-in-use';
      readonly edition: number;
      readonly date: string;
      readonly count: number;
    }
  | { readonly kind: 'edition-refused'; readonly fault: Fault }
  | { readonly kind: 'edition-damaged'; readonly edition: number; readonly fault: Fault };
