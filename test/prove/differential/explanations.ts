import type { TravelDocument } from '#contracts/documents.ts';

/** One field or check digit in which the two differ. */
export interface Difference {
  readonly lines: readonly string[];
  /** Their name for it, or `reading` or `format`. */
  readonly field: string;
  readonly ours: string;
  /** `invalid` where the package gives no value. */
  readonly theirs: string;
  /** Absent where we read none. */
  readonly document?: TravelDocument;
}

export interface Explanation {
  readonly name: string;
  readonly why: string;
  readonly applies: (difference: Difference) => boolean;
}

/** Codes of the generated documents that the package knows; it must not reject them. */
const knownToBoth = ['D', 'UZB', 'KGZ', 'FRA', 'GBD', 'RKS', 'XXA', 'CHE', 'TJK', 'KAZ', 'UNO'];

const isOneOf =
  (...fields: readonly string[]) =>
  ({ field }: Difference): boolean =>
    fields.includes(field);
const isName = isOneOf('lastName', 'firstName');
const isState = isOneOf('issuingState', 'nationality');
const isDate = isOneOf('birthDate', 'expirationDate');
const isOptional = isOneOf('optional', 'optional1', 'optional2', 'personalNumber', 'administrativeCode');
const asBlanks = (text: string): string => text.replaceAll('<', ' ');

/** Every way in which the package `mrz` 5.0.2 reads a document otherwise than we do. The first that applies counts. */
export const explanations: readonly Explanation[] = [
  {
    name: 'state with a digit',
    why: 'a wrong state is a wrong key: we refuse the document, the package leaves the field empty',
    applies: ({ field, ours, lines }) =>
      field === 'reading' && ours.endsWith('characters') && /\d/.test(lines[0]?.slice(2, 5) ?? ''),
  },
  {
    name: 'no document code',
    why: 'lines that begin with no code are no document to us; the package leaves the field empty',
    applies: ({ field, ours, lines: [first = '', ...others] }) =>
      field === 'reading' &&
      ours.endsWith('document-code') &&
      (!/^[A-Z][A-Z<]/.test(first) || (first.startsWith('V') && others.length === 2)),
  },
  {
    name: 'old French card whose code or state was misread',
    why: 'its second line has no nationality, and as a TD2 it would have a wrong number: we refuse it, the package reads one',
    applies: ({ field, ours, lines: [first = '', second = ''] }) =>
      field === 'reading' &&
      ours.endsWith('document-code') &&
      first.length === 36 &&
      !first.startsWith('IDFRA') &&
      isFrench(second),
  },
  {
    name: 'no number',
    why: 'without a number there is nothing to search; the package reads on',
    applies: ({ field, ours }) => field === 'reading' && ours.endsWith('number-missing'),
  },
  {
    name: 'visa',
    why: 'the package knows no MRV-A and MRV-B (part 7) and takes V for a passport or a card',
    applies: ({ field, ours }) => field === 'format' && ours.startsWith('MRV'),
  },
  {
    name: 'card of two lines taken for the old French one',
    why: 'the package takes IDFRA, and any digit at the end of the names, for the old French card; we look for the state FRA, and whether the second line has a nationality and dates where a TD2 has them',
    applies: ({ field, ours, theirs, lines: [first = '', second = ''] }) =>
      field === 'format' &&
      ours === 'TD2' &&
      theirs === 'FRENCH_NATIONAL_ID' &&
      (!first.startsWith('IDFRA') || !isFrench(second)),
  },
  {
    name: 'document code beyond the format',
    why: 'the package takes P for passports and A, C, I for cards only, and no V behind it; states print others',
    applies: ({ field, theirs, document }) =>
      field === 'documentCode' &&
      theirs === 'invalid' &&
      !(document?.format === 'TD3' ? /^P/ : /^[ACI](?!V)/).test(document?.documentCode ?? ''),
  },
  {
    name: 'state beyond its list',
    why: 'the package rejects UTO, ROM and every other code that it does not list, specimens among them; we read it and warn',
    applies: (difference) =>
      isState(difference) && difference.theirs === 'invalid' && !knownToBoth.includes(difference.ours),
  },
  {
    name: 'fillers inside a number or optional data',
    why: 'the package turns them into blanks; ours stay, since they count for the check digit, and the search key drops both',
    applies: (difference) =>
      (difference.field === 'documentNumber' || isOptional(difference)) &&
      difference.ours.includes('<') &&
      asBlanks(difference.ours) === difference.theirs,
  },
  {
    name: 'part of a long number in the optional data',
    why: 'the package repeats what belongs to the number as optional data; we leave it out there',
    applies: (difference) =>
      isOptional(difference) &&
      goesOn(difference) &&
      (difference.ours === '' || difference.theirs.endsWith(asBlanks(difference.ours))),
  },
  {
    name: 'long number to the last place',
    why: 'where the optional data is full to its end, the package cuts two characters off the number instead of one',
    applies: (difference) =>
      isNumber(difference) && goesOn(difference) && !continuation(difference).includes('<'),
  },
  {
    name: 'filler as digit of a number that does not go on',
    why: 'the package joins the fillers of the optional data, or what stands there, to any number without a digit; a number goes on only behind nine characters',
    applies: (difference) => isNumber(difference) && digitPlace(difference) === '<' && !goesOn(difference),
  },
  {
    name: 'parts of the number of the old French card',
    why: 'the package reads its number as month of issue, department and number, and gives none where one of them is none; we read it as one',
    applies: ({ field, ours, document }) =>
      field === 'documentNumber' &&
      document?.format === 'FRA-ID' &&
      (!/^\d\d(0[1-9]|1[0-2])/.test(ours) || ours.includes('<') || ours.length < 12),
  },
  {
    name: 'several fillers in a name',
    why: 'we make one blank of them, the package one of each',
    applies: (difference) =>
      isName(difference) && difference.theirs.replace(/ +/g, ' ').trim() === difference.ours,
  },
  {
    name: 'digit in a name of the old French card',
    why: 'the package gives no name then; no lookup needs it, we show what was read',
    applies: (difference) =>
      isName(difference) && difference.theirs === 'invalid' && /\d/.test(difference.ours),
  },
  {
    name: 'names without a division',
    why: 'where they fill their field and no << divides them, the package gives them as both names; they are the primary one alone (part 3 § 4.6)',
    applies: ({ field, ours, lines, document }) =>
      field === 'firstName' && ours === '' && !nameField(lines, document).includes('<<'),
  },
  {
    name: 'no date',
    why: 'the package gives no value for six characters that are none; we keep them as read and warn',
    applies: (difference) =>
      isDate(difference) && difference.theirs === 'invalid' && isNoDate(difference.ours),
  },
  {
    name: 'sex X',
    why: 'the package knows M, F and the filler only; X is printed too',
    applies: ({ field, ours, theirs }) => field === 'sex' && theirs === 'invalid' && ours === 'X',
  },
  {
    name: 'any other letter for the sex',
    why: 'the package gives no value; to us it is unspecified, since nothing is searched by it',
    applies: ({ field, ours, theirs }) => field === 'sex' && theirs === 'invalid' && ours === 'unspecified',
  },
  {
    name: 'character put right',
    why: 'a letter in a date or in the place of a check digit that can only have been a digit, proven by the check digit; the composite digit is then reckoned with it. The package repairs only when asked, and proves nothing',
    applies: ({ field, ours, document }) =>
      field.endsWith('CheckDigit') &&
      (ours === 'true' || field.startsWith('composite')) &&
      (document?.repairs.length ?? 0) > 0,
  },
];

