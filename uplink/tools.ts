import { fail, type Result } from '#contracts/result.ts';
import type { Children, Tool } from '#runtime/child.ts';

/** The programs that the uplink is driven through. */
export const ip: Tool = { name: 'ip', package: 'iproute2' };
export const wg: Tool = { name: 'wg', package: 'wireguard-tools' };
export const wireguardGo: Tool = { name: 'wireguard-go', package: 'wireguard-go' };

/**
 * Runs a program for one step. A failure is TUNNEL_FAILED with the step and what the program said; a program that is
 * not there stays TOOL_MISSING.
 */
export async function step(
  children: Children,
  what: string,
  tool: Tool,
  args: readonly string[],
): Promise<Result<string>> {
  const done = await children.run(tool, args);
  if (done.ok || done.fault.code === 'TOOL_MISSING') return done;
  const { detail } = done.fault;
  const rights = /not permitted|permission denied/i.test(detail)
    ? ' The command needs the capability CAP_NET_ADMIN: run it as root or by its systemd unit.'
    : '';
  return fail('TUNNEL_FAILED', `${what}: ${detail}${rights}`, done.fault.cause);
}
