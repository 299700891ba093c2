import { gunzipSync, gzipSync } from 'node:zlib';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { Bytes } from '#contracts/units.ts';
import { bytes } from '#contracts/units.ts';
import { systemCode } from './errors.ts';

/**
 * How a long JSON text crosses the line: as it is, or as one gzip member (RFC 1952) where that is shorter. A reader tells
 * them apart by the first byte: no JSON text begins with that of gzip.
 */

/** Below this a gzip header and the time are not worth it. */
const worthwhile = 400;
const gzipMagic = 0x1f;
/** The longest message that anybody has a reason to send, unpacked. */
export const longestUnpacked = bytes(1_048_576);

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The bytes to send for a text. */
export function pack(text: string): Buffer {
  const plain = Buffer.from(text);
  if (plain.length < worthwhile) return plain;
  const packed = gzipSync(plain, { level: 9 });
  return packed.length < plain.length ? packed : plain;
}

/**
 * The text of what came, at most `longest` bytes of it: what would unpack to more is refused before it takes the memory.
 * The fault is MESSAGE_INVALID.
 */
export function unpack(packed: Uint8Array, longest: Bytes = longestUnpacked): Result<string> {
  let plain = packed;
  if (packed[0] === gzipMagic) {
    try {
      plain = gunzipSync(packed, { maxOutputLength: longest });
    } catch (cause) {
      const why = systemCode(cause) === 'ERR_BUFFER_TOO_LARGE' ? tooLong(longest) : 'It cannot be unpacked.';
      return fail('MESSAGE_INVALID', why, cause);
    }
  }
  if (plain.length > longest) return fail('MESSAGE_INVALID', tooLong(longest));
  try {
    return ok(utf8.decode(plain));
  } catch (cause) {
    return fail('MESSAGE_INVALID', 'It is not UTF-8.', cause);
  }
}

function tooLong(longest: Bytes): string {
  return `It is longer than ${longest} bytes.`;
}
