export { createOutbox, type OutboxParts } from './outbox.ts';
export type { OutboxPort as Outbox, OwedBatch, OwedStamp } from './ports.ts';
