import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { UplinkStatus } from '#contracts/uplink.ts';
import { eventually } from '../eventually.ts';
import { ManagedProcess } from '../process.ts';
import {
  addNamespace,
  connect,
  inside,
  interfaceNumber,
  namespaceOf,
  removeNamespace,
  removeTunnels,
  run,
  sweep,
} from './namespaces.ts';
import { Traffic } from './traffic.ts';

/**
 * A site with its uplinks, two hubs and a centre, as network namespaces with veth pairs between them, and real
 * WireGuard (wireguard-go) on top; nothing of it leaves this machine.
 *
 *   agent ns ~~~ terminal --- provider of the uplink --- internet --- hub one --- centre
 *                         \-- provider of the next   --/          \-- hub two --/
 */
export interface LineSpec {
  readonly name: string;
  readonly kind?: 'ethernet' | 'lte' | 'satellite';
  readonly metered?: boolean;
  readonly metric?: number;
  readonly monthlyMegabytes?: number;
}

export interface SiteOptions {
  readonly lines?: readonly LineSpec[];
  /** Laid over the settings of the terminal. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** How `checkpost` is run: the sources by default, or the built program. */
  readonly program?: readonly string[];
  /** File of nft(8) that is loaded into the terminal's namespace before it has any interface. */
  readonly bootRules?: string;
  /** Put before the command of a half, inside its namespace: a program that starts it in other surroundings. */
  readonly around?: Readonly<Partial<Record<'outer' | 'inner', readonly string[]>>>;
}

/** What a machine needs for it. */
export const uplinkTools = ['ip', 'wg', 'wireguard-go', 'nft', 'ping', 'setpriv', 'sysctl'];

export const hubNames = ['one', 'two'] as const;
export type HubName = (typeof hubNames)[number];
const hubNets = {
  one: { outer: '192.0.2', centre: '10.20.0', last: 1 },
  two: { outer: '198.51.100', centre: '10.21.0', last: 2 },
} as const;

/** Where the centre is, behind the hubs. */
export const centreAddress = '10.80.0.1';
export const terminalName = 'UTO-0001-1';
const sources = [process.execPath, resolve(import.meta.dirname, '../../../bin/main.ts')];

export class Site {
  readonly folder = mkdtempSync(join(tmpdir(), 'checkpost-site-'));
  readonly ns = {
    terminal: namespaceOf('T'),
    agent: namespaceOf('A'),
    internet: namespaceOf('I'),
    centre: namespaceOf('C'),
    one: namespaceOf('H1'),
    two: namespaceOf('H2'),
  };
  readonly lines: readonly LineSpec[];
  readonly logFile = join(this.folder, 'uplink.log');
  readonly settingsFile = join(this.folder, 'uplink.json');
  readonly controlSocket = join(this.folder, 'run/control.sock');
  readonly outer: ManagedProcess;
  readonly inner: ManagedProcess;
  readonly hubs: Readonly<Record<HubName, ManagedProcess>>;
  readonly #program: readonly string[];
  readonly #bootRules: string | undefined;
  readonly #overlay: Readonly<Record<string, unknown>>;
  readonly #onExit = (): void => this.#removeNamespaces();