/** Digits of its number where a TD2 has a nationality, and given names where that has a date: most of them, at least. */
function isFrench(second: string): boolean {
  const digits = (text: string): number => text.replace(/[^0-9]/g, '').length;
  return digits(second.slice(10, 13)) >= 1 && digits(second.slice(13, 20)) <= 3;
}

function isNumber({ field }: Difference): boolean {
  return field === 'documentNumber' || field === 'documentNumberCheckDigit';
}

/** What stands in the number's field and behind it, and where it could go on. */
function digitPlace({ lines: [first = '', second = ''], document }: Difference): string {
  if (document?.format === 'TD1') return first.charAt(14);
  return document?.format === 'TD2' ? second.charAt(9) : '';
}

function continuation({ lines: [first = '', second = ''], document }: Difference): string {
  return document?.format === 'TD1' ? first.slice(15) : second.slice(28, 35);
}

function goesOn(difference: Difference): boolean {
  const { lines, document } = difference;
  const last = document?.format === 'TD1' ? lines[0]?.charAt(13) : lines[1]?.charAt(8);
  return digitPlace(difference) === '<' && last !== '<' && !continuation(difference).startsWith('<');
}

function nameField(lines: readonly string[], document: TravelDocument | undefined): string {
  return document?.format === 'TD1' ? (lines[2] ?? '') : (lines[0]?.slice(5) ?? '');
}

/** Its own rule: digits and fillers, a month to 12, a day to 31. */
function isNoDate(text: string): boolean {
  const isOutside = (part: string, last: number): boolean =>
    part !== '<<' && (Number.parseInt(part, 10) < 1 || Number.parseInt(part, 10) > last);
  return !/^[0-9<]{6}$/.test(text) || isOutside(text.slice(2, 4), 12) || isOutside(text.slice(4), 31);
}
