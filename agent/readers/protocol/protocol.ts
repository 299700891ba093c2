import type { Framed } from '../framing/framing.ts';

/** What a protocol state machine is told. */
export type ProtocolInput =
  | { readonly kind: 'opened' }
  | { readonly kind: 'framed'; readonly framed: Framed }
  /** The time that it asked for has passed. */
  | { readonly kind: 'timeout' }
  /** The officer asks the reader to read. */
  | { readonly kind: 'trigger' };

/** What it wants done, in this order. */
export type ProtocolAction =
  | { readonly kind: 'send'; readonly bytes: Uint8Array }
  /** Passes a framed read on to the documents. */
  | { readonly kind: 'deliver'; readonly framed: Framed }
  /** Tell it `timeout` after so many milliseconds; replaces the time asked for before. */
  | { readonly kind: 'wait'; readonly millis: number }
  /** Whether the reader answers at all. */
  | { readonly kind: 'answers'; readonly yes: boolean }
  /** What the reader says about itself. */
  | { readonly kind: 'about'; readonly text: string };

/**
 * A reader's protocol as a pure machine: no clock, no device. Its owner tells it what happens and does what it wants;
 * a table of inputs and actions is its whole behaviour.
 */
export interface Protocol {
  step(input: ProtocolInput): readonly ProtocolAction[];
}
