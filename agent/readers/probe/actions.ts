import type { ModemLines } from '../links/serial.ts';
import type { Conclusion } from './conclusion.ts';
import type { Line } from './line.ts';

/** What the machine is told, and what it wants done. */
export type ProbeInput =
  /** The port is open as the machine wanted it. */
  | { readonly kind: 'opened'; readonly modem?: ModemLines | undefined }
  /** Bytes, and then silence. */
  | { readonly kind: 'burst'; readonly bytes: Uint8Array }
  /** The time that it asked for has passed, and nothing came. */
  | { readonly kind: 'silence' };

export type ProbeAction =
  | { readonly kind: 'open'; readonly line: Line }
  | { readonly kind: 'send'; readonly bytes: Uint8Array }
  /** Tell it `silence` after so many milliseconds; what comes before is a `burst`. */
  | { readonly kind: 'wait'; readonly millis: number }
  /** In words to the engineer. */
  | { readonly kind: 'say'; readonly text: string }
  | { readonly kind: 'conclude'; readonly conclusion: Conclusion };

export const say = (text: string): ProbeAction => ({ kind: 'say', text });
export const conclude = (conclusion: Conclusion): ProbeAction => ({ kind: 'conclude', conclusion });
