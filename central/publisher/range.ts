/** A piece of a file: its first and its last byte, both part of it (RFC 9110 § 14.1.2). */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/**
 * What a `Range` field asks of a file of this size: a piece; `whole` where the field is to be ignored; `unsatisfiable`
 * where nothing of the file lies in it (RFC 9110 § 15.5.17).
 *
 * Ignored are other units (§ 14.2: must), what is no range or has its ends the wrong way round, and several ranges
 * (§ 14.2: may); no terminal asks for these.
 */
export function parseRange(field: string | undefined, size: number): ByteRange | 'whole' | 'unsatisfiable' {
  const [, from = '', to = ''] = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(field ?? '') ?? [];
  if (from === '') {
    // The last bytes: at most all that there are. Nothing can be said in Content-Range of a piece of an empty file.
    if (to === '' || size === 0) return 'whole';
    const length = Math.min(Number(to), size);
    return length === 0 ? 'unsatisfiable' : { first: size - length, last: size - 1 };
  }
  const first = Number(from);
  const last = to === '' ? Number.POSITIVE_INFINITY : Number(to);
  if (last < first) return 'whole';
  if (first >= size) return 'unsatisfiable';
  return { first, last: Math.min(last, size - 1) };
}
