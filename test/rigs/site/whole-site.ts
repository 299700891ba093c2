import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { SignedEnvelope } from '#contracts/configuration.ts';
import { configurationType } from '#contracts/uplink.ts';
import { readPrivateKey, signEnvelope } from '#formats/envelope.ts';
import { toError } from '#runtime/errors.ts';
import { eventually } from '../eventually.ts';
import { ManagedProcess } from '../process.ts';
import { type SerialReader, startSerialReader } from '../serial-reader.ts';
import { checkout } from '../stack.ts';
import { CentreDesk } from './centre-desk.ts';
import { sandbox } from './escape/sandboxed-agent.ts';
import { nobody } from './escape/watched-site.ts';
import { inside, interfaceNumber, removeTunnels, run } from './namespaces.ts';
import { ports, provision, secondAddress } from './provision.ts';
import { centreAddress, hubNames, Site, terminalName } from './site.ts';

const program = join(checkout, 'dist/bin/checkpost');
/** An address of the internet at which nobody is. */
export const nowhere = '203.0.113.77';

export interface WholeSiteOptions {
  /** Of the agent's configuration and of the helper's. */
  readonly probationSeconds: number;
}

/**
 * A site with all that belongs to it as it ships: a real agent without rights in the namespace that has the tunnel
 * alone, a reader, both halves of the uplink, two hubs, and behind them a broker and a centre.
 */
