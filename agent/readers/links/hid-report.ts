/**
 * Text in HID reports, as Access-IS readers carry it: a report has a fixed size, and its first byte says how many of
 * the bytes after it count.
 *
 *     in    flow|length  bytes …  padding
 *     out   report id 0  length  bytes …  padding
 *
 * Bit 7 of the length is the reader's flow flag and no part of it.
 */
const lengthBits = 0x7f;
/** Bytes of one report of a full-speed device (usb.org, Universal Serial Bus Specification 2.0, 5.7.3). */
const reportSize = 64;

/** The bytes that a report holds; none of a report of zeros, and never more than it has. */
export function payloadOf(report: Uint8Array): Uint8Array {
  const length = (report[0] ?? 0) & lengthBits;
  return report.slice(1, 1 + length);
}

/** Bytes as output reports, in order; those of hidraw begin with the report's id, 0 where a device has one kind only. */
export function reportsOf(bytes: Uint8Array): Uint8Array[] {
  const reports: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += reportSize - 1) {
    const piece = bytes.subarray(at, at + reportSize - 1);
    const report = new Uint8Array(1 + reportSize);
    report[1] = piece.length;
    report.set(piece, 2);
    reports.push(report);
  }
  return reports;
}
