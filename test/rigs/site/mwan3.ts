import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { UplinkNetwork } from '#contracts/settings/uplink.ts';
import { eventually } from '../eventually.ts';
import { inside, run } from './namespaces.ts';
import { centreAddress, type Site } from './site.ts';
import { Traffic } from './traffic.ts';

/**
 * A stand-in for mwan3, OpenWrt's usual answer to a site with several uplinks, since mwan3 itself needs OpenWrt: one
 * plain WireGuard interface over the site's default route, and beside it the loop of mwan3's tracker.
 *
 * Loop and numbers are those of net/mwan3/files/usr/sbin/mwan3track in the repository openwrt/packages, whose defaults
 * are: track_method ping, count 1, timeout 4, interval 10, failure_interval as interval, reliability 1, down 5, size
 * 56, max_ttl 60. The tracker pings, sleeps for the interval, and calls an uplink offline at the fifth loss in a row;
 * what mwan3 then does to rules and routes is here one route that is replaced, so the stand-in is rather faster.
 */
const defaults = { count: 1, timeout: 4, interval: 10, down: 5, size: 56, maxTtl: 60 } as const;
const runTool = promisify(execFile);

export class PlainTerminal {
  readonly #site: Site;
  readonly #interface: string;
  readonly #stopping = new AbortController();
  #tracker: Promise<void> | undefined;
  #pinged = 0;

  /** The site must be built, with its terminal not started: this one takes its place, with its keys. */
  constructor(site: Site) {
    this.#site = site;
    this.#interface = `${site.prefix}w`;
  }

  /** Makes the tunnel over the first line, and begins to track that line. */
  async start(): Promise<void> {
    const { folder, ns, settingsFile, lines } = this.#site;
    const { hubs } = JSON.parse(readFileSync(settingsFile, 'utf8')) as Pick<UplinkNetwork, 'hubs'>;
    const [hub] = hubs;
    const [line] = lines;
    if (hub === undefined || line === undefined) throw new Error('a site has a hub and a line');
    const device = this.#interface;
    inside(ns.terminal, 'wireguard-go', device);
    const psk = join(folder, 'psk', `${hub.name}.psk`);
    const peer = ['peer', hub.publicKey, 'preshared-key', psk, 'endpoint', hub.endpoint];
    const reach = ['persistent-keepalive', '25', 'allowed-ips', `${centreAddress}/32`];
    const privateKey = join(folder, 'tunnel.key');
    inside(ns.terminal, 'wg', 'set', device, 'private-key', privateKey, ...peer, ...reach);
    run('ip', '-n', ns.terminal, 'address', 'add', '10.77.0.2/32', 'dev', device);
    run('ip', '-n', ns.terminal, 'link', 'set', device, 'up');
    run('ip', '-n', ns.terminal, 'route', 'add', `${centreAddress}/32`, 'dev', device, 'src', '10.77.0.2');
    this.#prefer(0);
    // Outside the tunnel, as mwan3 tracks: the address of the hub, where the documentation has public DNS servers.
    this.#tracker = this.#track(this.#site.device(line.name), hub.endpoint.replace(/:\d+$/, ''));
  }

  /**
   * The first line falls silent `afterMs` after a ping of the tracker that was answered; milliseconds until traffic
   * flows again. Everything is as before when it ends.
   */
  async loseUplink(afterMs: number): Promise<number> {
    const [line] = this.#site.lines;
    if (line === undefined) throw new Error('a site has a line');
    const traffic = new Traffic(this.#site.ns.terminal, centreAddress);
    await traffic.flows(25);
    const before = this.#pinged;
    await eventually(() => this.#pinged > before, {
      what: 'a ping of the tracker',
      timeoutMs: 30_000,
      everyMs: 20,
    });
    await pause(afterMs);
    this.#site.silence(line.name);
    const since = Date.now();
    await eventually(() => Date.now() - since > 500 && traffic.lastAnswerAt() > since + 500, {
      what: 'the tracker having moved the traffic',
      timeoutMs: 120_000,
    });
    const { longestGapMs } = await traffic.stop();
    this.#site.mend(line.name);
    this.#prefer(0);
    return longestGapMs;
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#tracker;
    run('ip', '-n', this.#site.ns.terminal, 'link', 'delete', this.#interface);
  }

  /** As mwan3track does: `score` falls by one with each loss, and any answer sets it back. */
  async #track(device: string, address: string): Promise<void> {
    const { signal } = this.#stopping;
    let lost = 0;
    while (!signal.aborted) {
      if (await this.#ping(device, address)) {
        lost = 0;
        this.#pinged++;
      } else if (++lost === defaults.down) {
        this.#prefer(1);
        lost = 0;
      }
      await pause(defaults.interval * 1000, undefined, { signal }).catch(() => {});
    }
  }

  async #ping(device: string, address: string): Promise<boolean> {
    const { count, timeout, size, maxTtl } = defaults;
    const options = ['-I', device, '-c', count, '-W', timeout, '-s', size, '-t', maxTtl].map(String);
    const args = ['netns', 'exec', this.#site.ns.terminal, 'ping', ...options, '-q', address];
    return runTool('ip', args, { signal: this.#stopping.signal }).then(
      () => true,
      () => false,
    );
  }

  /** The default route over this line, before those that DHCP or the modem has set. */
  #prefer(at: number): void {
    const line = this.#site.lines[at];
    if (line === undefined) throw new Error('there is no second line');
    const way = ['via', `10.${at + 1}.0.1`, 'dev', this.#site.device(line.name), 'metric', '10'];
    run('ip', '-n', this.#site.ns.terminal, 'route', 'replace', 'default', ...way);
  }
}
