export { type LookupCounts, type LookupService, startLookupService } from './start.ts';
