import fc from 'fast-check';
import type { FramingProfile } from '#contracts/readers.ts';
import { validMrz, writeMrz } from '../mrz.ts';
import type { Lines, Style } from './encode.ts';

/** Streams of bytes as readers of each family send them, to be cut and soiled in any way. */

/** A framing as a reader of the family speaks it. */
export interface Family {
  readonly framing: FramingProfile;
  readonly style?: Style;
  /**
   * What may stand between two reads, without any silence, and cost nothing:
   *
   *     spike     bytes that are neither text nor a mark: bare lines begin anywhere, so text before one would be part
   *               of it, and text before STX is as good a read as any other
   *     anything  all bytes but those that begin a frame of this family: its frames say themselves where they begin
   */
  readonly garbage: fc.Arbitrary<Uint8Array>;
}

const isText = (byte: number): boolean => (byte >= 0x20 && byte <= 0x7e) || byte === 0x0d || byte === 0x0a;
const spike = fc
  .array(
    fc.nat(255).filter((byte) => !isText(byte) && byte !== 0x02 && byte !== 0x03),
    { maxLength: 19 },
  )
  .map((bytes) => Uint8Array.from(bytes));
const bytesWithout = (pattern: RegExp): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ maxLength: 60 }).filter((bytes) => !pattern.test(Buffer.from(bytes).toString('latin1')));
/** A spike long enough to be a read is told as one that could not be understood; shorter text outside is noise too. */
const short = (garbage: fc.Arbitrary<Uint8Array>) => garbage.map((bytes) => bytes.subarray(0, 19));

const lines = (
  blockCheck: 'none' | 'text' | 'text-etx' | 'stx-text-etx',
  lastLineEnd = true,
): FramingProfile => ({
  kind: 'lines',
  blockCheck,
  lastLineEnd,
});
const style = (lineEnd: Style['lineEnd'], enveloped: boolean): Style => ({ lineEnd, enveloped });
const checks = ['text', 'text-etx', 'stx-text-etx'] as const;

export const families: Readonly<Record<string, Family>> = {
  'bare lines ended by CR': { framing: lines('none'), garbage: spike },
  'bare lines ended by CRLF': { framing: lines('none'), style: style('\r\n', false), garbage: spike },
  'bare lines ended by LF': { framing: lines('none'), style: style('\n', false), garbage: spike },
  'lines by CR between STX and ETX': { framing: lines('none'), style: style('\r', true), garbage: spike },
  'lines by CRLF between STX and ETX': { framing: lines('none'), style: style('\r\n', true), garbage: spike },
  ...Object.fromEntries(
    checks.map((check) => [
      `lines between STX and ETX with a block check over ${check}`,
      { framing: lines(check), style: style('\r', true), garbage: spike },
    ]),
  ),
  'an imager, whose last line has no end': { framing: lines('none', false), garbage: spike },
  'Access-IS OCR31x': { framing: { kind: 'ocr31x' }, garbage: short(bytesWithout(/[\x0e\x1c\x1e]\x02/)) },
  ...Object.fromEntries(
    (['none', ...checks] as const).map((check) => [
      `RTE6701 with a block check over ${check}`,
      { framing: { kind: 'rte6701', blockCheck: check }, garbage: short(bytesWithout(/OU\x02/)) },
    ]),
  ),
  // A letter of its commands with a small length behind is a header; that one costs the message after it.
  Elyctis: { framing: { kind: 'elyctis' }, garbage: short(bytesWithout(/[CILRV]/)) },
};

export const document = fc
  .oneof(
    validMrz({ format: 'TD1', longest: 22 }),
    validMrz({ format: 'TD2', longest: 14 }),
    validMrz({ format: 'TD3' }),
    validMrz({ format: 'MRV-A' }),
    validMrz({ format: 'MRV-B' }),
  )
  .map((fields): Lines => writeMrz(fields));
export const documents = fc.array(document, { minLength: 1, maxLength: 6 });
/** Sizes of the pieces, over and over. */
export const cuts = fc.oneof(
  fc.constant([1]),
  fc.constant([Number.MAX_SAFE_INTEGER]),
  fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 1, maxLength: 20 }),
);

/** The stream in pieces of these sizes. */
export function* cut(stream: Uint8Array, sizes: readonly number[]): Iterable<Uint8Array> {
  for (let at = 0, n = 0; at < stream.length; n++) {
    const size = sizes[n % sizes.length] ?? 1;
    yield stream.subarray(at, at + size);
    at += size;
  }
}
