import type { BlockCheck, FramingProfile } from '#contracts/readers.ts';

/** How a reader wraps what it read. */
export interface Wrapping {
  readonly framing: FramingProfile;
  readonly lineEnd: 'CR' | 'LF' | 'CRLF' | 'none';
  /** Characters of each line. */
  readonly lines: readonly number[];
  /** All that was between the wrapping are whole zones: 2 × 44, 2 × 36 or 3 × 30 characters. */
  readonly whole: boolean;
  /** It sent the same more than once for one swipe. */
  readonly repeats: boolean;
  /** A byte follows ETX that is no XOR of what `BlockCheck` knows, and no line end. */
  readonly unknownCheck: boolean;
}

const [soh, stx, etx, lf, cr, mrzOpener, mrzCloser] = [0x01, 0x02, 0x03, 0x0a, 0x0d, 0x1c, 0x1d];

/** Sees the wrapping of one read; what is between the wrapping is counted, not kept. */
export function recognise(bytes: Uint8Array): Wrapping {
  const first = wrapperOf(bytes);
  const inner = first.text;
  const ends = lineEndOf(inner);
  const lines = split(inner).map((line) => line.length);
  const bare = first.framing === undefined;
  const half = lines.length / 2;
  const twice = bare && lines.length >= 4 && lines.length % 2 === 0 && sameHalves(split(inner), half);
  return {
    framing: first.framing ?? {
      kind: 'lines',
      // Where ETX ends the frame, nothing depends on it.
      lastLineEnd: first.from > 0 || first.to < bytes.length || bytes[0] === stx || endsLine(inner),
      blockCheck: first.blockCheck,
    },
    lineEnd: ends,
    lines: twice ? lines.slice(0, half) : lines,
    whole: isWhole(split(inner), first.framing?.kind === 'rte6701'),
    repeats: twice || again(bytes, first),
    unknownCheck: first.unknownCheck,
  };
}

/**
 * One wrapping for several reads: a block check that holds for each of them, and a last line end that each has. A check
 * that holds for one read only was chance.
 */
export function agree(wrappings: readonly Wrapping[]): Wrapping | undefined {
  const [first, ...others] = wrappings;
  if (first === undefined) return undefined;
  const { framing } = first;
  const repeats = wrappings.some((one) => one.repeats);
  const checks = new Set(wrappings.map((one) => checkOf(one.framing)));
  const unknownCheck = wrappings.some((one) => one.unknownCheck) || checks.size > 1;
  const blockCheck = checks.size === 1 ? checkOf(framing) : 'none';
  if (framing.kind === 'lines') {
    const lastLineEnd =
      framing.lastLineEnd && others.every((one) => one.framing.kind !== 'lines' || one.framing.lastLineEnd);
    return { ...first, repeats, unknownCheck, framing: { kind: 'lines', lastLineEnd, blockCheck } };
  }
  if (framing.kind === 'rte6701') {
    return { ...first, repeats, unknownCheck, framing: { kind: 'rte6701', blockCheck } };
  }
  return { ...first, repeats };
}

const zones = [
  [44, 44],
  [36, 36],
  [30, 30, 30],
] as const;
/** An RTE6701 fills every line up to the width that it scans. */
const filledZones = [
  [44, 44, 44],
  [44, 44],
] as const;
const mrzLine = /^[A-Z0-9<_?*]+$/;

/** Whether the lines are zones from the first to the last; one read may hold several, where two came as one. */
function isWhole(lines: readonly string[], filled: boolean): boolean {
  if (lines.length === 0 || !lines.every((line) => mrzLine.test(line))) return false;
  const known = filled ? filledZones : zones;
  for (let at = 0; at < lines.length;) {
    const zone = known.find((lengths) => lengths.every((length, n) => lines[at + n]?.length === length));
    if (zone === undefined) return false;
    at += zone.length;
  }
  return true;
}

interface Wrapper {
  /** Undefined for lines, whose profile depends on what is inside. */
  readonly framing: Exclude<FramingProfile, { kind: 'lines' }> | undefined;
  readonly blockCheck: BlockCheck;
  readonly unknownCheck: boolean;
  readonly text: Uint8Array;
  /** Where the whole of it stands among the bytes. */
  readonly from: number;
  readonly to: number;
}

