export { fullProbeCost, smallProbeCost } from './budget.ts';
export { smallestEcho } from './echo-packet.ts';
