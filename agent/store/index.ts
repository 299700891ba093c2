export { Reserve } from './reserve.ts';
export { type OpenedStore, openStoreOrSetAside } from './set-aside.ts';
export { openStore, type SqlValue, type Store, type StoreOptions } from './store.ts';
