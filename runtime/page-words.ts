import type { Age } from '#contracts/verdict.ts';

/** How both pages say times, ages and numbers. Runs in the browser: no node: module. */

/** An age in the largest unit that still says enough: `40 s`, `12 min`, `3 h`, `5 days`. Whole units, rounded down. */
export function ageWords(seconds: number): string {
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 72 * 3600) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} days`;
}

/** An age that says when it is only a lower bound. */
export function boundWords({ seconds, bound }: Age): string {
  return bound === 'exact' ? `${ageWords(seconds)} old` : `at least ${ageWords(seconds)} old`;
}

/** `25 November`, with the year where it is not this one. */
export function dayWords(instant: string, now: Date): string {
  const day = new Date(instant);
  const year = day.getFullYear() === now.getFullYear() ? {} : ({ year: 'numeric' } as const);
  return day.toLocaleDateString('en-GB', { day: 'numeric', month: 'long', ...year });
}

/** `15 April 2030`, of an ISO 8601 day. */
export function dateWords(day: string): string {
  return new Date(`${day}T00:00:00Z`).toLocaleDateString('en-GB', {
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    timeZone: 'UTC',
  });
}

/** `08:15`, or `08:15:30` with seconds, in the time zone of the machine that shows it. */
export function timeWords(instant: string, seconds = false): string {
  return new Date(instant).toLocaleTimeString('en-GB', {
    hour: '2-digit',
    minute: '2-digit',
    ...(seconds && { second: '2-digit' }),
  });
}

/** Whether both fall on one day, in the time zone of the machine that shows it. */
export function sameDay(instant: string, now: Date): boolean {
  return new Date(instant).toDateString() === now.toDateString();
}

/** All but the last three characters hidden; a number of three or fewer is hidden whole. */
export function maskNumber(number: string): string {
  const shown = number.length > 3 ? number.slice(-3) : '';
  return '•'.repeat(number.length - shown.length) + shown;
}

/** What an officer says on the telephone for a lookup: the last eight digits of its id, which are random. */
export function referenceWords(lookup: string): string {
  const tail = lookup.slice(-8).toUpperCase();
  return `${tail.slice(0, 4)}-${tail.slice(4)}`;
}
