export { type Audit, type AuditSource, type AuditStamp, createAudit, headKey, verifyAudit } from './audit.ts';
