import { ok, type Result } from '#contracts/result.ts';
import type { Reach } from '../reach.ts';

const usual = 100;

/** What a list is asked for, with the bureau that it is held to. */
export function pageOf<Q extends { limit?: number }>(
  query: Q,
  { bureau }: Reach,
): Omit<Q, 'limit'> & { limit: number; bureau?: string } {
  return { ...query, limit: query.limit ?? usual, ...(bureau !== null && { bureau }) };
}

/** A list of a source as one that is sent. */
export function listOf<T>(found: Result<readonly T[]>): Result<T[]> {
  return found.ok ? ok([...found.value]) : found;
}
