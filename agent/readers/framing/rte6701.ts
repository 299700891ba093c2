import type { BlockCheck } from '#contracts/readers.ts';
import { BlockCheckSum } from './block-check.ts';
import { longestFrame } from './framing.ts';
import { type Found, isText, type Scan } from './scanned.ts';

/**
 * 3M and Thales RTE6701 on its serial line:
 *
 *     SOH  length  'O' 'U'  STX  flag  data  ETX  block check
 *
 * `data` is three lines, bottom-aligned, each ended by CR: an absent line is a bare CR, a short one is padded with `_`.
 * How many bytes the length has and what it counts is not published: the end is found by ETX, and the block check
 * decides. The flag says how well the reader read; the lines say that themselves.
 */
const soh = 0x01;
const stx = 0x02;
const etx = 0x03;
const cr = 0x0d;
const padding = 0x5f;
const [o, u] = [0x4f, 0x55];
/** Longest length field that is borne. */
const longestLength = 4;

export function scanRte6701(blockCheck: BlockCheck): Scan {
  return (bytes: Uint8Array): Found => {
    if (bytes[0] !== soh) return { kind: 'nothing' };
    const begin = textBegin(bytes);
    if (begin === undefined) {
      return bytes.length < 1 + longestLength + 3 ? { kind: 'begun' } : { kind: 'nothing' };
    }
    const end = bytes.indexOf(etx, begin + 1);
    const text = bytes.subarray(begin + 1, end < 0 ? bytes.length : end);
    // A frame that begins inside another, perhaps in the place of the flag: this one was cut.
    if (bytes[begin] === soh || text.includes(soh)) return { kind: 'nothing' };
    if (end < 0) return bytes.length < longestFrame ? { kind: 'begun' } : { kind: 'nothing' };
    const checkLength = blockCheck === 'none' ? 0 : 1;
    if (bytes.length < end + 1 + checkLength) return { kind: 'begun' };
    const sum = new BlockCheckSum(blockCheck);
    sum.begin();
    for (const byte of bytes.subarray(begin, end)) sum.add(byte);
    sum.end();
    const damaged = blockCheck !== 'none' && sum.value !== bytes[end + 1];
    return {
      kind: 'message',
      bytes: end + 1 + checkLength,
      framed: { kind: 'frame', text: withoutPadding(text), noisy: !isText(text), damaged },
    };
  };
}

/** The padding is the reader's, not the document's: without it a cut line is short, and says which columns are missing. */
function withoutPadding(text: Uint8Array): Uint8Array {
  return Uint8Array.from(text.filter((byte, at) => byte !== padding || !isPadded(text, at)));
}

function isPadded(text: Uint8Array, from: number): boolean {
  let at = from;
  while (text[at] === padding) at++;
  return at === text.length || text[at] === cr;
}

/** Where the flag stands: behind `OU` and STX, which follow a length of one to four bytes. */
function textBegin(bytes: Uint8Array): number | undefined {
  for (let at = 2; at <= 1 + longestLength; at++) {
    if (bytes[at] === o && bytes[at + 1] === u && bytes[at + 2] === stx) return at + 3;
  }
  return undefined;
}
