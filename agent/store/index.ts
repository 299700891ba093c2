export { openStore, type SqlValue, type Store } from './store.ts';
