export { diagnose, type Diagnosis } from './diagnose.ts';
export { type DnsFact, type LineFacts, type PortalFact, usableAddresses } from './facts.ts';
export { type Neighbour, type NeighbourState, neighbourState, parseNeighbours } from './neighbours.ts';
export { overall, startingFor } from './overall.ts';
export { checkPortal, type Lookup, type OpenWindow, type PortalPage } from './portal-check.ts';
export { PortalSchedule } from './portal-schedule.ts';
