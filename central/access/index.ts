export { Access, type AccessParts, type Caller, type Credentials } from './access.ts';
export { audit, type AuditEntry, createAudit, verifyAudit } from './audit.ts';
export { askDesk, askRunning, type DeskAnswer, type DeskRequest, serveDesk } from './desk.ts';
export { afterRestore } from './restored.ts';
export { atLeast, within } from './roles.ts';
export { accessSchema } from './schema.ts';
