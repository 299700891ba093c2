export { type Fleet, type FleetParts, type FleetState, startFleet } from './fleet.ts';
export { SessionNumbers } from './session-numbers.ts';
