import type { Reading, TravelDocument } from '#contracts/documents.ts';
import { type DocumentType, documentTypeOf, type SearchKey, searchKey } from '#contracts/search-key.ts';
import type { CalendarDay } from './dates.ts';
import { documentOf } from './document.ts';
import { cut, type Layout, type Span } from './layouts.ts';
import { withoutTail } from './number.ts';
import { frameOf } from './read.ts';

/** A field as it was read, and what it means: null where it means nothing. */
export interface Field {
  readonly raw: string;
  readonly value: string | TravelDocument['names'] | null;
}

/** All that a frame says of a document, for people and programs that look into it; readDocument is what searches. */
export type Description =
  | {
      readonly verdict: 'read';
      readonly format: TravelDocument['format'];
      readonly documentType: DocumentType;
      /** Canonical; null where the document cannot be searched. */
      readonly searchKey: SearchKey | null;
      readonly fields: Readonly<Record<string, Field>>;
      readonly checks: TravelDocument['checks'];
      readonly warnings: readonly string[];
      readonly repairs: TravelDocument['repairs'];
      readonly variants: readonly { readonly number: string; readonly searchKey: SearchKey | null }[];
      readonly doubtful: readonly number[];
    }
  | ({ readonly verdict: 'unreadable' } & Omit<Extract<Reading, { kind: 'unreadable' }>, 'kind'>);

/**
 * Describes the bytes of one frame field by field.
 *
 * @param today decides centuries and what has expired
 */
export function describeDocument(bytes: Uint8Array, today: CalendarDay): Description {
  const frame = frameOf(bytes);
  if ('reason' in frame) return { verdict: 'unreadable', ...frame };
  const { lines, layout } = frame;
  const { document, warnings } = documentOf(lines, layout, today);
  const { format, documentCode, issuingState, documentNumber, checks, repairs, variants, doubtful } =
    document;
  const keyOf = (number: string): SearchKey | null => searchKey(issuingState, number) ?? null;
  return {
    verdict: 'read',
    format,
    documentType: documentTypeOf(documentCode),
    searchKey: keyOf(documentNumber),
    fields: fieldsOf(lines, layout, document),
    checks,
    warnings,
    repairs,
    variants: variants.map((number) => ({ number, searchKey: keyOf(number) })),
    doubtful,
  };
}

/** Every field of the layout in the order of the zone's specification, except those that the layout lacks. */
function fieldsOf(
  lines: readonly string[],
  layout: Layout,
  document: TravelDocument,
): Readonly<Record<string, Field>> {
  const fields: Record<string, Field> = {};
  const put = (name: string, span: Span | undefined, value: Field['value']): void => {
    if (span !== undefined) fields[name] = { raw: cut(lines, span), value };
  };
  // A check digit means what it is after repair; a filler in its place means that there is none.
  const putDigit = (name: string, span: Span | undefined): void => {
    if (span === undefined) return;
    const repair = document.repairs.find(({ line, column }) => line === span.line && column === span.from);
    const digit = repair?.to ?? cut(lines, span);
    put(name, span, /^\d$/.test(digit) ? digit : null);
  };
  const [names, givenNames] = layout.names;
  put('documentCode', layout.code, document.documentCode);
  put('issuingState', layout.state, document.issuingState);
  put('names', names, givenNames === undefined ? document.names : document.names.primary);
  put('givenNames', givenNames, document.names.secondary);
  put('documentNumber', layout.number, document.documentNumber);
  putDigit('documentNumberDigit', layout.numberDigit);
  put('nationality', layout.nationality, withoutTail(document.nationality));
  put('birth', layout.birth, document.birth.iso ?? null);
  putDigit('birthDigit', layout.birthDigit);
  put('sex', layout.sex, document.sex);
  put('expiry', layout.expiry, document.expiry.iso ?? null);
  putDigit('expiryDigit', layout.expiryDigit);
  put('optional', layout.optional[0], document.optional[0] ?? '');
  putDigit('optionalDigit', layout.optionalDigit);
  put('optional2', layout.optional[1], document.optional[1] ?? '');
  putDigit('compositeDigit', layout.composite?.digit);
  return fields;
}
