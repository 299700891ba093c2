import type { HitOutcome } from '#contracts/outbox.ts';

/** Records the outcome of a hit; the answer is what to tell the officer where it did not work. */
export async function acknowledge(lookup: string, outcome: HitOutcome): Promise<string | undefined> {
  try {
    const response = await fetch(`/api/lookups/${lookup}/acknowledge`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ outcome }),
    });
    if (response.ok) return undefined;
    const { what, remedy } = (await response.json()) as { what: string; remedy: string };
    return `The outcome was not recorded. ${what} ${remedy}`;
  } catch {
    return 'The outcome was not recorded: this page does not reach the terminal. Try again.';
  }
}
