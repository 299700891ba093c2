export { type EditionKeys, openEdition } from './open.ts';
export { type EditionWatch, watchEdition, type WatchParts } from './watch.ts';