  constructor({
    lines = [{ name: 'dsl' }, { name: 'lte', kind: 'lte' }],
    settings = {},
    program = sources,
    bootRules,
    around = {},
  }: SiteOptions = {}) {
    this.lines = lines;
    this.#program = program;
    this.#bootRules = bootRules;
    this.#overlay = settings;
    this.outer = this.#half('outer', this.ns.terminal, around.outer);
    this.inner = this.#half('inner', this.ns.agent, around.inner);
    this.hubs = { one: this.#hubProcess('one'), two: this.#hubProcess('two') };
  }

  /** Interface names on the whole machine must differ: the process id is in them. */
  get prefix(): string {
    return `u${interfaceNumber()}`;
  }

  provider(line: string): string {
    return namespaceOf(`P${this.#index(line)}`);
  }

  device(line: string): string {
    return `${line}0`;
  }

  hubInterface(hub: HubName): string {
    return `h${interfaceNumber()}${hub}`;
  }

  /** Builds the network and the hubs, then starts both halves and waits until traffic flows. */
  async start(): Promise<void> {
    await this.build();
    await this.startTerminal();
    await this.connected();
  }

  async build(): Promise<void> {
    sweep();
    process.once('exit', this.#onExit);
    this.#network();
    await this.#prepare();
    await Promise.all(hubNames.map((hub) => this.hubs[hub].start()));
  }

  async startTerminal(): Promise<void> {
    await this.outer.start();
    await this.inner.start();
  }

  /** Waits until the centre answers through the tunnel. */
  async connected(timeoutMs = 30_000): Promise<void> {
    await eventually(() => this.reaches(), { what: `the centre answering (${this.logFile})`, timeoutMs });
  }

  reaches(): boolean {
    try {
      inside(this.ns.agent, 'ping', '-n', '-c', '1', '-W', '1', centreAddress);
      return true;
    } catch {
      return false;
    }
  }

  traffic(options: { everyMs?: number; size?: number } = {}): Traffic {
    return new Traffic(this.ns.agent, centreAddress, options);
  }

  /** What the helper says of itself. */
  async status(): Promise<UplinkStatus> {
    const { status } = await this.ask({ verb: 'status' });
    if (status === undefined) throw new Error('the helper gave no status');
    return status as UplinkStatus;
  }

  /** One request at the control socket, and its answer. */
  ask(request: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, unknown>>> {
    return new Promise((settle, fail) => {
      const socket = createConnection(this.controlSocket);
      socket.setTimeout(5000, () => socket.destroy(new Error('the helper does not answer')));
      socket.once('error', fail);
      socket.once('close', () => fail(new Error('the helper closed the connection')));
      createInterface({ input: socket })
        .on('error', fail)
        .once('line', (line) => {
          settle(JSON.parse(line) as Readonly<Record<string, unknown>>);
          socket.destroy();
        });
      socket.write(`${JSON.stringify({ id: 1, ...request })}\n`);
    });
  }

  /** Runs the command line of the terminal; what it printed, whatever its exit code. */
  checkpost(...args: string[]): string {
    const [program = '', ...first] = this.#program;
    try {
      return execFileSync(program, [...first, ...args], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      });
    } catch (thrown) {
      return (thrown as { stdout?: string }).stdout ?? '';
    }
  }

  log(): string {
    return existsSync(this.logFile) ? readFileSync(this.logFile, 'utf8') : '';
  }

  /** Waits for a line of the log that is written from now on. */
  async logs(text: string | RegExp, timeoutMs = 30_000): Promise<void> {
    const from = this.log().length;
    const found = (part: string): boolean =>
      typeof text === 'string' ? part.includes(text) : text.test(part);
    await eventually(() => found(this.log().slice(from)), {
      what: `the log saying ${text.toString()} (${this.logFile})`,
      timeoutMs,
      everyMs: 2,
    });
  }

  /** Nothing passes the provider any more, in either direction; the cable stays plugged in. */
  silence(line: string): void {
    this.#nft(
      this.provider(line),
      'add table ip cut',
      'add chain ip cut f { type filter hook forward priority 0; policy drop; }',
    );
  }

  mend(line: string): void {
    this.#nft(this.provider(line), 'add table ip cut', 'delete table ip cut');
  }

  unplug(line: string): void {
    run('ip', '-n', this.provider(line), 'link', 'set', `p${this.device(line)}`, 'down');
  }

  plug(line: string): void {
    run('ip', '-n', this.provider(line), 'link', 'set', `p${this.device(line)}`, 'up');
  }

  /** The hub neither hears nor says anything on its outside. */
  silenceHub(hub: HubName): void {
    this.#nft(
      this.ns[hub],
      'add table inet cut',
      'add chain inet cut i { type filter hook input priority 0; policy accept; }',
      `add rule inet cut i iifname "${hub}o" drop`,
      'add chain inet cut o { type filter hook output priority 0; policy accept; }',
      `add rule inet cut o oifname "${hub}o" drop`,
    );
  }

  mendHub(hub: HubName): void {
    this.#nft(this.ns[hub], 'add table inet cut', 'delete table inet cut');
  }

  /** An inner hop that carries no more than `mtu` and does not say so: what is larger vanishes. */
  narrow(line: string, mtu: number): void {
    const index = this.#index(line);
    const drop = [
      'add table ip mute',
      'add chain ip mute o { type filter hook output priority 0; policy accept; }',
    ];
    for (const netns of [this.provider(line), this.ns.internet])
      this.#nft(netns, ...drop, 'add rule ip mute o icmp type destination-unreachable drop');
    run('ip', '-n', this.provider(line), 'link', 'set', `q${index}`, 'mtu', String(mtu));
    run('ip', '-n', this.ns.internet, 'link', 'set', `i${index}`, 'mtu', String(mtu));
  }

