export { checkUplink } from './check.ts';
export { type KeyFile, openKey } from './key.ts';
export { startUplink, type Uplink } from './main.ts';
export { type Part, parts, type UplinkParts } from './part.ts';