function wrapperOf(bytes: Uint8Array): Wrapper {
  const whole = { blockCheck: 'none', unknownCheck: false, from: 0, to: bytes.length } as const;
  const opener = pairAt(bytes, mrzOpener, stx);
  const closer = pairAt(bytes, etx, mrzCloser);
  if (opener >= 0 && closer > opener) {
    const text = bytes.subarray(opener + 2, closer);
    return { ...whole, framing: { kind: 'ocr31x' }, text, from: opener, to: closer + 2 };
  }
  // Command, length high, length low, and as many bytes as that.
  if (
    bytes.length > 3 &&
    bytes[1] === 0 &&
    (bytes[2] ?? 0) <= bytes.length - 3 &&
    /[IC]/.test(letter(bytes[0]))
  ) {
    const to = 3 + (bytes[2] ?? 0);
    return { ...whole, framing: { kind: 'elyctis' }, text: bytes.subarray(3, to), to };
  }
  const begin = bytes.indexOf(stx);
  const end = begin < 0 ? -1 : bytes.indexOf(etx, begin);
  if (end < 0) return { ...whole, framing: undefined, text: bytes };
  const text = bytes.subarray(begin + 1, end);
  const { blockCheck, unknownCheck } = checkAfter(bytes, end, text);
  const to = end + (blockCheck === 'none' && !unknownCheck ? 1 : 2);
  // SOH, a length of one to four bytes, "OU", and only then STX.
  const from = bytes.lastIndexOf(soh, begin);
  const isRte = from >= 0 && begin - from <= 7 && bytes[begin - 2] === 0x4f && bytes[begin - 1] === 0x55;
  if (!isRte) return { framing: undefined, blockCheck, unknownCheck, text, from: begin, to };
  // The flag before the lines is no line.
  return {
    framing: { kind: 'rte6701', blockCheck },
    blockCheck,
    unknownCheck,
    text: text.subarray(1),
    from,
    to,
  };
}

/** Which block check the byte after ETX is, if it is one. */
function checkAfter(
  bytes: Uint8Array,
  end: number,
  text: Uint8Array,
): Pick<Wrapper, 'blockCheck' | 'unknownCheck'> {
  const byte = bytes[end + 1];
  const sum = text.reduce((xor, one) => xor ^ one, 0);
  const known: readonly (readonly [BlockCheck, number])[] = [
    ['text', sum],
    ['text-etx', sum ^ etx],
    ['stx-text-etx', sum ^ stx ^ etx],
  ];
  const blockCheck = known.find(([, value]) => value === byte)?.[0] ?? 'none';
  const begins = byte === undefined || byte === cr || byte === lf || byte === stx || byte === soh;
  return { blockCheck, unknownCheck: blockCheck === 'none' && !begins };
}

/** Whether what follows the first frame begins like it and goes on as it does. */
function again(bytes: Uint8Array, { from, to }: Wrapper): boolean {
  const frame = bytes.subarray(from, to);
  for (let at = to; at + frame.length <= bytes.length; at++) {
    if (frame.every((byte, place) => bytes[at + place] === byte)) return true;
  }
  return false;
}

const endsLine = (text: Uint8Array): boolean => text.at(-1) === cr || text.at(-1) === lf;

function lineEndOf(text: Uint8Array): Wrapping['lineEnd'] {
  const hasCr = text.includes(cr);
  if (text.includes(lf)) return hasCr ? 'CRLF' : 'LF';
  return hasCr ? 'CR' : 'none';
}

function split(text: Uint8Array): string[] {
  return new TextDecoder('latin1')
    .decode(text)
    .split(/[\r\n]+/)
    .filter((line) => line !== '');
}

function sameHalves(lines: readonly string[], half: number): boolean {
  return lines.slice(0, half).every((line, at) => line === lines[half + at]);
}

function pairAt(bytes: Uint8Array, first: number, second: number): number {
  return bytes.findIndex((byte, at) => byte === first && bytes[at + 1] === second);
}

const checkOf = (framing: FramingProfile): BlockCheck =>
  'blockCheck' in framing ? framing.blockCheck : 'none';

const letter = (byte = 0): string => String.fromCharCode(byte);
