import { fail, ok, type Result } from '#contracts/result.ts';
import type { UplinkSettings } from '#contracts/settings/uplink.ts';
import { awaitLink, configure, forget } from './configure.ts';
import { openKey } from './key.ts';
import { createLink, type Link } from './link.ts';
import type { Part, UplinkParts } from './part.ts';
import { ip, step } from './tools.ts';
import { watch } from './watch.ts';

export interface Uplink {
  /** Settles with the fault when the tunnel is gone by itself; the service manager then starts it anew. */
  readonly ended: Promise<Result<void>>;
  /** Takes the tunnel down. */
  close(): Promise<void>;
}

/**
 * The composition root of the uplink: creates the interface, gives it key and hubs, watches it. What was made is
 * taken away again where a later step fails. Faults: TUNNEL_FAILED, TOOL_MISSING, CREDENTIAL_UNREADABLE, FILE_REFUSED.
 */
export async function startUplink(
  settings: UplinkSettings,
  part: Part,
  parts: UplinkParts,
): Promise<Result<Uplink>> {
  const { children, log } = parts;
  const { interface: name } = settings;
  const closers: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  const started = await start();
  if (!started.ok) await close();
  return started;

  async function start(): Promise<Result<Uplink>> {
    const ends: Promise<Result<void>>[] = [];
    if (part !== 'inner') {
      const link = await makeLink();
      if (!link.ok) return link;
      ends.push(link.value.ended.then((end) => (end.ok ? end : fail('TUNNEL_FAILED', end.fault.detail))));
      log.info('The interface is there', { interface: name, by: link.value.by });
    }
    if (part !== 'outer') {
      const key = openKey(settings.privateKey);
      if (!key.ok) return key;
      if (key.value.made)
        log.warn(
          'A new key was made: the hubs must be told its public half, see checkpost uplink --public-key',
        );
      const there = await awaitLink(name, parts);
      if (!there.ok) return there;
      if (part === 'inner') closers.push(() => forget(name, children));
      const done = await configure(settings, key.value.file, children);
      if (!done.ok) return done;
      log.info('The tunnel is configured', { interface: name, hubs: settings.hubs.length });
    }
    const watching = watch(settings, part, parts);
    closers.push(() => watching.close());
    ends.push(watching.ended);
    return ok({ ended: Promise.race(ends), close });
  }

  async function makeLink(): Promise<Result<Link>> {
    const link = await createLink(settings, parts);
    if (!link.ok) return link;
    closers.push(() => link.value.remove());
    if (part === 'whole') return link;
    const moved = await moveLink(link.value);
    return moved.ok ? link : moved;
  }

  /**
   * Into the namespace of the agent. One that the kernel kept there from an earlier run serves as well as a new one:
   * the inner half gives it everything anew. (It cannot be taken away from here: that needs more than CAP_NET_ADMIN.)
   */
  async function moveLink(link: Link): Promise<Result<void>> {
    const args = ['link', 'set', 'dev', name, 'netns', settings.namespace];
    const moved = await step(children, `moving ${name} into the namespace ${settings.namespace}`, ip, args);
    if (moved.ok) return ok(undefined);
    if (link.by !== 'kernel' || !/file exists/i.test(moved.fault.detail)) return moved;
    await link.remove();
    log.info('The interface of an earlier run is used again', { interface: name });
    return ok(undefined);
  }
}
