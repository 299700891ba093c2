import type { TerminalId } from './names.ts';

/** Topics are built and parsed here and nowhere else. */
const prefix = 'checkpost/1';

/** Topics that a terminal writes, and those that it reads; the broker's access rules are made from these two lists. */
export const terminalWrites = ['status', 'health', 'outbox', 'reported', 'command/result'] as const;
export const terminalReads = ['outbox/ack', 'desired', 'command'] as const;

export type Channel = (typeof terminalWrites)[number] | (typeof terminalReads)[number];

const channels: ReadonlySet<string> = new Set<string>([...terminalWrites, ...terminalReads]);

export function topic(terminal: TerminalId, channel: Channel): string {
  return `${prefix}/${terminal}/${channel}`;
}

/** What the controller subscribes to: one channel of all terminals. */
export function everyTerminal(channel: Channel): string {
  return `${prefix}/+/${channel}`;
}

/** The terminal and channel of a topic, or `undefined` where it is not one of ours. */
export function parseTopic(name: string): { terminal: TerminalId; channel: Channel } | undefined {
  const match = /^checkpost\/1\/([A-Za-z0-9][A-Za-z0-9-]{0,62})\/(.+)$/.exec(name);
  const terminal = match?.[1];
  const channel = match?.[2];
  if (terminal === undefined || channel === undefined || !channels.has(channel)) return undefined;
  return { terminal, channel: channel as Channel };
}
