import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { NamedSecret } from './keyed.ts';

/**
 * The chain of the tamper-evident record. Each entry's hash covers the one before it and the exact bytes of the entry;
 * its seal is made with a key of the terminal, so that nobody without that key can add or rewrite entries. Cutting off
 * the end is found by the head, which is kept beside the chain and sent to the centre.
 */
export interface ChainLink {
  readonly seq: number;
  readonly body: string;
  readonly hash: Buffer;
  readonly seal: Buffer;
}

/** The last entry's number and hash; `seq` 0 and 32 zero bytes before the first entry. */
export interface ChainHead {
  readonly seq: number;
  readonly hash: Buffer;
}

export const genesis: ChainHead = { seq: 0, hash: Buffer.alloc(32) };

const domain = Buffer.from('checkpost audit 1\n');

/** The link that follows `head` with this body. */
export function nextLink(head: ChainHead, body: string, secret: NamedSecret): ChainLink {
  const hash = createHash('sha256').update(domain).update(head.hash).update(body).digest();
  return { seq: head.seq + 1, body, hash, seal: sealOf(hash, secret) };
}

/** The head as one line for keeping beside the chain: number, hash, and a seal over both. */
export function writeHead(head: ChainHead, secret: NamedSecret): string {
  const plain = `${head.seq}:${head.hash.toString('hex')}`;
  return `${plain}:${sealOf(Buffer.from(`head ${plain}`), secret).toString('hex')}`;
}

function sealOf(bytes: Buffer, secret: NamedSecret): Buffer {
  return createHmac('sha256', secret.key).update(bytes).digest();
}

/**
 * Walks a chain from its beginning. Finds any altered, removed, added or reordered entry, and says at which number.
 *
 * @param head what `writeHead` kept, as it was read; its absence is a break as well unless the chain is empty.
 * @param anchors heads known from elsewhere (the centre): the chain must hold each of them.
 */
export function verifyChain(
  links: Iterable<ChainLink>,
  head: string | undefined,
  secret: NamedSecret,
  anchors: readonly { readonly seq: number; readonly hash: string }[] = [],
): Result<ChainHead> {
  const wanted = new Map(anchors.map((anchor) => [anchor.seq, anchor.hash]));
  let at = genesis;
  for (const link of links) {
    const expected = nextLink(at, link.body, secret);
    if (link.seq !== expected.seq)
      return broken(expected.seq, `entry ${link.seq} stands where ${expected.seq} belongs`);
    if (!same(link.hash, expected.hash))
      return broken(link.seq, 'its hash does not follow from its content and the entry before');
    if (!same(link.seal, expected.seal)) return broken(link.seq, 'its seal was not made by this terminal');
    if (entryNumber(link.body) !== link.seq) return broken(link.seq, 'its content carries another number');
    const anchor = wanted.get(link.seq);
    if (anchor !== undefined && anchor !== link.hash.toString('hex'))
      return broken(link.seq, 'the centre knows it with another hash');
    wanted.delete(link.seq);
    at = { seq: link.seq, hash: link.hash };
  }
  const missing = [...wanted.keys()].sort((a, b) => a - b)[0];
  if (missing !== undefined) return broken(missing, 'the centre knows this entry, but it is not here');
  if (at.seq === 0 && head === undefined) return ok(at);
  if (head !== writeHead(at, secret))
    return broken(at.seq + 1, `the chain ends after entry ${at.seq}, but its kept head says otherwise`);
  return ok(at);
}

function entryNumber(body: string): unknown {
  try {
    return (JSON.parse(body) as { seq?: unknown }).seq;
  } catch {
    return undefined;
  }
}

function same(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

function broken(seq: number, why: string) {
  return fail('AUDIT_BROKEN', `At entry ${seq}: ${why}.`);
}
