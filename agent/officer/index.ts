export { type Desk, type OfficerServerParts, startOfficerServer } from './server.ts';
