export { bootFile } from './boot-file.ts';
export { closedList, marksOf } from './closed-list.ts';
export type { ClosedListEntry, Marks, Match, Permit, Where } from './entry.ts';
export {
  type ClosedListFacts,
  type Endpoint,
  factsOf,
  type Target,
  type TimedMode,
  timedModes,
} from './facts.ts';
export { createFirewall, type Firewall, type FirewallState } from './firewall.ts';
