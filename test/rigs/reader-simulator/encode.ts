import type { BlockCheck, FramingProfile } from '#contracts/readers.ts';

/**
 * The lines of a document as each family of readers sends them (DOMAIN.md, Readers), written by a second hand: nothing
 * here uses the code that reads them.
 */
export type Lines = readonly string[];

/** What a profile leaves open, since a terminal takes all of it. */
export interface Style {
  readonly lineEnd: '\r' | '\r\n' | '\n';
  /** Between STX and ETX; always so where there is a block check. */
  readonly enveloped: boolean;
}

export const plainStyle: Style = { lineEnd: '\r', enveloped: false };

const SOH = 0x01;
const STX = 0x02;
const ETX = 0x03;

/** One read of a machine readable zone by a reader of this framing. */
export function encodeRead(framing: FramingProfile, lines: Lines, style: Style = plainStyle): Uint8Array {
  switch (framing.kind) {
    case 'ocr31x':
      return ocr31x(lines);
    case 'rte6701':
      return rte6701(lines, framing.blockCheck);
    case 'elyctis':
      return elyctis('I', ended(lines, '\r'));
    default:
      return framing.lastLineEnd ? swipe(lines, style, framing.blockCheck) : latin(lines.join(style.lineEnd));
  }
}

/** Generic swipe reader: lines, perhaps between STX and ETX, perhaps with a block check character behind. */
export function swipe(lines: Lines, style: Style = plainStyle, check: BlockCheck = 'none'): Uint8Array {
  const text = ended(lines, style.lineEnd);
  return style.enveloped || check !== 'none' ? enveloped(text, check) : text;
}

/** Access-IS OCR31x: `1C 02` line CR line CR [line CR] `03 1D`. */
export function ocr31x(lines: Lines): Uint8Array {
  return between(0x1c, ended(lines, '\r'));
}

/** Access-IS OCR31x: what it sends of a magnetic stripe and of a barcode. */
export const magneticStripe = (text: string): Uint8Array => between(0x0e, latin(text));
export const barcode = (text: string): Uint8Array => between(0x1e, latin(text));

/** Columns of the zone that it scans: it fills a shorter line with `_`. */
const rteWidth = 44;

/**
 * 3M and Thales RTE6701: SOH, length, `OU`, STX, flag, data, ETX, block check (none where the profile
 * has none). The data are three lines, the document at
 * the bottom; a line that is not there is a bare CR. What the length counts is not public: here all from `OU` to ETX,
 * as two bytes, high first; nobody may rely on it. The flag `1` says that all was read.
 */
export function rte6701(lines: Lines, check: BlockCheck = 'none'): Uint8Array {
  const absent = Array.from({ length: Math.max(0, 3 - lines.length) }, () => '');
  const padded = lines.map((line) => line.padEnd(rteWidth, '_'));
  const body = enveloped(joined(latin('1'), ended([...absent, ...padded], '\r')), check);
  const length = 2 + body.length - (check === 'none' ? 0 : 1);
  return joined(Uint8Array.of(SOH, length >> 8, length & 0xff), latin('OU'), body);
}

/** Elyctis: a letter, the length of the data in two bytes, high first, and the data. */
export function elyctis(command: string, data: Uint8Array = new Uint8Array()): Uint8Array {
  return joined(latin(command), Uint8Array.of(data.length >> 8, data.length & 0xff), data);
}

/** The text between STX and ETX, with the XOR of what the check covers behind. */
function enveloped(text: Uint8Array, check: BlockCheck): Uint8Array {
  const frame = joined(Uint8Array.of(STX), text, Uint8Array.of(ETX));
  const covered = { none: undefined, text, 'text-etx': frame.subarray(1), 'stx-text-etx': frame }[check];
  return covered === undefined ? frame : joined(frame, Uint8Array.of(xor(covered)));
}

const xor = (bytes: Uint8Array): number => bytes.reduce((sum, byte) => sum ^ byte, 0);

const between = (mark: number, text: Uint8Array): Uint8Array =>
  joined(Uint8Array.of(mark, STX), text, Uint8Array.of(ETX, mark + 1));

const ended = (lines: Lines, lineEnd: string): Uint8Array =>
  latin(lines.map((line) => line + lineEnd).join(''));

export const latin = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));

export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
