/** Frame text to travel document: MRZ formats, check digits, look-alikes, dates. */
export { readDocument } from './read.ts';
export type { CalendarDay } from './dates.ts';
