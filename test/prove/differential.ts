import { parse } from 'mrz';
import { readDocument } from '#agent/documents/index.ts';
import type { TravelDocument } from '#contracts/documents.ts';
import { alphabet, below, type Generated, generateMrz, oneOf, type Random } from '../rigs/generate-mrz.ts';
import { seeded } from '../rigs/random.ts';
import { type Difference, explanations } from './differential/explanations.ts';
import type { ProofOptions } from './proof.ts';

export interface DifferentialCounts {
  readonly documents: number;
  /** Documents that both read and in which every field and every check digit was the same. */
  readonly alike: number;
  readonly comparisons: number;
  /** How many differences each explanation accounts for, and why there is one. */
  readonly differences: Readonly<Record<string, { readonly count: number; readonly why: string }>>;
}

const today = { year: 2026, month: 11, day: 24 };
/** The formats that the package knows; it has no MRV-A and MRV-B. */
const formats = ['TD1', 'TD2', 'TD3', 'FRA-ID'] as const;

/**
 * The npm package `mrz` as a second opinion, field by field and check digit by check digit, on valid documents and on
 * documents with one to three characters changed. Every difference must be one that is explained.
 */
export async function proveDifferential(options: ProofOptions): Promise<DifferentialCounts> {
  return compareWithPackage(options);
}

export function compareWithPackage({
  count,
  seed,
}: Pick<ProofOptions, 'count' | 'seed'>): DifferentialCounts {
  const found = new Map(explanations.map(({ name }) => [name, 0]));
  let alike = 0;
  let comparisons = 0;
  for (let index = 0; index < count; index++) {
    const random = seeded(Math.imul(seed, 0x9e3779b1) + index);
    const lines = changed(random, generateMrz(random, formats[index % formats.length] ?? 'TD3'));
    const { differences, compared } = compare(lines);
    comparisons += compared;
    if (differences.length === 0) alike += 1;
    for (const difference of differences) {
      const why = explanations.find(({ applies }) => applies(difference));
      if (why === undefined) {
        const { lines: _, ...rest } = difference;
        throw new Error(`seed ${seed}, document ${index}: ${JSON.stringify(rest)}\n${lines.join('\n')}`);
      }
      found.set(why.name, (found.get(why.name) ?? 0) + 1);
    }
  }
  const differences = Object.fromEntries(
    explanations.map(({ name, why }) => [name, { count: found.get(name) ?? 0, why }]),
  );
  return { documents: count, alike, comparisons, differences };
}

/** Half of the documents as they are, the others with one to three characters replaced. */
function changed(random: Random, { lines }: Generated): readonly string[] {
  let result = lines;
  for (let n = random() < 0.5 ? 0 : 1 + below(random, 3); n > 0; n--) {
    const line = below(random, lines.length);
    const old = result[line] ?? '';
    const at = below(random, old.length);
    result = result.with(line, old.slice(0, at) + oneOf(random, alphabet.split('')) + old.slice(at + 1));
  }
  return result;
}

/** Their names for our fields. */
const fields: readonly [string, (document: TravelDocument) => string][] = [
  ['documentCode', ({ documentCode }) => documentCode],
  ['issuingState', ({ issuingState }) => issuingState],
  ['documentNumber', ({ documentNumber }) => documentNumber],
  ['nationality', ({ nationality }) => nationality],
  ['lastName', ({ names }) => names.primary],
  ['firstName', ({ names }) => names.secondary],
  ['birthDate', ({ birth }) => birth.raw],
  ['expirationDate', ({ expiry }) => expiry.raw],
  ['sex', ({ sex }) => sex],
  ['optional1', ({ optional }) => optional[0] ?? ''],
  ['optional', ({ optional }) => optional[0] ?? ''],
  ['personalNumber', ({ optional }) => optional[0] ?? ''],
  ['administrativeCode', ({ optional }) => optional[0] ?? ''],
  ['optional2', ({ optional }) => optional[1] ?? ''],
];
const checks: readonly [string, keyof TravelDocument['checks']][] = [
  ['documentNumberCheckDigit', 'number'],
  ['birthDateCheckDigit', 'birth'],
  ['expirationDateCheckDigit', 'expiry'],
  ['personalNumberCheckDigit', 'optional'],
  ['compositeCheckDigit', 'composite'],
];
const sexes: Readonly<Record<string, string>> = { male: 'M', female: 'F', nonspecified: 'unspecified' };

function compare(lines: readonly string[]): { differences: Difference[]; compared: number } {
  const reading = readDocument(Buffer.from(lines.join('\r'), 'latin1'), today);
  const theirs = parse(lines);
  const differences: Difference[] = [];
  if (reading.kind === 'unreadable') {
    const ours = `unreadable: ${reading.reason}`;
    return { differences: [{ lines, field: 'reading', ours, theirs: theirs.format }], compared: 1 };
  }
  const { document } = reading;
  let compared = 0;
  const same = (field: string, ours: string, other: string): void => {
    compared += 1;
    if (ours !== other) differences.push({ lines, field, ours, theirs: other, document });
  };
  const format = document.format === 'FRA-ID' ? 'FRENCH_NATIONAL_ID' : document.format;
  same('format', format, theirs.format);
  // Fields of another format are other fields.
  if (format !== theirs.format) return { differences, compared };
  const details = new Map(theirs.details.map((detail) => [detail.field as string, detail]));
  for (const [field, ours] of fields) {
    const detail = details.get(field);
    if (detail === undefined) continue;
    const value = (field === 'documentNumber' ? theirs.documentNumber : detail.value) ?? 'invalid';
    same(field, ours(document), sexes[value] ?? value);
  }
  for (const [field, check] of checks) {
    const detail = details.get(field);
    if (detail !== undefined) same(field, String(document.checks[check]), String(detail.valid));
  }
  return { differences, compared };
}
