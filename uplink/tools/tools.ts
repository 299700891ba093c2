import { fail, type Result } from '#contracts/result.ts';
import { ms } from '#contracts/units.ts';
import type { Children, RunOptions, Tool } from '#runtime/child.ts';

/** The programs that the uplink is driven through. */
export const ip: Tool = { name: 'ip', package: 'iproute2' };
export const wg: Tool = { name: 'wg', package: 'wireguard-tools' };
export const nft: Tool = { name: 'nft', package: 'nftables' };
export const wireguardGo: Tool = { name: 'wireguard-go', package: 'wireguard-go' };

/** What a failed step means, by what it was done for. */
export type StepCode = 'TUNNEL_FAILED' | 'ROUTING_FAILED' | 'FIREWALL_FAILED';

/** Each of them answers within milliseconds; one that does not is hanging. */
const patience = ms(5000);

/**
 * Runs a program for one step. A failure is the code that is given, with the step and what the program said; a
 * program that hangs is one too, after five seconds. One that is not there stays TOOL_MISSING.
 */
export async function step(
  children: Children,
  code: StepCode,
  what: string,
  tool: Tool,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Result<string>> {
  const done = await children.run(tool, args, { timeout: patience, ...options });
  if (done.ok || done.fault.code === 'TOOL_MISSING') return done;
  const { detail } = done.fault;
  const rights = /not permitted|permission denied/i.test(detail)
    ? ' The command needs the capability CAP_NET_ADMIN: run it as root or by its systemd unit.'
    : '';
  return fail(code, `${what}: ${detail}${rights}`, done.fault.cause);
}
