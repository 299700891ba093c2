export { changedSections } from './changes.ts';
export { createHealth, type Health, type HealthParts } from './health.ts';
export type { UplinkFacts } from './uplink.ts';
