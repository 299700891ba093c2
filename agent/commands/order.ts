import { CommandHeading, CommandOrder, commandBytes, commandType } from '#contracts/command.ts';
import type { TerminalId } from '#contracts/names.ts';
import { fail, type Fault } from '#contracts/result.ts';
import { openEnvelope, type TrustedKey } from '#formats/envelope.ts';
import { parseJson } from '#runtime/parse.ts';

/** What a message on topic `command` is. */
export type ReadOrder =
  /** Signed by the controller, for this terminal, and known. */
  | { readonly kind: 'order'; readonly order: CommandOrder }
  /** Signed by the controller, for this terminal, but this release does not know it. */
  | { readonly kind: 'unknown'; readonly heading: CommandHeading; readonly fault: Fault }
  /** Nobody whom this terminal believes has said it: nothing in it is taken for true. */
  | { readonly kind: 'unbelieved'; readonly fault: Fault };

/** Reads a message. Faults: COMMAND_INVALID, COMMAND_UNKNOWN, ENVELOPE_INVALID, SIGNATURE_REFUSED. */
export function readOrder(
  text: string,
  { terminal, trusted }: { readonly terminal: TerminalId; readonly trusted: readonly TrustedKey[] },
): ReadOrder {
  if (Buffer.byteLength(text) > commandBytes)
    return unbelieved(fail('COMMAND_INVALID', `It is longer than ${commandBytes} bytes.`));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    return unbelieved(fail('COMMAND_INVALID', 'It is not JSON.', cause));
  }
  const opened = openEnvelope(value, { payloadType: commandType, role: 'commands', trusted });
  if (!opened.ok) return unbelieved(opened);
  const payload = opened.value.payload.toString('utf8');
  const heading = parseJson(CommandHeading, payload, 'COMMAND_INVALID');
  if (!heading.ok) return unbelieved(heading);
  if (heading.value.terminal !== terminal)
    return unbelieved(fail('COMMAND_INVALID', `It is for ${heading.value.terminal}.`));
  const order = parseJson(CommandOrder, payload, 'COMMAND_UNKNOWN');
  return order.ok
    ? { kind: 'order', order: order.value }
    : { kind: 'unknown', heading: heading.value, fault: order.fault };
}

function unbelieved({ fault }: { readonly fault: Fault }): ReadOrder {
  return { kind: 'unbelieved', fault };
}
