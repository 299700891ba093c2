import { join } from 'node:path';
import { eventually } from '../../eventually.ts';
import { inside, run } from '../../site/namespaces.ts';
import { hubNames, type Site, terminalName } from '../../site/site.ts';
import { allUp } from '../../site/trials.ts';
import { say } from './say.ts';
import { command, handshakes, switchOff } from './uplink-state.ts';

const day = 86_400;
const refusedForMs = 15_000;

/**
 * The terminal is switched off, and its clock has lost a day when it is on again. WireGuard's handshakes carry the wall
 * clock of whoever begins them, and a hub takes none that is not later than all that it has seen from this peer; its own
 * clock plays no part in that (WireGuard, section 5.1), so that here it may go back with that of the terminal.
 */
async function loseADay(site: Site): Promise<number> {
  await switchOff(site);
  const before = now();
  run('date', '--utc', `--set=@${before - day}`);
  return before;
}

/** What runs at boot sets the clock up to the last verified time, before the tunnel begins. */
export async function backByFloor(site: Site): Promise<void> {
  const handshake = Math.max(...handshakes(site));
  const before = await loseADay(site);
  const said = site.checkpost('clock-floor', '--state', join(site.folder, 'state'), '--json');
  const after = now();
  const upMs = await starts(site);
  say({ check: 'floor', before, handshake, said: JSON.parse(said), after, upMs });
}

/** Without that the hubs refuse the terminal, until each is told to forget what it remembers of it. */
export async function backByReset(site: Site): Promise<void> {
  const before = await loseADay(site);
  const after = now();
  await site.startTerminal();
  const since = performance.now();
  let reached = false;
  while (performance.now() - since < refusedForMs) {
    reached ||= site.reaches();
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  const refused = { reached, handshakes: handshakes(site), sent: sent(site) };
  const told = hubNames.map((hub) => {
    const config = join(site.folder, hub, 'hub.json');
    return inside(site.ns[hub], command, 'hub', 'reset', terminalName, '--config', config, '--json').trim();
  });
  const reset = performance.now();
  await site.connected(60_000);
  const upMs = Math.round(performance.now() - reset);
  await allUp(site);
  // That of the hub that stands by has its own pauses between two attempts.
  await eventually(() => handshakes(site).every((at) => at > 0), {
    what: 'a handshake with every hub over every tunnel',
    timeoutMs: 60_000,
  });
  say({ check: 'reset', before, after, refused, told, upMs, handshakes: handshakes(site) });
}

/** Milliseconds until the centre answers a terminal that is switched on. */
async function starts(site: Site): Promise<number> {
  const since = performance.now();
  await site.startTerminal();
  await site.connected(60_000);
  const upMs = Math.round(performance.now() - since);
  await allUp(site);
  return upMs;
}

/** Bytes that the first tunnel has sent: it really tried. */
function sent(site: Site): number {
  const args = ['netns', 'exec', site.ns.agent, 'wg', 'show', `${site.prefix}0`, 'transfer'];
  return Number(
    run('ip', ...args)
      .trim()
      .split('\t')[2],
  );
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}
