export { brokerTakes, lookupsTaken } from './old-ways.ts';
export { type Attached, Configuration, type ConfigurationParts, type Surroundings } from './configuration.ts';
export { ConfigurationFiles } from './files.ts';
export { pathsIn } from './merge.ts';
export type { ConfigurationEvent } from './standing.ts';
