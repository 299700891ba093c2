import { utimesSync } from 'node:fs';
import { Site } from '../../site/site.ts';
import { allUp } from '../../site/trials.ts';
import { runChecks } from './checks.ts';
import { say } from './say.ts';
import { backByFloor, backByReset } from './uplink-clock.ts';
import { killed, loss, newKeys, planned } from './uplink-faults.ts';
import { badLine } from './uplink-netem.ts';
import { command, kinds } from './uplink-state.ts';

/**
 * What runs inside the machine: a whole site with the kernel's WireGuard, the two halves and the hubs from the command
 * as it ships. It says what it saw, one JSON object a line; what is expected of it stands in the test that boots it.
 */
const program = '/app/checkpost.cjs';
const monthAgo = Date.now() / 1000 - 30 * 86_400;

async function main(): Promise<void> {
  // No time before a program was built is believed: with one of today, the clock would find its floor by that alone.
  utimesSync(program, monthAgo, monthAgo);
  const site = new Site({ program: [command], settings: { mode: 'kernel' } });
  await site.start();
  await allUp(site);
  const { state, firewall, faults } = await site.status();
  say({ check: 'up', kinds: kinds(site), state, firewall: firewall.state, faults });
  await runChecks({
    planned: () => planned(site),
    loss: () => loss(site),
    rotate: () => newKeys(site),
    'outer-killed': () => killed(site, 'outer'),
    'inner-killed': () => killed(site, 'inner'),
    'bad-line': () => badLine(site),
    floor: () => backByFloor(site),
    reset: () => backByReset(site),
  });
  await site.close();
  say({ check: 'end', seconds: Math.round(performance.now() / 1000) });
}

void main()
  .catch((thrown: unknown) => say({ check: 'up', failed: String(thrown) }))
  .finally(() => process.exit());
