import { ok, type Result } from '#contracts/result.ts';
import type { Children } from '#runtime/child.ts';
import { step, wg } from '../tools/tools.ts';

/** What passed one peer since the interface was made, bytes of encrypted packets. */
export interface Transfer {
  readonly rxBytes: number;
  readonly txBytes: number;
}

/** What `wg show NAME transfer` prints: a line for each peer with public key, received and sent bytes. */
export function parseTransfer(text: string): ReadonlyMap<string, Transfer> {
  const found = new Map<string, Transfer>();
  for (const line of text.split('\n')) {
    const match = /^(\S+)\t(\d{1,15})\t(\d{1,15})$/.exec(line);
    if (match !== null) found.set(match[1] ?? '', { rxBytes: Number(match[2]), txBytes: Number(match[3]) });
  }
  return found;
}

/**
 * What `wg show NAME latest-handshakes` prints: a line for each peer with public key and seconds since 1970, or 0
 * where there was none. The wall clock may be wrong: only compare it. (`wg show NAME dump` would say more, and print
 * the private key as well.)
 */
export function parseHandshakes(text: string): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const line of text.split('\n')) {
    const match = /^(\S+)\t(\d{1,15})$/.exec(line);
    if (match !== null) found.set(match[1] ?? '', Number(match[2]));
  }
  return found;
}

/** By public key. Faults: TUNNEL_FAILED, TOOL_MISSING. */
export function readTransfer(
  name: string,
  children: Children,
): Promise<Result<ReadonlyMap<string, Transfer>>> {
  return show(name, 'transfer', parseTransfer, children);
}

/** By public key. Faults: TUNNEL_FAILED, TOOL_MISSING. */
export function readHandshakes(
  name: string,
  children: Children,
): Promise<Result<ReadonlyMap<string, number>>> {
  return show(name, 'latest-handshakes', parseHandshakes, children);
}

async function show<T>(
  name: string,
  what: string,
  parse: (text: string) => T,
  children: Children,
): Promise<Result<T>> {
  const shown = await step(children, 'TUNNEL_FAILED', `looking at ${name}`, wg, ['show', name, what]);
  return shown.ok ? ok(parse(shown.value)) : shown;
}
