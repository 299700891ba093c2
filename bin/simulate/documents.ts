import { readFileSync } from 'node:fs';
import { fail, ok, type Result } from '#contracts/result.ts';
import { maskNumber } from '#runtime/page-words.ts';
import { systemCode } from '#runtime/errors.ts';
import { cleanPassport, passport, stolenPassport } from '#test/rigs/documents.ts';
import type { Lines } from '#test/rigs/reader-simulator/encode.ts';
import { specimens } from '#test/rigs/specimens.ts';
import { DocumentDivider } from '../document-divider.ts';

/** What is played where no file is given: the published specimens, and one recorded and one unrecorded passport. */
export const defaultDocuments: readonly Lines[] = [
  ...Object.values(specimens),
  stolenPassport,
  cleanPassport,
  passport('SPECLOOK6'),
];

/**
 * The documents of a file: lines of each, separated by empty lines. They need not be good ones: a simulator may be told
 * to play what a terminal must refuse. Faults: FILE_REFUSED.
 */
export function readDocuments(file: string): Result<readonly Lines[]> {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    return fail('FILE_REFUSED', `${file}: ${systemCode(cause) ?? 'it cannot be read'}.`, cause);
  }
  const documents: Lines[] = [];
  const wrong: string[] = [];
  const divider = new DocumentDivider((text, line) => {
    const lines = linesOf(text);
    if (lines.length > 3)
      wrong.push(`the document at line ${line} has ${lines.length} lines, more than any has`);
    else if (lines.some((one) => !/^[\x20-\x7e]{1,64}$/.test(one)))
      wrong.push(`the document at line ${line} has a line that is too long or holds what no reader sends`);
    documents.push(lines);
  });
  divider.push(bytes);
  divider.end();
  const [first] = wrong;
  if (first !== undefined) return fail('FILE_REFUSED', `${file}: ${first}.`);
  if (documents.length === 0) return fail('FILE_REFUSED', `${file}: there is no document in it.`);
  return ok(documents);
}

function linesOf(text: Uint8Array): Lines {
  return Buffer.from(text)
    .toString('latin1')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/** Whether the lines have the form of a machine readable zone (ICAO Doc 9303 parts 4 to 7): lengths and characters. */
export function isZone(lines: Lines): boolean {
  const lengths = lines.map((line) => line.length).join();
  return ['44,44', '36,36', '30,30,30'].includes(lengths) && lines.every((line) => /^[A-Z0-9<]+$/.test(line));
}

/** What may be said of a document on a console: its state and the end of its number. */
export function nameOf(lines: Lines): string {
  if (!isZone(lines)) return 'no machine readable zone';
  const [first = '', second = ''] = lines;
  const number = lines.length === 3 ? first.slice(5, 14) : second.slice(0, 9);
  return `${first.slice(2, 5).replaceAll('<', '')} ${maskNumber(number.replace(/<+$/, ''))}`;
}
