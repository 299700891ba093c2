import { type Line, onesOf } from './line.ts';
import { recognise } from './recognise.ts';

/** What a burst of bytes is, seen from outside; what it says is nobody's business here. */
export type Classified =
  | {
      /** `zone`: a whole machine readable zone; `part`: some of one, or a damaged one; `text`: characters, but no zone. */
      readonly kind: 'zone' | 'part' | 'text';
      /** Without the bit that was the parity. */
      readonly bytes: Uint8Array;
      /** What bit 7 turned out to be, where the port was set to 8 bits without parity. */
      readonly format: Pick<Line, 'dataBits' | 'parity' | 'stopBits'>;
    }
  | { readonly kind: 'garbage' };

/** Fewer bytes than this are no text that one could tell. */
const shortestText = 5;
/**
 * So many characters with an even number of ones, and none with an odd one, are no chance: the others were lost. Nor is
 * it chance when bit 7 of so many bytes is a parity.
 */
const enoughForParity = 12;
const mrzLine = /^[A-Z0-9<_?*]+$/;
/** Fillers are what tells some of a zone from a bar code. */
const zonePiece = /[A-Z0-9<]*<[A-Z0-9<]*/g;
const longEnoughPiece = 8;
const mrzLengths = new Set([30, 36, 44]);

/** Looks at what came while the port was set to `at`. */
export function classify(bytes: Uint8Array, at: Line): Classified {
  const { dataBits, parity, stopBits } = at;
  // No chance makes a whole zone, whatever noise stands before its frame.
  if (recognise(bytes).whole) return { kind: 'zone', bytes, format: { dataBits, parity, stopBits } };
  const format = formatOf(bytes, at);
  if (format === undefined || bytes.length < shortestText) return { kind: 'garbage' };
  const masked = format.dataBits !== at.dataBits;
  const text = masked ? bytes.map((byte) => byte & 0x7f) : bytes;
  if (linesOf(text).some((line) => mrzLengths.has(line.length) && mrzLine.test(line))) {
    return { kind: recognise(text).whole ? 'zone' : 'part', bytes: text, format };
  }
  const readable = text.filter(isPrintable);
  if (
    readable.length < (masked ? enoughForParity : shortestText) ||
    !text.every((byte) => isPrintable(byte) || isControl(byte))
  ) {
    return { kind: 'garbage' };
  }
  const odd = readable.filter(isOdd).length;
  const halfIsLost = readable.length >= enoughForParity && (odd === 0 || odd === readable.length);
  if (halfIsLost) return { kind: 'garbage' };
  const isPiece = linesOf(text).some((line) =>
    (line.match(zonePiece) ?? []).some((piece) => piece.length >= longEnoughPiece),
  );
  return { kind: isPiece ? 'part' : 'text', bytes: text, format };
}

/**
 * 8 bits without parity, or what bit 7 says: parity where it is one for nearly every byte (a line may be noisy).
 * Undefined where it is neither.
 */
function formatOf(bytes: Uint8Array, at: Line): Pick<Line, 'dataBits' | 'parity' | 'stopBits'> | undefined {
  const { dataBits, parity, stopBits } = at;
  const nearlyAll = (holds: (byte: number) => boolean): boolean =>
    bytes.filter(holds).length >= bytes.length * 0.95;
  if (nearlyAll((byte) => byte < 0x80)) return { dataBits, parity, stopBits };
  if (dataBits !== 8) return undefined;
  if (nearlyAll((byte) => !isOdd(byte))) return { dataBits: 7, parity: 'even', stopBits: 1 };
  if (nearlyAll(isOdd)) return { dataBits: 7, parity: 'odd', stopBits: 1 };
  // Always set: the first of two stop bits.
  return nearlyAll((byte) => byte >= 0x80) ? { dataBits: 7, parity: 'none', stopBits: 2 } : undefined;
}

const isOdd = (byte: number): boolean => onesOf(byte) % 2 === 1;

/** What stands between control characters. */
export function linesOf(text: Uint8Array): string[] {
  return new TextDecoder('latin1').decode(text).split(/[\x00-\x1f\x7f]+/);
}

const isPrintable = (byte: number): boolean => byte >= 0x20 && byte <= 0x7e;

/** Line ends, and what readers put around a frame. */
const isControl = (byte: number): boolean => byte > 0 && byte < 0x20;
