import { fail, ok, type Result } from '#contracts/result.ts';
import type { UplinkSettings } from '#contracts/settings/uplink.ts';
import type { Children } from '#runtime/child.ts';
import type { Clock } from '#runtime/clock.ts';
import { type DeviceState, readDevices } from '../tools/network-state.ts';
import { ip, step, wg } from '../tools/tools.ts';
import {
  answers,
  hasSocket,
  holdProgram,
  type Program,
  startProgram,
  wireguardSockets,
} from './userspace.ts';

/** A WireGuard interface that stands. */
export interface Link {
  readonly by: 'kernel' | 'userspace';
  /** Whether it stood already, with its key, its peers and its sessions. */
  readonly adopted: boolean;
  /**
   * Settles with TUNNEL_FAILED where the program that does WireGuard has ended by itself; never for the kernel. It is
   * watched from when this is first asked for.
   */
  readonly ended: Promise<Result<void>>;
  /** Takes the interface away; the kernel's one only from the namespace that it is in. */
  remove(): Promise<void>;
}

/** Which interface is wanted, and what is needed to make it. */
export interface LinkWish {
  readonly name: string;
  readonly mode: UplinkSettings['mode'];
  /** Firewall mark of its packets; none for a hub. */
  readonly mark?: number;
  readonly children: Children;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Folder of the sockets of wireguard-go. */
  readonly sockets?: string;
}

/**
 * Takes over the interface of this name in this namespace where it is a living tunnel, with all that it has, or creates
 * it, by the kernel or by wireguard-go as the mode says. A dead one that an earlier run left is replaced; one that is no
 * tunnel is left alone and is a fault. It has its mark before it has a key, so no packet ever leaves without.
 *
 * Faults: TUNNEL_FAILED, TOOL_MISSING.
 */
export async function ensureLink(wish: LinkWish): Promise<Result<Link>> {
  const found = await findDevice(wish.name, wish.children);
  if (!found.ok) return found;
  const adopted = found.value === undefined ? ok(undefined) : await adopt(found.value, wish);
  if (!adopted.ok) return adopted;
  const made = adopted.value === undefined ? await create(wish) : ok(adopted.value);
  return made.ok ? marked(made.value, wish) : made;
}

/**
 * The link of this name whose interface is in another namespace by now; undefined where there is none, or it cannot be
 * seen from here, as those of the kernel: `moveLink` finds them. The mark of wireguard-go can be set from anywhere.
 */
export async function findMoved(wish: LinkWish): Promise<Result<Link | undefined>> {
  const { name, children, sockets = wireguardSockets } = wish;
  if (!hasSocket(name, sockets)) return ok(undefined);
  const here = await findDevice(name, children);
  if (!here.ok) return here;
  if (here.value !== undefined) return ok(undefined);
  const alive = await answers(name, children);
  if (!alive.ok) return alive;
  return alive.value ? marked(userspaceLink(wish, true), wish) : ok(undefined);
}

/**
 * Moves an interface from here into a namespace. `there`: one of this name is in it already, and this one stayed here.
 */
export async function moveLink(
  name: string,
  namespace: string,
  children: Children,
): Promise<Result<'moved' | 'there'>> {
  const what = `moving ${name} into the namespace ${namespace}`;
  const args = ['link', 'set', 'dev', name, 'netns', namespace];
  const moved = await step(children, 'TUNNEL_FAILED', what, ip, args);
  if (moved.ok) return ok('moved');
  return /file exists/i.test(moved.fault.detail) ? ok('there') : moved;
}

/**
 * The link of this name in another namespace: the one that is there, or a new one that is made here, so that its
 * packets leave from here, and moved. What the kernel kept there serves as well as a new one, and a new one is taken away again.
 */
