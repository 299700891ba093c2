import type { DocumentWarning, Reading, TravelDocument } from '#contracts/documents.ts';
import type { EntryCheck, EntryRequest } from '#contracts/entry.ts';
import { searchKey } from '#contracts/search-key.ts';
import { isCutLongLine } from './cut-lines.ts';
import { type CalendarDay, noDate } from './dates.ts';
import { documentOf } from './document.ts';
import { cut, type Layout, layoutNamed, type Span } from './layouts.ts';
import { readTyped, withoutTail } from './number.ts';
import { hasItsDigits, isRead, shapesOf } from './shapes.ts';
import { isListedState } from './states.ts';
import { doubtfulOf, variantsOf } from './variants.ts';
import { warningsOf } from './warnings.ts';
import { isFrenchLine, isMistakenFrenchCard } from './which-layout.ts';

type Problem = EntryCheck['problems'][number];
type Part = EntryCheck['parts'][number];
type NumberEntry = Extract<EntryRequest, { kind: 'number' }>;
type LineEntry = Extract<EntryRequest, { kind: 'line' }>;

/** How what an officer types stands, and what it says as soon as it can be searched. */
export interface Entry {
  readonly check: EntryCheck;
  readonly reading?: Reading;
}

/** A document code that stands for each type and maps back to it; none for any other document. */
const codeOf: Readonly<Record<EntryRequest['documentType'], string>> = {
  passport: 'P',
  'identity-card': 'I',
  visa: 'V',
  other: '',
};

/** The longest number that a search key may have. */
const longestNumber = 27;

/**
 * Reads what an officer types of a document that no reader can read: state and number, or the line that holds the
 * number. Small letters count as capitals, blanks as nothing, `_` as a character that is not typed yet. A check digit
 * that does not hold is a warning of the reading and keeps nothing from being searched.
 *
 * @param today decides centuries and what has expired
 */
export function readEntry(entry: EntryRequest, today: CalendarDay): Entry {
  return entry.kind === 'number' ? readNumberEntry(entry, today) : readLineEntry(entry, today);
}

function readNumberEntry(entry: NumberEntry, today: CalendarDay): Entry {
  const state = withoutTail(plain(entry.issuingState));
  // Where the visual zone prints a hyphen, a dot or a slash, the machine readable one has a filler: part 3 § 4.6.
  const number = withoutTail(plain(entry.documentNumber).replace(/[-./]/g, '<'));
  const typed = plain(entry.checkDigit);
  const digit = typed === '<' ? '' : typed;
  const problems = [...problemsOfState(state), ...problemsOfNumber(number), ...problemsOfDigit(digit)];
  const reading = readTyped(number, digit);
  const isWhole = /^\d$/.test(digit) && problemsOfNumber(number).length === 0;
  const parts: Part[] = [
    { part: 'number', value: number.slice(0, 44), holds: isWhole ? reading.holds : null },
  ];
  const check = checkOf(problems, parts, state, number);
  if (!check.ready) return { check };
  const variants = variantsOf(reading, undefined);
  const document: TravelDocument = {
    format: 'typed',
    documentCode: codeOf[entry.documentType],
    issuingState: state,
    documentNumber: number,
    variants,
    doubtful: digit === '' ? [] : doubtfulOf(reading, variants),
    repairs: [],
    names: { primary: '', secondary: '', truncated: false },
    nationality: '',
    sex: 'unspecified',
    birth: noDate.date,
    expiry: noDate.date,
    optional: [],
    checks: digit === '' ? {} : { number: reading.holds },
  };
  const warnings: DocumentWarning[] = warningsOf(document, noDate, noDate, false, today);
  return { check, reading: { kind: 'document', document, warnings } };
}

function readLineEntry(entry: LineEntry, today: CalendarDay): Entry {
  const line = plain(entry.line).replace(/[?*]/g, '_');
  const given = withoutTail(plain(entry.issuingState));
  const layout = alone(layoutOfLine(line, entry.documentType, given));
  const holdsState = layout.number.line === 1;
  const whole = line.slice(0, layout.length).padEnd(layout.length, '_');
  const code = codeOf[entry.documentType];
  const begin = `${code.padEnd(2, '<')}${given.slice(0, 3).padEnd(3, '<')}`;
  // The other line as far as it is known: nothing of it but code and state is looked at.
  const lines = holdsState ? [whole] : [begin.padEnd(layout.length, '<'), whole];
  const state = holdsState ? withoutTail(cut(lines, layout.state)) : given;
  const problems = [...(holdsState ? [] : problemsOfState(state)), ...problemsOfLine(line, lines, layout)];
  const { document, warnings } = documentOf(lines, layout, today);
  const check = checkOf(problems, partsOf(lines, layout, document), state, document.documentNumber);
  return check.ready ? { check, reading: { kind: 'document', document, warnings } } : { check };
}

/** Only a to z have capitals here: others would become characters that were not typed (ß SS, ı I). */
function plain(text: string): string {
  return text.replace(/\s/g, '').replace(/[a-z]/g, (letter) => letter.toUpperCase());
}

