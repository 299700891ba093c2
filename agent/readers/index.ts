export type { Frame } from './frame.ts';
export { openReader, type Reader, type ReaderListener, type ReaderParts } from './reader.ts';
