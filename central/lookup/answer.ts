import { LookupRequest, type LookupResponse, maxCandidates } from '#contracts/lookup.ts';
import { ok, type Result } from '#contracts/result.ts';
import { type SearchKey, searchKey } from '#contracts/search-key.ts';
import { parseJson } from '#runtime/parse.ts';
import type { CollectionStore } from '../store/index.ts';

/**
 * Answers one lookup: every record under the state and any of the numbers, those of the number as read first. Whether
 * one is a hit or possible (a look-alike, another document type) follows from number and type, and the terminal's policy
 * says so. Faults: REQUEST_INVALID, STORE_FAILED.
 */
export function answerLookup(
  body: string,
  store: Pick<CollectionStore, 'find'>,
  time: () => string,
): Result<LookupResponse> {
  const request = parseJson(LookupRequest, body, 'REQUEST_INVALID');
  if (!request.ok) return request;
  const { lookup, issuingState, numbers } = request.value;
  const keys = new Map<SearchKey, string>();
  for (const number of numbers) {
    const key = searchKey(issuingState, number);
    if (key !== undefined && !keys.has(key)) keys.set(key, number);
  }
  const found = store.find([...keys.keys()]);
  if (!found.ok) return found;
  const { source, records } = found.value;
  const candidates = records
    .slice(0, maxCandidates)
    .map(({ key, record }) => ({ number: keys.get(key) ?? '', record }));
  return ok({ lookup, source, time: time(), candidates });
}
