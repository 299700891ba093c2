export { startFleet } from './fleet.ts';
export type { CommandAbout, Fleet, FleetParts, FleetState } from './ports.ts';
export { SessionNumbers } from './session-numbers.ts';
