import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AgentSettings } from '#contracts/settings/agent.ts';
import { parseSettings } from '#runtime/settings.ts';
import { command as authority } from '../../../bin/commands/authority.ts';
import { command as edition } from '../../../bin/commands/edition.ts';
import { command as enrol } from '../../../bin/commands/enrol.ts';
import { command as site } from '../../../bin/commands/site.ts';
import { startCapture } from '../capture/index.ts';
import { ManagedProcess } from '../process.ts';
import {
  addNamespace,
  interfaceNumber,
  namespaceOf,
  removeNamespace,
  run,
  sweep,
} from '../site/namespaces.ts';
import { checkout, run as checkpost } from '../stack.ts';
import { bytesOf, type Metered } from './cost.ts';

/** What a tunnel leaves of 1500 bytes where it knows no better. */
const mtu = 1420;
const ports = { broker: 8883, lookup: 8443, console: 8080 };

/**
 * A whole centre (broker, lookup service, controller) behind a line of its own, and an enrolled terminal's keys on this
 * side of it. Whatever this process says to the centre crosses the line and is captured there, packet by packet.
 */
export class LineMeter {
  readonly settings: AgentSettings;
  readonly #netns: string;
  readonly #device: string;
  readonly #folder: string;
  readonly #processes: readonly ManagedProcess[];

  private constructor(
    parts: Readonly<{ settings: AgentSettings; netns: string; device: string; folder: string }>,
    processes: readonly ManagedProcess[],
  ) {
    this.settings = parts.settings;
    this.#netns = parts.netns;
    this.#device = parts.device;
    this.#folder = parts.folder;
    this.#processes = processes;
  }

  static async open(folder: string): Promise<LineMeter> {
    sweep();
    const netns = namespaceOf('meter');
    const device = `m${interfaceNumber()}a`;
    const address = addLine(netns, device);
    const processes: ManagedProcess[] = [];
    try {
      const files = await provision(folder, address);
      const inside = (name: string, command: string, args: readonly string[], waitForReady: boolean) =>
        new ManagedProcess({
          name,
          command: 'ip',
          args: ['netns', 'exec', netns, command, ...args],
          logFile: join(folder, `${name}.log`),
          waitForReady,
          readyTimeoutMs: 60_000,
        });
      processes.push(
        inside('broker', '/usr/sbin/mosquitto', ['-c', files.broker], false),
        inside('central', join(checkout, 'dist/bin/checkpost'), ['central', '--config', files.central], true),
      );
      for (const one of processes) await one.start();
      const settings = parseSettings(
        AgentSettings,
        JSON.parse(readFileSync(files.agent, 'utf8')) as unknown,
        files.agent,
      );
      if (!settings.ok) throw new Error(settings.fault.detail);
      return new LineMeter({ settings: settings.value, netns, device, folder }, processes);
    } catch (thrown) {
      for (const one of processes) await one.stop('SIGKILL');
      removeNamespace(netns);
      throw thrown;
    }
  }

  /** What crossed the line between the terminal and the centre while `work` ran. */
  async during(work: () => Promise<void>): Promise<Metered> {
    const terminal = {
      device: inner(this.#device),
      terminalDevice: this.#device,
      mac: macHere(this.#device),
    };
    const capture = await startCapture({ netns: this.#netns, devices: [terminal], folder: this.#folder });
    let failed: unknown;
    try {
      await work();
    } catch (thrown) {
      failed = thrown;
    }
    const packets = await capture.stop();
    if (failed !== undefined) throw failed;
    return bytesOf(packets, [ports.broker, ports.lookup]);
  }

  async close(): Promise<void> {
    for (const one of this.#processes.toReversed()) await one.stop();
    removeNamespace(this.#netns);
  }
}

const inner = (device: string): string => `${device.slice(0, -1)}b`;

/** A line to a namespace, in segments as a real one has them: no packet that is put together on its way. */
function addLine(netns: string, device: string): string {
  const net = `10.93.${process.pid % 256}`;
  addNamespace(netns);
  run('ip', 'link', 'add', device, 'type', 'veth', 'peer', 'name', inner(device), 'netns', netns);
  const ends = [
    { at: [], name: device, address: `${net}.1/30` },
    { at: ['-n', netns], name: inner(device), address: `${net}.2/30` },
  ];
  for (const { at, name, address } of ends) {
    run('ip', ...at, 'address', 'add', address, 'dev', name);
    run('ip', ...at, 'link', 'set', name, 'mtu', String(mtu), 'gso_max_segs', '1', 'up');
  }
  return `${net}.2`;
}

function macHere(device: string): string {
  const shown = execFileSync('ip', ['-json', 'link', 'show', 'dev', device], { encoding: 'utf8' });
  return (JSON.parse(shown) as { address: string }[])[0]?.address ?? '';
}

/** Everything by the commands that an engineer would use. */
async function provision(folder: string, address: string) {
  const at = (name: string): string => join(folder, name);
  mkdirSync(at('central'), { recursive: true });
  const dir = ['--dir', at('authority')];
  await checkpost(authority, ['init', ...dir, '--bureau', 'UTO', '--no-passphrase']);
  for (const name of ['central', 'controller'])
    await checkpost(authority, ['server', ...dir, '--name', name, '--ip', address, '--out', at(name)]);
  const listening = ['--host', address, '--port', String(ports.broker), '--ip', address];
  const broker = ['broker', ...dir, '--out', at('broker'), ...listening, '--controller', 'controller'];
  await checkpost(authority, broker);
  await checkpost(site, ['add', ...dir, '--id', 'UTO-0001', '--name', 'Specimen crossing']);
  const lookupAt = ['--central-url', `https://${address}:${ports.lookup}`];
  const brokerAt = ['--fleet-url', `mqtts://${address}:${ports.broker}`];
  const bundle = ['bundle', 'UTO-0001', ...dir, '--out', at('stick'), '--json', ...lookupAt, ...brokerAt];
  const { code } = JSON.parse(await checkpost(site, bundle)) as { code: string };
  const enrolling = [at('stick'), '--state', at('terminal'), '--code', code];
  await checkpost(enrol, enrolling);
  await checkpost(authority, ['sign', at('stick'), ...dir, '--code', code]);
  await checkpost(enrol, enrolling);
  const collection = join(checkout, 'central/publisher/specimens.csv');
  const repository = ['--repository', at('repository'), '--authority', at('authority')];
  await checkpost(edition, ['publish', '--csv', collection, ...repository]);
  const central = {
    state: 'state',
    registry: at('authority/registry.json'),
    tls: { authority: 'authority.pem', certificate: 'certificate.pem', key: 'key.pem' },
    lookup: { host: address, port: ports.lookup, collection },
    editions: { repository: at('repository') },
    orders: { key: at('authority/keys/commands.pem'), trusted: at('authority/trusted.json') },
    controller: {
      url: `mqtts://${address}:${ports.broker}`,
      certificate: at('controller/certificate.pem'),
      key: at('controller/key.pem'),
    },
    console: { port: ports.console, access: 'open' },
  };
  writeFileSync(at('central/central.json'), JSON.stringify(central));
  return {
    broker: at('broker/mosquitto.conf'),
    central: at('central/central.json'),
    agent: at('terminal/agent.json'),
  };
}
