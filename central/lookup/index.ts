export type { EditionsHandler } from './service.ts';
export { type LookupCounts, type LookupService, startLookupService } from './start.ts';
