export {
  type Controller,
  type ControllerFacts,
  type ControllerParts,
  startController,
} from './controller.ts';
export type { HitQuery, Hits } from './fleet/hits.ts';
export type { TerminalTroubles } from './fleet/troubles.ts';
export type { FleetListener, FleetView } from './fleet/view.ts';
export type { History } from './history/history.ts';
export {
  addEvent,
  type EventQuery,
  type NewEvent,
  type OwnedEvent,
  type Timeline,
} from './history/timeline.ts';
export type { Counts, Refused } from './ingest/counts.ts';
export type { Consumer, From } from './ingest/consumer.ts';
export type { LeaderTask } from './leader.ts';
export type { ControllerLink } from './link/session.ts';
export { controllerSchema } from './schema.ts';
