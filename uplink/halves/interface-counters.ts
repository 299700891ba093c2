import { readFileSync } from 'node:fs';
import type { Counters } from './orders.ts';

/**
 * What passed each interface of this process's network namespace, from /proc/net/dev (proc(5)): one small read for
 * all. Not from /sys, which shows the namespace of whoever mounted it.
 */
export function readInterfaceCounters(file = '/proc/self/net/dev'): ReadonlyMap<string, Counters> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return new Map();
  }
  return parseInterfaceCounters(text);
}

export function parseInterfaceCounters(text: string): ReadonlyMap<string, Counters> {
  const found = new Map<string, Counters>();
  for (const line of text.split('\n')) {
    const match = /^\s*([^\s:]+):\s*([\d\s]+)$/.exec(line);
    if (match === null) continue;
    const [, name = '', figures = ''] = match;
    // Received: bytes packets errs drop fifo frame compressed multicast; sent: bytes packets …
    const numbers = figures.trim().split(/\s+/).map(Number);
    if (numbers.length < 16) continue;
    found.set(name, {
      interface: name,
      rxBytes: numbers[0] ?? 0,
      rxPackets: numbers[1] ?? 0,
      txBytes: numbers[8] ?? 0,
      txPackets: numbers[9] ?? 0,
    });
  }
  return found;
}
