import type { TravelDocument } from '#contracts/documents.ts';
import { type LookupRequest, maxNumbers } from '#contracts/lookup.ts';
import {
  canonicalNumber,
  canonicalState,
  documentTypeOf,
  type SearchKey,
  searchKey,
} from '#contracts/search-key.ts';

/** What is asked of one document: the number as read, and those that the reader may have confused with it. */
export type Question = Pick<LookupRequest, 'issuingState' | 'numbers' | 'documentType' | 'training'>;

/** The question of a document, or undefined where it has nothing that could be searched for. */
export function questionOf(document: TravelDocument, training: boolean): Question | undefined {
  if (searchKey(document.issuingState, document.documentNumber) === undefined) return undefined;
  const numbers = [document.documentNumber, ...document.variants]
    .filter((number) => searchKey(document.issuingState, number) !== undefined)
    .map(canonicalNumber);
  return {
    issuingState: canonicalState(document.issuingState),
    numbers: [...new Set(numbers)].slice(0, maxNumbers),
    documentType: documentTypeOf(document.documentCode),
    training,
  };
}

/** The key of the number as read: what the record's digest is made of. */
export function mainKey(question: Question): SearchKey {
  return keyOf(question, question.numbers[0] ?? '');
}

export function keyOf(question: Question, number: string): SearchKey {
  const key = searchKey(question.issuingState, number);
  // questionOf let only searchable numbers in.
  if (key === undefined) throw new TypeError('a question holds searchable numbers only');
  return key;
}
