import { createFraming, type Framing } from '#agent/readers/index.ts';
import type { FramingProfile } from '#contracts/readers.ts';
import { encodeRead, plainStyle } from '../../rigs/reader-simulator/encode.ts';

/** One way in which frames come over a line. */
export interface Family {
  readonly name: string;
  readonly framing: () => Framing;
  readonly encode: (lines: readonly string[]) => Uint8Array;
}

function family(name: string, profile: FramingProfile, enveloped = false): Family {
  return {
    name,
    framing: () => createFraming(profile),
    encode: (lines) => encodeRead(profile, lines, { ...plainStyle, enveloped }),
  };
}

/** Every framing that there is, with and without its envelope and its block check. */
export const families: readonly Family[] = [
  family('lines', { kind: 'lines', lastLineEnd: true, blockCheck: 'none' }),
  family('lines, last one without end', { kind: 'lines', lastLineEnd: false, blockCheck: 'none' }),
  family('lines between STX and ETX', { kind: 'lines', lastLineEnd: true, blockCheck: 'none' }, true),
  family('lines with block check', { kind: 'lines', lastLineEnd: true, blockCheck: 'text-etx' }),
  family('ocr31x', { kind: 'ocr31x' }),
  family('rte6701', { kind: 'rte6701', blockCheck: 'none' }),
  family('rte6701 with block check', { kind: 'rte6701', blockCheck: 'text' }),
  family('elyctis', { kind: 'elyctis' }),
];
