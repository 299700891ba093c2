export { CollectionStore, type Found } from './collection.ts';
export { openRegistry, type RegistryWatch } from './registry.ts';
