import { type HubName, type Site } from '../../site/site.ts';
import { eventually } from '../../eventually.ts';
import { allUp, carries, loseHub, loseUplink, rotate, switchOver } from '../../site/trials.ts';
import { say } from './say.ts';
import { numbers } from './uplink-state.ts';

/** Uplink and hub are changed on purpose, there and back, with probes of 20 ms under way. */
export async function planned(site: Site): Promise<void> {
  const uplink = [];
  for (const name of ['lte', 'dsl']) uplink.push(await switchOver(site, { uplink: name }));
  const hub = [];
  for (const name of ['two', 'one'] as HubName[]) hub.push(await switchOver(site, { hub: name }));
  await site.ask({ verb: 'prefer', auto: true });
  say({ check: 'planned', uplink, hub });
}

/** The line that carries falls silent, and then the hub that does; milliseconds until traffic flows again. */
export async function loss(site: Site): Promise<void> {
  const uplinkMs = await loseUplink(site);
  await carries(site, { uplink: 'dsl' });
  const hubMs = await loseHub(site);
  await carries(site, { hub: 'one' });
  say({ check: 'loss', uplinkMs, hubMs });
}

export async function newKeys(site: Site): Promise<void> {
  say({ check: 'rotate', report: await rotate(site) });
}

/** One half is killed and started again, with probes of 20 ms under way. */
export async function killed(site: Site, part: 'outer' | 'inner'): Promise<void> {
  const before = numbers(site);
  const traffic = site.traffic();
  await traffic.flows(25);
  await site[part].stop('SIGKILL');
  await traffic.flows(25);
  await site[part].start();
  await eventually(async () => (await site.status()).inner === 'applied', {
    what: 'the inner half having applied its order',
    timeoutMs: 30_000,
    everyMs: 200,
  });
  await allUp(site);
  await traffic.flows(25);
  const report = await traffic.stop();
  const { state, firewall, faults } = await site.status();
  say({
    check: `${part}-killed`,
    report,
    before,
    after: numbers(site),
    state,
    firewall: firewall.state,
    faults,
  });
}
