export { agedStatus, describeUplink } from './words.ts';
