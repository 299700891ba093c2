/** Frame text to travel document: MRZ formats, check digits, look-alikes, repair, dates; and what an officer types. */
export { readDocument } from './read.ts';
export { type Description, describeDocument } from './describe.ts';
export { type Entry, readEntry } from './entry.ts';
export type { CalendarDay } from './dates.ts';
