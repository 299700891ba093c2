export { checkUplink } from './check.ts';
export {
  bootFile,
  closedList,
  type ClosedListEntry,
  type ClosedListFacts,
  type Endpoint,
  factsOf,
  type Target,
  type TimedMode,
} from './firewall/index.ts';
export {
  type Hub,
  type HubParts,
  type ListedTerminal,
  listTerminals,
  readTerminals,
  resetTerminal,
  startHub,
} from './hub/index.ts';
export { startInner } from './inner/inner.ts';
export { type KeyFile, openKey } from './keys/key-file.ts';
export { publicKeys } from './keys/public-keys.ts';
export { startOuter } from './outer/outer.ts';
export { type Part, parts, type Running, type UplinkParts } from './part.ts';
export { raiseClock, type Raised } from './time/index.ts';
export { agedStatus, describeUplink } from './words/index.ts';
