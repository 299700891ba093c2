export { ConfigurationKeeper, type KeeperParts } from './keeper.ts';
export { openConfiguration, type VersionedNetwork } from './payload.ts';
export { ConfigurationStore } from './store.ts';