export async function ensureLinkIn(namespace: string, wish: LinkWish): Promise<Result<Link>> {
  const there = await findMoved(wish);
  if (!there.ok) return there;
  if (there.value !== undefined) return ok(there.value);
  const link = await ensureLink(wish);
  if (!link.ok) return link;
  const moved = await moveLink(wish.name, namespace, wish.children);
  if (!moved.ok || moved.value === 'there') await link.value.remove();
  if (!moved.ok) return moved;
  return moved.value === 'moved' ? link : ok(kernelLink(wish, true));
}

async function findDevice(name: string, children: Children): Promise<Result<DeviceState | undefined>> {
  const devices = await readDevices(children, 'TUNNEL_FAILED');
  return devices.ok ? ok(devices.value.find((device) => device.name === name)) : devices;
}

/** Undefined where it was a dead one, which is gone now. */
async function adopt(device: DeviceState, wish: LinkWish): Promise<Result<Link | undefined>> {
  const { name, children } = wish;
  if (device.kind === 'wireguard') return ok(kernelLink(wish, true));
  if (device.kind !== 'tun') {
    return fail(
      'TUNNEL_FAILED',
      `There is an interface ${name} that is no tunnel; it was left alone. Choose another name in the settings.`,
    );
  }
  const alive = await answers(name, children);
  if (!alive.ok) return alive;
  if (alive.value) return ok(userspaceLink(wish, true));
  const args = ['link', 'delete', 'dev', name];
  const gone = await step(children, 'TUNNEL_FAILED', `removing the dead ${name}`, ip, args);
  return gone.ok ? ok(undefined) : gone;
}

async function create(wish: LinkWish): Promise<Result<Link>> {
  const { name, mode, children } = wish;
  if (wish.signal.aborted) return fail('TUNNEL_FAILED', `creating ${name}: it is being stopped.`);
  if (mode !== 'userspace') {
    const args = ['link', 'add', 'dev', name, 'type', 'wireguard'];
    const added = await step(children, 'TUNNEL_FAILED', `creating ${name}`, ip, args);
    if (added.ok) return ok(kernelLink(wish, false));
    // Only a kernel without WireGuard is a reason for the program; missing rights would stop it as well.
    if (mode === 'kernel' || !/unknown device type|not supported/i.test(added.fault.detail)) return added;
  }
  const started = await startProgram(name, children);
  if (started.ok) return ok(userspaceLink(wish, false));
  const { code, detail } = started.fault;
  return code === 'TOOL_MISSING' ? fail(code, `The kernel has no WireGuard, and ${detail}`) : started;
}

function kernelLink({ name, children }: LinkWish, adopted: boolean): Link {
  return {
    by: 'kernel',
    adopted,
    ended: new Promise(() => {}),
    async remove() {
      await children.run(ip, ['link', 'delete', 'dev', name]);
    },
  };
}

function userspaceLink(
  { name, children, clock, sockets = wireguardSockets }: LinkWish,
  adopted: boolean,
): Link {
  // Whoever only wants the interface to stand, and asks for it again and again, holds nothing.
  let held: Program | undefined;
  const program = (): Program => (held ??= holdProgram(name, clock, sockets));
  let removing = false;
  return {
    by: 'userspace',
    adopted,
    get ended() {
      return program().gone.then(() =>
        removing ? ok(undefined) : fail('TUNNEL_FAILED', `${name}: wireguard-go has ended.`),
      );
    },
    async remove() {
      removing = true;
      // Where it hangs, it falls with its interface, if that is here.
      if (!(await program().end())) await children.run(ip, ['link', 'delete', 'dev', name]);
    },
  };
}

async function marked(link: Link, { name, mark, children }: LinkWish): Promise<Result<Link>> {
  if (mark === undefined) return ok(link);
  const args = ['set', name, 'fwmark', String(mark)];
  const done = await step(children, 'TUNNEL_FAILED', `${name}: setting its mark`, wg, args);
  if (done.ok) return ok(link);
  if (!link.adopted) await link.remove();
  return done;
}
