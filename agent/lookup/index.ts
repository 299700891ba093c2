export { CentralClient, type TlsIdentity } from './central-client.ts';
export { Enquiries, type EnquiryParts, type Stage } from './enquiries.ts';
export { stampOf } from './happenings.ts';
export { KeptLookups } from './kept.ts';
export type { AuditStamp, CentralPort, EditionPort, Happening, LinkState, RecordPort } from './ports.ts';
