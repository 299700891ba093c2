import { ok, type Result } from '#contracts/result.ts';
import type { HubSettings } from '#contracts/settings/hub.ts';
import type { Children } from '#runtime/child.ts';
import { ip, step } from '../tools/tools.ts';

/** Addresses, size, and up. Faults: TUNNEL_FAILED, TOOL_MISSING. */
export async function configureInterface(
  {
    interface: name,
    mtu,
    address,
    probeAddress,
  }: Pick<HubSettings, 'interface' | 'mtu' | 'address' | 'probeAddress'>,
  children: Children,
): Promise<Result<void>> {
  const steps: readonly (readonly [what: string, args: readonly string[]])[] = [
    ['setting its address', ['address', 'replace', `${address}/32`, 'dev', name]],
    ['setting its probe address', ['address', 'replace', `${probeAddress}/32`, 'dev', name]],
    ['bringing it up', ['link', 'set', 'dev', name, 'mtu', String(mtu), 'up']],
  ];
  for (const [what, args] of steps) {
    const done = await step(children, 'TUNNEL_FAILED', `${name}: ${what}`, ip, args);
    if (!done.ok) return done;
  }
  return ok(undefined);
}
