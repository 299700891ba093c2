import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { command as authority } from '../../../../bin/commands/authority.ts';
import { command as enrol } from '../../../../bin/commands/enrol.ts';
import { command as siteCommand } from '../../../../bin/commands/site.ts';
import { eventually } from '../../eventually.ts';
import { ManagedProcess } from '../../process.ts';
import { run as type } from '../../stack.ts';
import { inside } from '../namespaces.ts';
import { centreAddress, type Site } from '../site.ts';
import { nobody } from './watched-site.ts';

/** systemd/checkpost-agent.service, in the words of setpriv(1): what is run by it has no capability, and gains none. */
export const sandbox = [
  `setpriv --pdeathsig KILL --reuid ${nobody} --regid ${nobody} --clear-groups`,
  '--no-new-privs --bounding-set -all --inh-caps -all --ambient-caps -all --',
].flatMap((part) => part.split(' '));

const program = resolve(import.meta.dirname, '../../../../bin/main.ts');
const [lookupPort, brokerPort] = [7443, 8883];
/** Takes connections and says nothing: the agent waits, and holds its sockets meanwhile. */
const silentCentre = `
const { createServer } = require('node:net');
const listen = (port, then) =>
  createServer((socket) => socket.on('error', () => {})).listen(port, '${centreAddress}', then);
listen(${lookupPort}, () => listen(${brokerPort}, () => console.log('{"event":"ready"}')));
`;

/** A real agent in the namespace of a site, enrolled as any, that speaks to the site's helper and to a silent centre. */
export class SandboxedAgent {
  readonly folder = mkdtempSync(join(tmpdir(), 'checkpost-sandbox-'));
  readonly logFile = join(this.folder, 'agent.log');
  readonly #site: Site;
  readonly #centre: ManagedProcess;
  #agent: ChildProcess | undefined;

  constructor(site: Site) {
    this.#site = site;
    this.#centre = new ManagedProcess({
      name: 'the centre',
      command: 'ip',
      args: ['netns', 'exec', site.ns.centre, process.execPath, '-e', silentCentre],
      logFile: join(this.folder, 'centre.log'),
      waitForReady: true,
    });
  }

  get pid(): number {
    if (this.#agent?.pid === undefined) throw new Error('it has not been started');
    return this.#agent.pid;
  }

  /** The site has been started. */
  async start(): Promise<void> {
    const config = await this.#enrol();
    await this.#centre.start();
    const { controlSocket, folder, ns } = this.#site;
    chmodSync(folder, 0o755);
    // As the units do by the group of the agent.
    for (const path of [join(folder, 'run'), controlSocket]) chownSync(path, statSync(path).uid, nobody);
    // Files, since pipes of Node are sockets, and it is to have none that was made outside.
    const log = openSync(this.logFile, 'a');
    const command = [...sandbox, process.execPath, program, 'agent', '--config', config];
    this.#agent = spawn('ip', ['netns', 'exec', ns.agent, ...command], { stdio: ['ignore', log, log] });
    closeSync(log);
    await eventually(() => readFileSync(this.logFile, 'utf8').includes('"event":"ready"'), {
      what: `the agent being ready (${this.logFile})`,
      timeoutMs: 20_000,
      failAtOnce: () => this.#agent?.exitCode !== null,
    });
  }

  /** Waits until it holds both of its connections to the centre. */
  async connected(): Promise<void> {
    const isConnectedTo = (port: number): boolean => {
      const hex = port.toString(16).toUpperCase().padStart(4, '0');
      // 01 is ESTABLISHED: proc_net_tcp of the kernel's documentation.
      return inside(this.#site.ns.agent, 'cat', '/proc/net/tcp').includes(`:${hex} 01 `);
    };
    await eventually(() => isConnectedTo(lookupPort) && isConnectedTo(brokerPort), {
      what: `its connections to the centre (${this.logFile})`,
      timeoutMs: 20_000,
    });
  }

  async close(): Promise<void> {
    const agent = this.#agent;
    if (agent !== undefined && agent.exitCode === null && agent.signalCode === null) {
      const ended = new Promise((done) => agent.once('exit', done));
      agent.kill('SIGKILL');
      await ended;
    }
    await this.#centre.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Configuration and certificates as enrolment makes them, given to the agent's user. */
  async #enrol(): Promise<string> {
    const at = (name: string): string => join(this.folder, name);
    const dir = ['--dir', at('authority')];
    const centre = [
      '--central-url',
      `https://${centreAddress}:${lookupPort}`,
      '--fleet-url',
      `mqtts://${centreAddress}:${brokerPort}`,
    ];
    await type(authority, ['init', ...dir, '--bureau', 'UTO', '--no-passphrase']);
    await type(siteCommand, ['add', ...dir, '--id', 'UTO-0001', '--name', 'Specimen crossing']);
    const bundle = ['bundle', 'UTO-0001', ...dir, '--out', at('stick'), '--json', ...centre];
    const { code } = JSON.parse(await type(siteCommand, bundle)) as { code: string };
    const enrolling = [at('stick'), '--state', at('terminal'), '--code', code];
    await type(enrol, enrolling);
    await type(authority, ['sign', at('stick'), ...dir, '--code', code]);
    await type(enrol, enrolling);
    const config = at('terminal/agent.json');
    const settings = JSON.parse(readFileSync(config, 'utf8')) as object;
    const changes = {
      officer: { host: '127.0.0.1', port: 0 },
      uplink: { socket: this.#site.controlSocket },
    };
    writeFileSync(config, JSON.stringify({ ...settings, ...changes }));
    chmodSync(this.folder, 0o755);
    execFileSync('chown', ['-R', `${nobody}:${nobody}`, at('terminal')]);
    return config;
  }
}
