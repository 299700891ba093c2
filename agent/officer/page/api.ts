import type { EntryCheck, EntryRequest } from '#contracts/entry.ts';
import type { HitOutcome } from '#contracts/outbox.ts';

/** Records the outcome of a hit; the answer is what to tell the officer where it did not work. */
export function acknowledge(lookup: string, outcome: HitOutcome): Promise<string | undefined> {
  return post(`/api/lookups/${lookup}/acknowledge`, { outcome }, 'The outcome was not recorded');
}

/** Searches for what was typed; the answer is what to tell the officer where it did not work. */
export function enter(entry: EntryRequest): Promise<string | undefined> {
  return post('/api/entries', entry, 'Nothing was searched');
}

/** Tells a reader to read; the answer is what to tell the officer where it did not work. */
export function trigger(reader: string): Promise<string | undefined> {
  return post(`/api/readers/${reader}/trigger`, {}, `The reader ${reader} was not told to read`);
}

/** How what is being typed stands; undefined where the terminal does not say. */
export async function checkEntry(entry: EntryRequest, signal?: AbortSignal): Promise<EntryCheck | undefined> {
  try {
    const response = await fetch('/api/entries/check', {
      ...asJson(entry),
      ...(signal !== undefined && { signal }),
    });
    return response.ok ? ((await response.json()) as EntryCheck) : undefined;
  } catch {
    return undefined;
  }
}

async function post(path: string, body: unknown, failed: string): Promise<string | undefined> {
  try {
    const response = await fetch(path, asJson(body));
    if (response.ok) return undefined;
    const { what, remedy } = (await response.json()) as { what: string; remedy: string };
    return `${failed}. ${what} ${remedy}`;
  } catch {
    return `${failed}: this page does not reach the terminal. Try again.`;
  }
}

function asJson(body: unknown): RequestInit {
  const headers = { 'content-type': 'application/json' };
  return { method: 'POST', headers, body: JSON.stringify(body) };
}
