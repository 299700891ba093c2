import type { AuditEntry, AuditEvent } from '#contracts/audit.ts';
import type { Result } from '#contracts/result.ts';
import {
  type ChainHead,
  type ChainLink,
  genesis,
  nextLink,
  verifyChain,
  writeHead,
} from '#formats/audit-chain.ts';
import type { NamedSecret } from '#formats/keyed.ts';
import type { Store } from '../store/index.ts';

/** When something happened, as this terminal knows it. */
export type AuditStamp = Pick<AuditEntry, 'at' | 'clock' | 'boot' | 'monotonic'>;

/** The tamper-evident record of this terminal, in its store. */
export interface Audit {
  /** Appends an entry. Called inside a transaction that its caller commits; it never commits by itself. */
  append(event: AuditEvent, stamp: AuditStamp): ChainHead;
  head(): ChainHead;
}

/** Where the head is kept in the store's `meta`. */
export const headKey = 'audit.head';

export function createAudit(store: Store, secret: NamedSecret): Audit {
  // The head is read from the store each time: kept in memory, it would be wrong after a transaction was rolled back.
  const head = (): ChainHead =>
    store.get<ChainHead>('SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1') ?? genesis;
  return {
    head,
    append(event, stamp) {
      const before = head();
      const body = JSON.stringify({ seq: before.seq + 1, ...stamp, ...event });
      const link = nextLink(before, body, secret);
      store.run('INSERT INTO audit VALUES (?, ?, ?, ?)', link.seq, link.body, link.hash, link.seal);
      store.setMeta(headKey, writeHead(link, secret));
      return { seq: link.seq, hash: link.hash };
    },
  };
}

/** What `verifyAudit` reads; a store, or any reader of the same tables. */
export interface AuditSource {
  links(): Iterable<ChainLink>;
  head(): string | undefined;
}

export function verifyAudit(
  source: AuditSource,
  secret: NamedSecret,
  anchors?: readonly { readonly seq: number; readonly hash: string }[],
): Result<ChainHead> {
  return verifyChain(source.links(), source.head(), secret, anchors);
}
