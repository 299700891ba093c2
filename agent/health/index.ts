export { changedSections, type SinceSent } from './changes.ts';
export { Counts } from './counts.ts';
export { createHealth, type Health, type HealthParts, type RunningHealth } from './health.ts';
export type { UplinkFacts } from './uplink.ts';