export class WholeSite {
  readonly folder = mkdtempSync(join(tmpdir(), 'checkpost-whole-site-'));
  readonly site: Site;
  readonly agent: ManagedProcess;
  readonly desk = new CentreDesk(this.#at('console.sock'), terminalName);
  readonly agentLog = this.#at('agent.log');
  readonly brokers = {
    usual: `mqtts://${centreAddress}:${ports.broker}`,
    /** The same broker by another address. */
    other: `mqtts://${secondAddress}:${ports.broker}`,
    /** Nobody is there. */
    nobody: `mqtts://10.80.0.9:${ports.broker}`,
    /** Answers, with a certificate of another authority. */
    foreign: `mqtts://${centreAddress}:${ports.foreign}`,
  } as const;
  readonly #probationSeconds: number;
  readonly #processes: readonly ManagedProcess[];
  #reader: SerialReader | undefined;

  constructor({ probationSeconds }: WholeSiteOptions) {
    this.#probationSeconds = probationSeconds;
    this.site = new Site({
      program: [program],
      settings: { probationSeconds, trusted: this.#at('authority/trusted.json') },
    });
    const { agent, centre } = this.site.ns;
    const ready = { waitForReady: true };
    const own = [program, 'agent', '--config', this.#at('terminal/agent.json')];
    this.agent = this.#process('agent', agent, [...sandbox, ...own], ready);
    const { broker, console: page } = ports;
    const relay = ['socat', `UNIX-LISTEN:${this.#at('console.sock')},fork`, `TCP4:127.0.0.1:${page}`];
    const foreign = ['-c', this.#at('foreign/mosquitto.conf')];
    this.#processes = [
      this.#process(`broker on ${broker}`, centre, [
        '/usr/sbin/mosquitto',
        '-c',
        this.#at('broker/mosquitto.conf'),
      ]),
      this.#process('foreign', centre, ['/usr/sbin/mosquitto', ...foreign]),
      this.#process('central', centre, [program, 'central', '--config', this.#at('central.json')], ready),
      this.#process('relay', centre, relay),
    ];
  }

  get reader(): SerialReader {
    if (this.#reader === undefined) throw new Error('it has not been started');
    return this.#reader;
  }

  /** The helper's file, as the network of a signed configuration. */
  get network(): Readonly<Record<string, unknown>> & { readonly hubs: readonly object[] } {
    const { addresses, reach, uplinks, hubs } = JSON.parse(readFileSync(this.site.settingsFile, 'utf8')) as {
      [name: string]: unknown;
      hubs: object[];
    };
    return { addresses, reach, uplinks, hubs };
  }

  async start(): Promise<void> {
    chmodSync(this.folder, 0o755);
    await provision({
      folder: this.folder,
      broker: this.brokers.usual,
      controlSocket: this.site.controlSocket,
      probationSeconds: this.#probationSeconds,
    });
    await this.site.build();
    this.#addresses();
    for (const one of this.#processes) await one.start();
    this.#reader = await startSerialReader({ link: this.#at('reader') });
    this.#openReader();
    await this.startTerminal();
  }

  /** Both halves of the uplink and the agent. */
  async startTerminal(): Promise<void> {
    const { site } = this;
    chmodSync(site.folder, 0o755);
    await site.startTerminal();
    // As the units do by the group of the agent.
    for (const path of [join(site.folder, 'run'), site.controlSocket])
      chownSync(path, statSync(path).uid, nobody);
    await this.agent.start();
  }

  /** All at once, and nothing of the tunnels is left. */
  async cutPower(): Promise<void> {
    const { outer, inner } = this.site;
    await Promise.all([this.agent, outer, inner].map((one) => one.stop('SIGKILL')));
    removeTunnels((owner, name) => owner === interfaceNumber() && name.startsWith(this.site.prefix));
  }

  async plugReader(): Promise<void> {
    await this.reader.replug();
    this.#openReader();
  }

  /** Signed by the bureau's offline key. */
  sign(version: number, network: object): SignedEnvelope {
    const key = readPrivateKey(readFileSync(this.#at('authority/keys/configuration.pem'), 'utf8'));
    if (!key.ok) throw toError(key.fault);
    const payload = { v: 1, terminal: terminalName, version, network };
    const signer = { id: 'configuration-1', key: key.value };
    const {
      payloadType,
      payload: packed,
      signatures,
    } = signEnvelope(configurationType, Buffer.from(JSON.stringify(payload)), signer);
    return { payloadType, payload: packed, signatures: [...signatures] };
  }

  /** From now on what the terminal sends to this address through the tunnel is counted, and lost. */
  swallow(address: string): void {
    for (const hub of hubNames)
      inside(
        this.site.ns[hub],
        'nft',
        `add table ip swallow; add chain ip swallow f { type filter hook forward priority -1; };` +
          ` add rule ip swallow f ip daddr ${address} counter drop`,
      );
  }

  /** So many packets were swallowed so far, whatever they were sent to. */
  swallowed(): number {
    return hubNames.reduce((sum, hub) => sum + this.#counted(this.site.ns[hub], 'swallow'), 0);
  }

  release(): void {
    for (const hub of hubNames)
      inside(this.site.ns[hub], 'nft', 'add table ip swallow; delete table ip swallow');
  }

  /** Packets that were sent to an address of the internet at which nobody is. */
  sentNowhere(): number {
    return this.#counted(this.site.ns.internet, 'nowhere');
  }

  /** How often the broker with the foreign certificate was asked so far. */
  strangers(): number {
    const log = readFileSync(this.#at('foreign.log'), 'utf8');
    return [...log.matchAll(/New connection from /g)].length;
  }

  /** What the agent has on its disk of the configuration that is on probation; undefined where none is. */
  probation(): { running: boolean; trial: { failedMillis: number } } | undefined {
    const file = this.#at('terminal/data/configuration/probation.json');
    if (!existsSync(file)) return undefined;
    return JSON.parse(readFileSync(file, 'utf8')) as { running: boolean; trial: { failedMillis: number } };
  }

  /** Lines of the agent's log that say this of this version, with when, in milliseconds since 1970. */
  logged(text: string, version: number): { readonly at: number; readonly code: string }[] {
    const lines = readFileSync(this.agentLog, 'utf8')
      .split('\n')
      .filter((line) => line.includes(text));
    return lines
      .map((line) => JSON.parse(line) as { time: string; version: number; code?: string })
      .filter((line) => line.version === version)
      .map(({ time, code = '' }) => ({ at: Date.parse(time), code }));
  }

  async close(): Promise<void> {
    await this.agent.stop('SIGKILL');
    await Promise.all(this.#processes.map((one) => one.stop('SIGKILL')));
    await this.#reader?.close();
    await this.site.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #at(name: string): string {
    return resolve(this.folder, name);
  }

  #process(
    name: string,
    netns: string,
    command: readonly string[],
    options: { readonly waitForReady?: boolean } = {},
  ): ManagedProcess {
    const [file = ''] = name.split(' ');
    const args = ['netns', 'exec', netns, ...command];
    return new ManagedProcess({ name, command: 'ip', args, logFile: this.#at(`${file}.log`), ...options });
  }

  /** The agent's user may use it, as udev does it. */
  #openReader(): void {
    chmodSync(realpathSync(this.reader.link), 0o666);
  }

  #counted(netns: string, table: string): number {
    const counts = inside(netns, 'nft', 'list', 'table', 'ip', table).matchAll(/packets (\d+)/g);
    return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
  }

  /** The second address of the centre, and an address of the internet at which nobody is. */
  #addresses(): void {
    const { centre, internet } = this.site.ns;
    run('ip', '-n', centre, 'address', 'add', `${secondAddress}/32`, 'dev', 'lo');
    for (const [hub, via] of [
      ['one', '10.20.0.1'],
      ['two', '10.21.0.1'],
    ] as const)
      run('ip', '-n', this.site.ns[hub], 'route', 'add', `${secondAddress}/32`, 'via', via);
    inside(
      internet,
      'nft',
      'add table ip nowhere; add chain ip nowhere p { type filter hook prerouting priority 0; };' +
        ` add rule ip nowhere p ip daddr ${nowhere} counter drop`,
    );
  }
}

/** Waits until so many milliseconds have passed since `from` (performance.now()). */
export function passes(from: number, millis: number): Promise<unknown> {
  const until = from + millis;
  return eventually(() => performance.now() > until, {
    what: 'time passing',
    timeoutMs: millis + 10_000,
    everyMs: 50,
  });
}
