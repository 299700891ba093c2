import type { ModemLines } from '../links/serial.ts';
import type { Classified } from './classify.ts';
import type { Line } from './line.ts';
import type { Wrapping } from './recognise.ts';

/** What came of a probe. */
export type Conclusion =
  /** Two whole reads of one setting and one framing. */
  | { readonly kind: 'found'; readonly line: Line; readonly wrapping: Wrapping; readonly swipes: number }
  /** Text came, but no two whole reads that agree: at best one, or parts of documents, or no zone at all. */
  | {
      readonly kind: 'unsure';
      readonly line: Line;
      readonly seen: Exclude<Classified['kind'], 'garbage'>;
      readonly swipes: number;
    }
  /** It said nothing until it was asked for its version; `about` is the answer. */
  | { readonly kind: 'answers'; readonly line: Line; readonly about: string }
  /** Our own bytes came back. */
  | { readonly kind: 'looped' }
  /** Nothing but perhaps spikes of a byte or two; `asked`: the speeds at which its version was asked for. */
  | {
      readonly kind: 'nothing';
      readonly modem: ModemLines | undefined;
      readonly spikes: number;
      readonly asked: readonly number[];
    }
  /** Something came, but under none of the settings that were `tried` was it text. */
  | { readonly kind: 'unknown'; readonly swipes: number; readonly tried: readonly string[] };