/** The layout by the length of the line; while it is being typed, what the document type lets expect. */
function layoutOfLine(line: string, type: EntryRequest['documentType'], state: string): Layout {
  const isVisa = type === 'visa';
  if (line.length === 44) return layoutNamed(isVisa ? 'MRV-A' : 'TD3');
  const isCard = /^[ACI][A-Z<][A-Z]([A-Z]|<)/.test(line);
  if (line.length === 30 || (line.length !== 36 && type !== 'passport' && !isVisa && isCard))
    return layoutNamed('TD1');
  if (line.length !== 36 && type === 'passport') return layoutNamed('TD3');
  if (isVisa) return layoutNamed('MRV-B');
  return layoutNamed(state === 'FRA' && line.length === 36 && isFrenchLine(line) ? 'FRA-ID' : 'TD2');
}

/** The layout of a line that is there alone: without what stands in other lines, or covers them. */
function alone(layout: Layout): Layout {
  const { line } = layout.number;
  const isHere = (span: Span | undefined): boolean => span?.line === line;
  const { birth, birthDigit, sex, expiry, expiryDigit, nationality, composite, optional, ...rest } = layout;
  return {
    ...rest,
    names: [],
    optional: optional.filter(isHere),
    ...(birth !== undefined && birthDigit !== undefined && isHere(birth) ? { birth, birthDigit } : {}),
    ...(expiry !== undefined && expiryDigit !== undefined && isHere(expiry) ? { expiry, expiryDigit } : {}),
    ...(sex !== undefined && isHere(sex) ? { sex } : {}),
    ...(nationality !== undefined && isHere(nationality) ? { nationality } : {}),
    ...(composite !== undefined && [composite.digit, ...composite.covers].every(isHere) ? { composite } : {}),
  };
}

function checkOf(problems: readonly Problem[], parts: Part[], state: string, number: string): EntryCheck {
  const ready = problems.length === 0 && searchKey(state, number) !== undefined;
  return { ready, problems: [...problems], parts, stateListed: isListedState(state) };
}

function problemsOfState(state: string): Problem[] {
  const field = 'state';
  if (state === '') return [{ field, problem: 'missing' }];
  if (state.includes('_')) return [{ field, problem: 'not-read' }];
  if (!/^[A-Z]+$/.test(state)) return [{ field, problem: 'characters' }];
  return state.length > 3 ? [{ field, problem: 'length', found: state.length, wanted: [1, 2, 3] }] : [];
}

function problemsOfNumber(number: string): Problem[] {
  const field = 'number';
  if (!/[^<]/.test(number)) return [{ field, problem: 'missing' }];
  if (number.includes('_')) return [{ field, problem: 'not-read' }];
  if (!Array.from(number).every(isRead)) return [{ field, problem: 'characters' }];
  return number.length > longestNumber ? [{ field, problem: 'length', found: number.length }] : [];
}

function problemsOfDigit(digit: string): Problem[] {
  const field = 'digit';
  if (digit === '_') return [{ field, problem: 'not-read' }];
  if (digit.length > 1) return [{ field, problem: 'length', found: digit.length, wanted: [1] }];
  return /^\d?$/.test(digit) ? [] : [{ field, problem: 'characters' }];
}

function problemsOfLine(line: string, lines: readonly string[], layout: Layout): Problem[] {
  const field = 'line';
  if (line === '') return [{ field, problem: 'missing' }];
  const wanted = [30, 36, 44];
  const problems: Problem[] = [];
  if (!Array.from(line).every((character) => isRead(character) || character === '_')) {
    problems.push({ field, problem: 'characters' });
  }
  if (!wanted.includes(line.length)) problems.push({ field, problem: 'length', found: line.length, wanted });
  if (line.includes('_')) problems.push({ field, problem: 'not-read' });
  if (problems.length > 0) return problems;
  if (layout.number.line === 1 && !/^[A-UW-Z][A-Z<][A-Z]{1,3}<*$/.test(line.slice(0, 5))) {
    return [{ field, problem: 'characters' }];
  }
  // Another line: one with names, the old French card's under another state, a part of a longer one. Its number would
  // be a wrong one.
  const isOther = !hasItsDigits(line, shapesOf(layout)[layout.number.line - 1] ?? '');
  if (isOther || isMistakenFrenchCard(lines, layout) || isCutLongLine(lines, layout))
    return [{ field, problem: 'characters' }];
  return /[^<]/.test(cut(lines, layout.number)) ? [] : [{ field: 'number', problem: 'missing' }];
}

/** What the line says; a check digit holds or not only where all that it covers was typed. */
function partsOf(lines: readonly string[], layout: Layout, document: TravelDocument): Part[] {
  const { checks } = document;
  const parts: Part[] = [];
  const add = (part: Part['part'], value: string, covered: readonly (Span | undefined)[]): void => {
    const text = covered.map((span) => (span === undefined ? '' : cut(lines, span))).join('');
    parts.push({ part, value, holds: text.includes('_') ? null : (checks[part] ?? null) });
  };
  const { number, numberDigit, birth, birthDigit, expiry, expiryDigit, composite } = layout;
  const goesOn = cut(lines, numberDigit) === '<' ? layout.continuation : undefined;
  add('number', document.documentNumber, [number, numberDigit, goesOn]);
  if (birth !== undefined) add('birth', cut(lines, birth), [birth, birthDigit]);
  if (expiry !== undefined) add('expiry', cut(lines, expiry), [expiry, expiryDigit]);
  const [optional] = layout.optional;
  if (optional !== undefined) add('optional', document.optional[0] ?? '', [optional, layout.optionalDigit]);
  if (composite !== undefined)
    add('composite', cut(lines, composite.digit), [...composite.covers, composite.digit]);
  return parts;
}
