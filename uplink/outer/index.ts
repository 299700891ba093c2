export { startOuter } from './outer.ts';
