export { type Answer, askName } from './ask.ts';
export type { Heard } from './candidates.ts';
export { type Endpoint, endpointText, splitEndpoint } from './endpoint.ts';
export { type KeptAddress, readKept, writeKept } from './kept.ts';
export { type AskingLine, HubResolver, type LineDns, type ResolverParts } from './resolve.ts';
