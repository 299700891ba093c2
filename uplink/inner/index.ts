export { startInner } from './inner.ts';
