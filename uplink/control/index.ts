export type { Envelope, Handlers, Preference } from './handlers.ts';
export { callerOf, type Caller, type KnownUsers, mayAsk, rights } from './rights.ts';
export { type Control, type ControlParts, openControl } from './server.ts';
export { userNumber } from './users.ts';
