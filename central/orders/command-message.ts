import { type CommandOrder, commandType, type TerminalCommand } from '#contracts/command.ts';
import { topic } from '#contracts/topics.ts';
import { signEnvelope } from '#formats/envelope.ts';
import type { CommandRecord } from './command-record.ts';
import type { PublishOptions, Signer } from './ports.ts';

/**
 * The message of a command. A terminal never carries out one id twice, so that the order may be signed again for a later
 * session than the one that it was ordered in.
 */
export function commandMessage(
  record: CommandRecord,
  command: TerminalCommand,
  session: number,
  expirySeconds: number,
  signer: Signer,
): { readonly topic: string; readonly payload: string; readonly options: PublishOptions } {
  const { id, terminal, at, by_whom: by } = record;
  const order: CommandOrder = { v: 1, id, terminal, session, at, by, command };
  return {
    topic: topic(terminal, 'command'),
    payload: JSON.stringify(signEnvelope(commandType, Buffer.from(JSON.stringify(order)), signer)),
    options: {
      retain: false,
      expirySeconds,
      responseTopic: topic(terminal, 'command/result'),
      correlation: Buffer.from(id.replaceAll('-', ''), 'hex'),
    },
  };
}
