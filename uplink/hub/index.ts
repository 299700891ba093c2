export { type Hub, type HubParts, startHub } from './hub.ts';
export { type ListedTerminal, listTerminals, resetTerminal } from './once.ts';
export { type KnownTerminals, readTerminals } from './terminals.ts';
