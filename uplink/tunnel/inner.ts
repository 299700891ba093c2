import { fail, type Fault, ok, type Result } from '#contracts/result.ts';
import type { Children } from '#runtime/child.ts';
import { readNetwork } from '../tools/network-state.ts';
import { ip, step } from '../tools/tools.ts';
import { syncTunnel } from './conf.ts';
import { type InnerOrder, planInner } from './inner-plan.ts';

export type { InnerOrder, InnerTunnel } from './inner-plan.ts';

/**
 * Makes the namespace that this process is in what the order says, and changes only what differs: the answer is what
 * that was, in words; nothing where all stood. A fault does not keep the other tunnels from theirs; of several the
 * first is told. Faults: TUNNEL_FAILED, ROUTING_FAILED (it could not be read), TOOL_MISSING.
 */
export async function applyInner(order: InnerOrder, children: Children): Promise<Result<string[]>> {
  const read = await readNetwork(children);
  if (!read.ok) return read;
  const changed: string[] = [];
  const faults: Fault[] = [];
  for (const { interface: name, privateKey, peer } of order.tunnels) {
    if (!read.value.devices.some((device) => device.name === name)) {
      faults.push(absent(name).fault);
      continue;
    }
    const synced = await syncTunnel(name, { privateKey, peers: [peer] }, children);
    if (!synced.ok) faults.push(synced.fault);
    else if (synced.value) changed.push(`${name}: key and hub`);
  }
  for (const command of planInner(order, read.value)) {
    const words = command.join(' ');
    const done = await step(children, 'TUNNEL_FAILED', words, ip, command);
    if (done.ok) changed.push(words);
    else if (!isGone(command, done.fault)) faults.push(done.fault);
  }
  const [first] = faults;
  return first === undefined ? ok(changed) : { ok: false, fault: first };
}

function absent(name: string) {
  return fail(
    'TUNNEL_FAILED',
    `There is no interface ${name} in this namespace. See whether the outer half runs: systemctl status checkpost-uplink`,
  );
}

/** What was to be taken away went by itself meanwhile, as routes do with the address or the route in their place. */
function isGone(command: readonly string[], { detail }: Fault): boolean {
  return command.includes('delete') && /no such (process|file)|cannot assign requested address/i.test(detail);
}
