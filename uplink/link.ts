import { fail, ok, type Result } from '#contracts/result.ts';
import type { UplinkSettings } from '#contracts/settings/uplink.ts';
import { ms } from '#contracts/units.ts';
import type { Children, RunningTool } from '#runtime/child.ts';
import { type Clock, pause } from '#runtime/clock.ts';
import { ip, step, wg, wireguardGo } from './tools.ts';

/** The interface as it was created. */
export interface Link {
  readonly by: 'kernel' | 'userspace';
  /** Settles with a fault where the program that does WireGuard has ended by itself; never for the kernel. */
  readonly ended: Promise<Result<void>>;
  /** Takes the interface down; the kernel's one only from the namespace that it is in. */
  remove(): Promise<void>;
}

interface LinkParts {
  readonly children: Children;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Creates the interface here, by the kernel or by wireguard-go as the mode says. One that an earlier run left behind
 * is taken away first; one of the same name that is no tunnel is left alone and is a fault.
 */
export async function createLink(
  settings: Pick<UplinkSettings, 'interface' | 'mode'>,
  parts: LinkParts,
): Promise<Result<Link>> {
  const { interface: name, mode } = settings;
  const { children } = parts;
  const cleared = await clearLink(name, children);
  if (!cleared.ok) return cleared;
  if (mode !== 'userspace') {
    const added = await step(children, `creating ${name}`, ip, [
      'link',
      'add',
      'dev',
      name,
      'type',
      'wireguard',
    ]);
    if (added.ok) {
      const remove = async (): Promise<void> => {
        await children.run(ip, ['link', 'delete', 'dev', name]);
      };
      return ok({ by: 'kernel', ended: new Promise(() => {}), remove });
    }
    // Only a kernel without WireGuard is a reason for the program; missing rights would stop it as well.
    if (mode === 'kernel' || !/unknown device type|not supported/i.test(added.fault.detail)) return added;
  }
  return startWireguardGo(name, parts);
}

/** The interface by name as the kernel sees it, or undefined where there is none in this namespace. */
export async function findLink(
  name: string,
  children: Children,
): Promise<Result<{ kind: string } | undefined>> {
  const shown = await children.run(ip, ['-details', '-json', 'link', 'show']);
  if (!shown.ok) return shown;
  try {
    const links = JSON.parse(shown.value) as { ifname?: string; linkinfo?: { info_kind?: string } }[];
    const link = links.find(({ ifname }) => ifname === name);
    return ok(link && { kind: link.linkinfo?.info_kind ?? '' });
  } catch (cause) {
    return fail('TUNNEL_FAILED', 'ip printed something else than JSON.', cause);
  }
}

async function clearLink(name: string, children: Children): Promise<Result<void>> {
  const found = await findLink(name, children);
  if (!found.ok) return found;
  if (found.value === undefined) return ok(undefined);
  if (!['wireguard', 'tun'].includes(found.value.kind)) {
    return fail(
      'TUNNEL_FAILED',
      `There is an interface ${name} that is no tunnel; it was left alone. Choose another name in the settings.`,
    );
  }
  const gone = await step(children, `removing the old ${name}`, ip, ['link', 'delete', 'dev', name]);
  return gone.ok ? ok(undefined) : gone;
}

async function startWireguardGo(name: string, { children, clock, signal }: LinkParts): Promise<Result<Link>> {
  const program = children.start(wireguardGo, ['-f', name], { env: { LOG_LEVEL: 'error' } });
  const up = await answering(name, program, { children, clock, signal });
  if (up.ok) return ok({ by: 'userspace', ended: program.ended, remove: () => program.stop() });
  await program.stop();
  return up;
}

/** Waits until the program takes orders: it makes its socket only after the interface. */
async function answering(
  name: string,
  program: RunningTool,
  { children, clock, signal }: LinkParts,
): Promise<Result<void>> {
  const over: Result<void>[] = [];
  void program.ended.then((end) => over.push(end));
  const deadline = clock.monotonic() + 10_000;
  while (over.length === 0 && clock.monotonic() < deadline && !signal.aborted) {
    const shown = await children.run(wg, ['show', name, 'peers']);
    if (shown.ok) return ok(undefined);
    if (shown.fault.code === 'TOOL_MISSING') return shown;
    await pause(clock, ms(50), signal);
  }
  const [end] = over;
  if (end === undefined || end.ok)
    return fail('TUNNEL_FAILED', `creating ${name}: wireguard-go does not answer.`);
  const { code, detail } = end.fault;
  if (code === 'TOOL_MISSING') return fail(code, `The kernel has no WireGuard, and ${detail}`);
  return fail('TUNNEL_FAILED', `creating ${name}: ${detail}`);
}
