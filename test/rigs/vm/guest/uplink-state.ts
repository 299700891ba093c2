import { run } from '../../site/namespaces.ts';
import type { Site } from '../../site/site.ts';

/** What the kernel says of the interfaces of the terminal. */

/** The project's own command, as it ships. */
export const command = '/app/bin/checkpost';

/** Where an interface of the terminal is. */
export interface Place {
  readonly netns: string;
  readonly name: string;
}

/** The tunnels, in the namespace of the agent, and the probe tunnels, beside the lines. */
export function places(site: Site): Place[] {
  return [
    ...[0, 1].map((at) => ({ netns: site.ns.agent, name: `${site.prefix}${at}` })),
    ...site.lines.map((_, at) => ({ netns: site.ns.terminal, name: `${site.prefix}-p${at}` })),
  ];
}

interface Device {
  readonly ifindex: number;
  readonly linkinfo?: { readonly info_kind?: string };
}

function deviceOf({ netns, name }: Place): Device | undefined {
  const args = ['-n', netns, '-details', '-json', 'link', 'show', 'dev', name];
  return (JSON.parse(run('ip', ...args)) as Device[])[0];
}

/** Of which kind each is, in the order of `places`. */
export function kinds(site: Site): (string | undefined)[] {
  return places(site).map((place) => deviceOf(place)?.linkinfo?.info_kind);
}

/** The numbers that the kernel gave to them: another number is another interface. */
export function numbers(site: Site): (number | undefined)[] {
  return places(site).map((place) => deviceOf(place)?.ifindex);
}

/** When each had its last handshake with each hub, in seconds since 1970; 0 for never. */
export function handshakes(site: Site): number[] {
  return places(site).flatMap(({ netns, name }) => {
    const shown = run('ip', 'netns', 'exec', netns, 'wg', 'show', name, 'latest-handshakes');
    return [...shown.matchAll(/\t(\d+)$/gm)].map((match) => Number(match[1]));
  });
}

/** Stops both halves in order and takes their interfaces away, as a machine that is switched off does. */
export async function switchOff(site: Site): Promise<void> {
  await site.inner.stop();
  await site.outer.stop();
  for (const { netns, name } of places(site)) run('ip', '-n', netns, 'link', 'delete', 'dev', name);
}
