export { type KeyFile, openKey } from './key-file.ts';
export { publicKeys } from './public-keys.ts';
