import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { LineState, LineStatus } from '#contracts/uplink.ts';
import { eventually } from '../eventually.ts';
import { inside, interfaceNumber, removeTunnels, run } from './namespaces.ts';
import type { HubName, Site } from './site.ts';

/** What can happen to one line of a site beyond a cable that is pulled out or a provider that falls silent. */
export class Mishaps {
  readonly #site: Site;

  constructor(site: Site) {
    this.#site = site;
  }

  /** The modem is pulled out: its device is somewhere else. */
  takeDevice(line: string): void {
    const device = this.#site.device(line);
    run('ip', '-n', this.#site.ns.terminal, 'link', 'set', device, 'netns', this.#site.provider(line));
  }

  returnDevice(line: string): void {
    const device = this.#site.device(line);
    run('ip', '-n', this.#site.provider(line), 'link', 'set', device, 'netns', this.#site.ns.terminal);
    run('ip', '-n', this.#site.ns.terminal, 'link', 'set', device, 'up');
    this.giveAddress(line);
  }

  takeAddress(line: string): void {
    run(
      'ip',
      '-n',
      this.#site.ns.terminal,
      'address',
      'flush',
      'dev',
      this.#site.device(line),
      'scope',
      'global',
    );
  }

  /** As DHCP gives it, with the router. */
  giveAddress(line: string): void {
    const { terminal } = this.#site.ns;
    const net = this.#net(line);
    run('ip', '-n', terminal, 'address', 'replace', `${net}.2/24`, 'dev', this.#site.device(line));
    this.giveRoute(line);
  }

  takeRoute(line: string): void {
    run('ip', '-n', this.#site.ns.terminal, 'route', 'delete', 'default', 'dev', this.#site.device(line));
  }

  giveRoute(line: string): void {
    const at = this.#site.lines.findIndex(({ name }) => name === line);
    const route = ['default', 'via', `${this.#net(line)}.1`, 'dev', this.#site.device(line)];
    run('ip', '-n', this.#site.ns.terminal, 'route', 'replace', ...route, 'metric', String(100 + at));
  }

  /** The router is there no more; the cable still is. */
  takeRouter(line: string): void {
    const { device, netns, net } = this.#far(line);
    run('ip', '-n', netns, 'address', 'delete', `${net}.1/24`, 'dev', device);
  }

  returnRouter(line: string): void {
    const { device, netns, net } = this.#far(line);
    run('ip', '-n', netns, 'address', 'replace', `${net}.1/24`, 'dev', device);
  }

  /** The provider answers every page itself, at this port of its own, and lets nothing else through. */
  openPortal(line: string, port: number): void {
    nft(
      this.#site.provider(line),
      'add table ip portal',
      'add chain ip portal p { type nat hook prerouting priority dstnat; }',
      `add rule ip portal p tcp dport 80 redirect to :${port}`,
      'add chain ip portal f { type filter hook forward priority 0; policy drop; }',
    );
  }

  closePortal(line: string): void {
    nft(this.#site.provider(line), 'add table ip portal', 'delete table ip portal');
  }

  /** The hub has another address from now on. */
  moveHub(hub: HubName, from: string, to: string): void {
    const netns = this.#site.ns[hub];
    run('ip', '-n', netns, 'address', 'delete', `${from}/24`, 'dev', `${hub}o`);
    run('ip', '-n', netns, 'address', 'add', `${to}/24`, 'dev', `${hub}o`);
    run('ip', '-n', netns, 'route', 'replace', 'default', 'via', to.replace(/\d+$/, '1'));
  }

  #far(line: string): { device: string; netns: string; net: string } {
    return { device: `p${this.#site.device(line)}`, netns: this.#site.provider(line), net: this.#net(line) };
  }

  #net(line: string): string {
    return `10.${this.#site.lines.findIndex(({ name }) => name === line) + 1}.0`;
  }
}

interface SettingsFile {
  hubs: { name: HubName; endpoint: string; pinned?: string[] }[];
  [other: string]: unknown;
}

/** Changes the terminal's own file; it is read at the next start. */
export function changeSettings(site: Site, change: (settings: SettingsFile) => void): void {
  const settings = JSON.parse(readFileSync(site.settingsFile, 'utf8')) as SettingsFile;
  change(settings);
  writeFileSync(site.settingsFile, JSON.stringify(settings));
}

/** The terminal is switched off: of what it did only its state folder is left. Cables are as they were. */
export async function switchOff(site: Site): Promise<void> {
  await Promise.all([site.inner.stop('SIGKILL'), site.outer.stop('SIGKILL')]);
  removeTunnels((owner, name) => owner === interfaceNumber() && name.startsWith('u'));
  rmSync(dirname(site.controlSocket), { recursive: true, force: true });
  const { terminal } = site.ns;
  inside(terminal, 'sh', '-c', 'ip rule flush; ip rule add pref 32766 lookup main; nft flush ruleset');
}

/** Waits until the status names this state of the line, with its evidence. */
export function lineIs(
  site: Site,
  line: string,
  state: LineState,
  evidence: RegExp,
  timeoutMs = 45_000,
): Promise<LineStatus> {
  return eventually(
    async () => {
      const status = (await site.status()).uplinks.find(({ name }) => name === line);
      if (status?.state !== state || !evidence.test(status.evidence))
        throw new Error(`it is ${status?.state}: ${status?.evidence}`);
      return status;
    },
    { what: `${line} being ${state} (${site.logFile})`, timeoutMs, everyMs: 100 },
  );
}

function nft(netns: string, ...commands: string[]): void {
  execFileSync('ip', ['netns', 'exec', netns, 'nft', '-f', '-'], { input: `${commands.join('\n')}\n` });
}
