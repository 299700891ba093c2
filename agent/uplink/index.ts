export { type UplinkView, type UplinkWatch, type UplinkWatchParts, watchHelper } from './uplink.ts';
