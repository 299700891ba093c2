import { inside } from '../../site/namespaces.ts';
import type { Site } from '../../site/site.ts';
import { allUp, carries } from '../../site/trials.ts';
import { say } from './say.ts';

const seconds = 60;
const line = 'dsl';

/**
 * The line that carries becomes a bad satellite: 300 ms more in each direction, and every twentieth packet is gone. The
 * loss is counted out and not thrown by dice, or now and then three probes in a row would really be lost.
 */
export async function badLine(site: Site): Promise<void> {
  await carries(site, { uplink: line });
  const provider = site.provider(line);
  const devices = [`p${site.device(line)}`, `q${site.lines.findIndex(({ name }) => name === line)}`];
  for (const device of devices)
    inside(provider, 'tc', 'qdisc', 'add', 'dev', device, 'root', 'netem', 'delay', '300ms');
  const rules = 'add table ip lossy; add chain ip lossy f { type filter hook forward priority 0; }';
  inside(
    provider,
    'nft',
    `${rules}; add rule ip lossy f counter; add rule ip lossy f numgen inc mod 20 0 counter drop`,
  );
  const since = performance.now();
  // Seldom: what comes back counts as a probe, and the path that carries is to be probed too.
  const traffic = site.traffic({ everyMs: 2000 });
  const states = new Set<string>();
  const carriers = new Set<string>();
  let status = await site.status();
  while (performance.now() - since < seconds * 1000) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    status = await site.status();
    carriers.add(`${status.carrying?.uplink} ${status.carrying?.hub}`);
    const { state, paths } = status.uplinks.find(({ name }) => name === line) ?? { state: 'none', paths: [] };
    states.add(state);
    for (const path of paths) states.add(`path ${path.state}`);
  }
  const report = await traffic.stop();
  const paths = status.uplinks.find(({ name }) => name === line)?.paths;
  const events = status.events.filter(({ at }) => at <= seconds).map(({ text }) => text);
  const listed = inside(provider, 'nft', 'list table ip lossy');
  const [packets = 0, dropped = 0] = [...listed.matchAll(/counter packets (\d+)/g)].map(([, n]) => Number(n));
  for (const device of devices) inside(provider, 'tc', 'qdisc', 'delete', 'dev', device, 'root');
  inside(provider, 'nft', 'delete table ip lossy');
  say({
    check: 'bad-line',
    report,
    packets,
    dropped,
    carriers: [...carriers],
    states: [...states],
    paths,
    events,
    switches: events.filter((text) => /^\S+ with \S+: /.test(text)).length,
  });
  await allUp(site);
}