  /** The hop carries everything again. */
  widen(line: string): void {
    const index = this.#index(line);
    run('ip', '-n', this.provider(line), 'link', 'set', `q${index}`, 'mtu', '1500');
    run('ip', '-n', this.ns.internet, 'link', 'set', `i${index}`, 'mtu', '1500');
    // Both ends remember for minutes how large a packet may be.
    for (const netns of [this.ns.centre, this.ns.agent]) {
      run('ip', '-n', netns, 'route', 'flush', 'cache');
      run('ip', '-n', netns, 'tcp_metrics', 'flush');
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.inner.stop(), this.outer.stop()]);
    await Promise.all(hubNames.map((hub) => this.hubs[hub].stop()));
    this.#removeNamespaces();
    process.off('exit', this.#onExit);
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Every namespace of the site. */
  namespaces(): string[] {
    return [...Object.values(this.ns), ...this.lines.map(({ name }) => this.provider(name))];
  }

  #removeNamespaces(): void {
    for (const netns of this.namespaces()) removeNamespace(netns);
    removeTunnels((owner) => owner === interfaceNumber());
  }

  #index(line: string): number {
    const at = this.lines.findIndex(({ name }) => name === line);
    if (at < 0) throw new Error(`there is no line ${line}`);
    return at;
  }

  #nft(netns: string, ...commands: string[]): void {
    execFileSync('ip', ['netns', 'exec', netns, 'nft', '-f', '-'], { input: `${commands.join('\n')}\n` });
  }

  #network(): void {
    const { terminal, internet, centre } = this.ns;
    for (const netns of this.namespaces()) {
      addNamespace(netns);
      inside(netns, 'sysctl', '-qw', 'net.ipv4.ping_group_range=0 2147483647');
      if (netns !== terminal && netns !== this.ns.agent)
        inside(netns, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
    }
    if (this.#bootRules !== undefined) inside(terminal, 'nft', '-f', this.#bootRules);
    this.lines.forEach(({ name }, at) => {
      const provider = this.provider(name);
      const [inner, outer] = [`10.${at + 1}.0`, `10.${at + 11}.0`];
      connect(
        { netns: terminal, device: this.device(name), address: `${inner}.2/24` },
        { netns: provider, device: `p${this.device(name)}`, address: `${inner}.1/24` },
      );
      connect(
        { netns: provider, device: `q${at}`, address: `${outer}.1/24` },
        { netns: internet, device: `i${at}`, address: `${outer}.2/24` },
      );
      run('ip', '-n', provider, 'route', 'add', 'default', 'via', `${outer}.2`);
      run('ip', '-n', internet, 'route', 'add', `${inner}.0/24`, 'via', `${outer}.1`);
      // As DHCP or the modem would.
      run(
        'ip',
        '-n',
        terminal,
        'route',
        'add',
        'default',
        'via',
        `${inner}.1`,
        'dev',
        this.device(name),
        'metric',
        String(100 + at),
      );
    });
    for (const hub of hubNames) {
      const { outer, centre: net, last } = hubNets[hub];
      connect(
        { netns: internet, device: `i${hub}`, address: `${outer}.1/24` },
        { netns: this.ns[hub], device: `${hub}o`, address: `${outer}.10/24` },
      );
      connect(
        { netns: this.ns[hub], device: `${hub}c`, address: `${net}.2/24` },
        { netns: centre, device: `c${hub}`, address: `${net}.1/24` },
      );
      run('ip', '-n', this.ns[hub], 'route', 'add', 'default', 'via', `${outer}.1`);
      run('ip', '-n', this.ns[hub], 'route', 'add', `${centreAddress}/32`, 'via', `${net}.1`);
      run('ip', '-n', centre, 'route', 'add', '10.77.0.0/16', 'via', `${net}.2`, 'table', String(last));
      run('ip', '-n', centre, 'rule', 'add', 'fwmark', String(last), 'lookup', String(last));
    }
    run('ip', '-n', centre, 'address', 'add', `${centreAddress}/32`, 'dev', 'lo');
    run('ip', '-n', centre, 'route', 'add', '10.77.0.0/16', 'via', `${hubNets.one.centre}.2`);
    // The centre answers by the hub that the question came through (docs/hubs.md).
    this.#nft(
      centre,
      'add table ip back',
      'add chain ip back p { type filter hook prerouting priority mangle; }',
      ...hubNames.map((hub) => `add rule ip back p iifname "c${hub}" ct mark set ${hubNets[hub].last}`),
      'add chain ip back o { type route hook output priority mangle; }',
      'add rule ip back o meta mark set ct mark',
    );
  }

  /** Keys and settings: the terminal's public keys are asked of its own command line, as an engineer would. */
  async #prepare(): Promise<void> {
    for (const hub of hubNames) mkdirSync(join(this.folder, hub, 'state'), { recursive: true });
    const keyOf = (hub: HubName): string => {
      writeFileSync(join(this.folder, hub, 'hub.key'), run('wg', 'genkey'), { mode: 0o600 });
      return execFileSync('wg', ['pubkey'], {
        input: readFileSync(join(this.folder, hub, 'hub.key')),
        encoding: 'utf8',
      }).trim();
    };
    mkdirSync(join(this.folder, 'psk'), { mode: 0o700 });
    for (const hub of hubNames)
      writeFileSync(join(this.folder, `psk/${hub}.psk`), run('wg', 'genpsk'), { mode: 0o600 });
    writeFileSync(
      this.settingsFile,
      JSON.stringify({
        terminal: terminalName,
        interface: this.prefix,
        namespace: this.ns.agent,
        state: 'state',
        run: 'run',
        privateKey: 'tunnel.key',
        presharedKeys: 'psk',
        agentUser: 'nobody',
        addresses: ['10.77.0.2/32'],
        reach: ['10.80.0.0/16'],
        uplinks: this.lines.map(
          ({ name, kind = 'ethernet', metered = false, metric, monthlyMegabytes = 0 }, at) => ({
            name,
            device: this.device(name),
            kind,
            metered,
            monthlyMegabytes,
            metric: metric ?? 10 * (at + 1),
            probeAddress: `10.78.0.${at + 2}`,
          }),
        ),
        hubs: hubNames.map((hub) => ({
          name: hub,
          publicKey: keyOf(hub),
          endpoint: `${hubNets[hub].outer}.10:51820`,
          address: `10.77.255.${hubNets[hub].last}`,
          probeAddress: `10.78.255.${hubNets[hub].last}`,
        })),
        probe: { failbackSeconds: 2 },
        keys: { rotateDays: 0 },
        log: { level: 'debug' },
        ...this.#overlay,
      }),
    );
    const keys = JSON.parse(
      this.checkpost('uplink', '--config', this.settingsFile, '--public-key', '--json'),
    ) as {
      keys: { slot: string; publicKey: string }[];
    };
    const publicKey = (slot: string): string | undefined =>
      keys.keys.find((one) => one.slot === slot)?.publicKey;
    for (const hub of hubNames) {
      const psk = readFileSync(join(this.folder, `psk/${hub}.psk`), 'utf8').trim();
      writeFileSync(
        join(this.folder, hub, 'terminals.json'),
        JSON.stringify([
          {
            terminal: terminalName,
            address: '10.77.0.2',
            publicKey: publicKey('tunnel'),
            presharedKey: psk,
            probes: this.lines.map(({ name }, at) => ({
              uplink: name,
              address: `10.78.0.${at + 2}`,
              publicKey: publicKey(`probe-${name}`),
              presharedKey: psk,
            })),
          },
        ]),
        { mode: 0o600 },
      );
      writeFileSync(
        join(this.folder, hub, 'hub.json'),
        JSON.stringify({
          name: hub,
          interface: this.hubInterface(hub),
          privateKey: 'hub.key',
          address: `10.77.255.${hubNets[hub].last}`,
          probeAddress: `10.78.255.${hubNets[hub].last}`,
          terminals: 'terminals.json',
          state: 'state',
        }),
      );
    }
  }

  #half(part: 'outer' | 'inner', netns: string, around: readonly string[] = []): ManagedProcess {
    const args = ['uplink', '--config', this.settingsFile, '--part', part];
    return new ManagedProcess({
      name: part,
      command: 'ip',
      args: ['netns', 'exec', netns, ...around, ...this.#program, ...args],
      logFile: this.logFile,
      waitForReady: true,
    });
  }

  #hubProcess(hub: HubName): ManagedProcess {
    const [command, ...args] = ['ip', 'netns', 'exec', this.ns[hub], ...this.#program];
    return new ManagedProcess({
      name: `hub ${hub}`,
      command: command ?? '',
      args: [...args, 'hub', '--config', join(this.folder, hub, 'hub.json')],
      logFile: join(this.folder, `${hub}.log`),
      waitForReady: true,
    });
  }
}
