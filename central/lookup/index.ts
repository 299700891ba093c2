export { type BundleStore, openBundleStore } from './bundle-store.ts';
export type { EditionsHandler } from './service.ts';
export { type LookupCounts, type LookupService, startLookupService } from './start.ts';
