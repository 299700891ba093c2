import { Check } from 'typebox/value';
import { DocumentTypeName } from '#contracts/documents.ts';
import { BureauCode } from '#contracts/names.ts';
import {
  canonicalNumber,
  canonicalState,
  type DocumentType,
  type SearchKey,
  searchKey,
} from '#contracts/search-key.ts';
import { KindOfLoss } from '#contracts/verdict.ts';
import { reportDays } from '#formats/edition/index.ts';

/** One record of the collection as the publisher and the centre keep it. */
export interface CollectionRecord {
  /** The publisher's id of the record, unique in the collection. */
  readonly record: string;
  readonly key: SearchKey;
  /** Canonical. */
  readonly number: string;
  readonly documentType: DocumentType;
  readonly kindOfLoss: KindOfLoss;
  readonly reportedOn: string;
  readonly reportedBy: string;
  readonly lostOn?: string;
  readonly reference?: string;
  readonly remark?: string;
}

export const requiredColumns = [
  'record',
  'issuing_state',
  'document_number',
  'document_type',
  'kind_of_loss',
  'reported_on',
  'reported_by',
] as const;
export const optionalColumns = ['lost_on', 'reference', 'remark'] as const;
export type Column = (typeof requiredColumns)[number] | (typeof optionalColumns)[number];

/** What is wrong with one field: its column, and what is allowed there; never what was found, which is personal data. */
export interface FieldProblem {
  readonly column: Column;
  readonly allowed: string;
}

export type Values = Readonly<Partial<Record<Column, string>>>;

/** The record of a row's values, or all that is wrong with them. */
export function toRecord(values: Values): CollectionRecord | readonly FieldProblem[] {
  const problems: FieldProblem[] = [];
  const need = (column: Column, holds: boolean, allowed: string): void => {
    if (!holds) problems.push({ column, allowed });
  };
  const text = (column: Column): string => values[column]?.trim() ?? '';
  const record = text('record');
  const documentType = text('document_type').toLowerCase();
  const kindOfLoss = text('kind_of_loss').toLowerCase();
  const reportedOn = text('reported_on');
  const reportedBy = bureauOf(text('reported_by'));
  const lostOn = text('lost_on');
  const reference = text('reference');
  const remark = text('remark');
  const key = searchKey(text('issuing_state'), text('document_number'));

  need('record', record.length >= 1 && isPlain(record, 64), '1 to 64 characters');
  need('issuing_state', stateOf(text('issuing_state')) !== undefined, 'a state code of 1 to 3 letters');
  need(
    'document_number',
    searchKey('X', text('document_number')) !== undefined,
    '1 to 27 letters A to Z and digits; blanks, hyphens, dots, slashes and < do not count',
  );
  need('document_type', Check(DocumentTypeName, documentType), wordsOf(DocumentTypeName));
  need('kind_of_loss', Check(KindOfLoss, kindOfLoss), wordsOf(KindOfLoss));
  need('reported_on', isDay(reportedOn), dayWords);
  need('reported_by', reportedBy !== undefined, 'a bureau’s code of 3 letters');
  need('lost_on', lostOn === '' || isDay(lostOn), `nothing, or ${dayWords}`);
  need('reference', isPlain(reference, 64), 'nothing, or at most 64 characters');
  need('remark', remark.length <= 500, 'nothing, or at most 500 characters');
  if (problems.length > 0 || key === undefined || reportedBy === undefined) return problems;
  return {
    record,
    key,
    number: canonicalNumber(text('document_number')),
    documentType: documentType as DocumentType,
    kindOfLoss: kindOfLoss as KindOfLoss,
    reportedOn,
    reportedBy,
    ...(lostOn !== '' && { lostOn }),
    ...(reference !== '' && { reference }),
    ...(remark !== '' && { remark }),
  };
}

/** The state that keys are filed under; undefined where it is none. */
export function stateOf(text: string): string | undefined {
  return searchKey(text, 'X') === undefined ? undefined : canonicalState(text);
}

/** The code of a bureau in capitals; undefined where it is none. */
export function bureauOf(text: string): string | undefined {
  const code = text.toUpperCase();
  return Check(BureauCode, code) ? code : undefined;
}

const dayWords = `a day that exists, from ${reportDays.first} to ${reportDays.last}, written YYYY-MM-DD`;

export function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  if (text < reportDays.first || text > reportDays.last) return false;
  const day = new Date(`${text}T00:00:00Z`);
  // 2026-02-30 is parsed as the second of March.
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}

function isPlain(text: string, longest: number): boolean {
  return text.length <= longest && !/\p{Cc}/u.test(text);
}

function wordsOf(union: { readonly anyOf: readonly { readonly const: string }[] }): string {
  return `one of ${union.anyOf.map((one) => one.const).join(', ')}`;
}
