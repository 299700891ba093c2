import type { KeyboardLayout } from '#contracts/readers.ts';
import { type Stroke, strokesOf } from '../typist.ts';
import { type Lines, ocr31x } from './encode.ts';

/** What readers on USB HID send of a document: a pseudo-terminal cannot play them, umockdev and /dev/uhid can. */

/** Bytes of one report of the Access-IS OCR31x, its length byte among them. */
const reportSize = 64;
const moreFollow = 0x80;

/** Access-IS OCR31x on USB HID: byte 0 is the length of what follows, with bit 7 set where another report follows. */
export function hidReports(lines: Lines, bytes: Uint8Array = ocr31x(lines)): Uint8Array[] {
  const room = reportSize - 1;
  const reports: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += room) {
    const part = bytes.subarray(at, at + room);
    const report = new Uint8Array(reportSize);
    report[0] = part.length | (at + room < bytes.length ? moreFollow : 0);
    report.set(part, 1);
    reports.push(report);
  }
  return reports;
}

/** A keyboard wedge: every character as its key goes down and up, each line ended by Enter. */
export function keyEvents(lines: Lines, layout: KeyboardLayout): Stroke[] {
  return strokesOf(lines.map((line) => `${line}\r`).join(''), layout);
}
