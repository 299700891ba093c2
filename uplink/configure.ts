import { fail, ok, type Result } from '#contracts/result.ts';
import type { UplinkSettings } from '#contracts/settings/uplink.ts';
import { ms } from '#contracts/units.ts';
import type { Children } from '#runtime/child.ts';
import { type Clock, pause } from '#runtime/clock.ts';
import { parseHandshakes, wgForgetArguments, wgSetArguments } from './hubs.ts';
import { findLink } from './link.ts';
import { ip, step, wg } from './tools.ts';

/**
 * Gives the interface all that the settings say, from inside its namespace: first what an earlier run left is
 * forgotten (which also ends its sessions), then key and hubs, then addresses, and only when it is up the routes.
 */
export async function configure(
  settings: UplinkSettings,
  keyFile: string,
  children: Children,
): Promise<Result<void>> {
  const { interface: name, mtu, addresses, hubs } = settings;
  const forgotten = await forget(name, children);
  if (!forgotten.ok) return forgotten;
  const steps: [what: string, tool: typeof ip, args: string[]][] = [
    ['setting key and hubs', wg, wgSetArguments(settings, keyFile)],
    ...addresses.map((address): [string, typeof ip, string[]] => {
      return [`setting the address ${address}`, ip, ['address', 'replace', address, 'dev', name]];
    }),
    ['bringing it up', ip, ['link', 'set', 'dev', name, 'mtu', String(mtu), 'up']],
    ...hubs.flatMap(({ allowedIps }) =>
      allowedIps.map((prefix): [string, typeof ip, string[]] => {
        return [`setting the route to ${prefix}`, ip, ['route', 'replace', prefix, 'dev', name]];
      }),
    ),
  ];
  for (const [what, tool, args] of steps) {
    const done = await step(children, `${name}: ${what}`, tool, args);
    if (!done.ok) return done;
  }
  return ok(undefined);
}

/** Takes the interface down and makes it forget key, hubs and addresses; nothing passes it any more. */
export async function forget(name: string, children: Children): Promise<Result<void>> {
  const down = await step(children, `${name}: taking it down`, ip, ['link', 'set', 'dev', name, 'down']);
  if (!down.ok) return down;
  const shown = await step(children, `${name}: reading its hubs`, wg, ['show', name, 'latest-handshakes']);
  if (!shown.ok) return shown;
  const known = [...parseHandshakes(shown.value).keys()];
  for (const [tool, args] of [
    [wg, wgForgetArguments(name, known)],
    [ip, ['address', 'flush', 'dev', name]],
  ] as const) {
    const done = await step(children, `${name}: forgetting what it had`, tool, args);
    if (!done.ok) return done;
  }
  return ok(undefined);
}

/** Waits until the outer half has moved the interface into this namespace, half a minute at most. */
export async function awaitLink(
  name: string,
  { children, clock, signal }: { children: Children; clock: Clock; signal: AbortSignal },
): Promise<Result<void>> {
  const deadline = clock.monotonic() + 30_000;
  while (!signal.aborted) {
    const found = await findLink(name, children);
    if (!found.ok) return found;
    if (found.value !== undefined) return ok(undefined);
    if (clock.monotonic() >= deadline) break;
    await pause(clock, ms(200), signal);
  }
  return fail(
    'TUNNEL_FAILED',
    `There is no interface ${name} in this namespace. See whether the outer half runs: systemctl status checkpost-uplink`,
  );
}
