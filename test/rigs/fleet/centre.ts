import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { CentreState } from '#contracts/api/fleet.ts';
import { command as authority } from '../../../bin/commands/authority.ts';
import { eventually } from '../eventually.ts';
import { startPostgres, type TestPostgres } from '../postgres.ts';
import { ManagedProcess } from '../process.ts';
import { checkout, ours, run } from '../stack.ts';

export interface FleetCentreOptions {
  /** An empty folder for everything that it writes. */
  readonly folder: string;
  readonly store: 'sqlite' | 'postgres';
  /** Several share the work; with PostgreSQL alone. */
  readonly controllers: number;
  /** Changes to the groups of its settings. */
  readonly settings?: Readonly<Record<string, object>>;
}

export interface RunningController {
  readonly name: string;
  readonly process: ManagedProcess;
  readonly url: string;
}

/**
 * A centre for a played fleet, of the real parts: an authority, Mosquitto with the configuration that `checkpost
 * authority broker` writes, `checkpost central` once or several times, and its database.
 */
export class FleetCentre {
  readonly authority: string;
  readonly registry: string;
  readonly brokerUrl: string;
  readonly broker: ManagedProcess;
  readonly controllers: readonly RunningController[];
  readonly #options: FleetCentreOptions;
  readonly #postgres: { readonly server: TestPostgres; readonly url: string } | undefined;

  private constructor(
    options: FleetCentreOptions,
    parts: Pick<FleetCentre, 'broker' | 'brokerUrl' | 'controllers'> & {
      readonly postgres: { readonly server: TestPostgres; readonly url: string } | undefined;
    },
  ) {
    this.#options = options;
    this.authority = join(options.folder, 'authority');
    this.registry = join(options.folder, 'fleet.json');
    this.broker = parts.broker;
    this.brokerUrl = parts.brokerUrl;
    this.controllers = parts.controllers;
    this.#postgres = parts.postgres;
  }

  /** Makes everything; the broker runs, the controllers are started by `start` when there is a registry. */
  static async prepare(options: FleetCentreOptions): Promise<FleetCentre> {
    const { folder } = options;
    const at = (...names: readonly string[]): string => join(folder, ...names);
    mkdirSync(at('logs'), { recursive: true });
    const names = Array.from({ length: options.controllers }, (_, n) =>
      n === 0 ? 'controller' : `controller-${n + 1}`,
    );
    await run(authority, ['init', '--dir', at('authority'), '--bureau', 'UTO', '--no-passphrase']);
    for (const name of ['central', ...names]) {
      const order = ['--dir', at('authority'), '--name', name, '--out', at(name)];
      await run(authority, ['server', ...order, '--dns', 'localhost', '--ip', '127.0.0.1']);
    }
    const [brokerPort = 0, ...ports] = await freePorts(1 + 2 * names.length);
    const to = ['--dir', at('authority'), '--out', at('broker'), '--port', String(brokerPort)];
    await run(authority, ['broker', ...to, ...names.flatMap((name) => ['--controller', name])]);
    const broker = new ManagedProcess({
      name: 'mosquitto',
      command: '/usr/sbin/mosquitto',
      args: ['-c', at('broker', 'mosquitto.conf')],
      logFile: at('logs', 'broker.log'),
    });
    const server = options.store === 'postgres' ? startPostgres() : undefined;
    const postgres = server === undefined ? undefined : { server, url: server.create() };
    const controllers = names.map((name, n): RunningController => {
      const [console = 0, lookup = 0] = ports.slice(2 * n);
      const config = at(`${name}.json`);
      const settings = settingsOf(folder, { name, broker: brokerPort, console, lookup });
      const store = postgres === undefined ? {} : { store: { url: postgres.url } };
      writeFileSync(config, JSON.stringify(merged({ ...settings, ...store }, options.settings ?? {})));
      return {
        name,
        process: ours(name, ['central', '--config', config], at('logs', `${name}.log`)),
        url: `http://127.0.0.1:${console}`,
      };
    });
    const brokerUrl = `mqtts://localhost:${brokerPort}`;
    const centre = new FleetCentre(options, { broker, brokerUrl, controllers, postgres });
    await centre.startBroker();
    return centre;
  }

  /** Starts all controllers; the registry must be there. */
  async start(): Promise<void> {
    for (const { process } of this.controllers) await process.start();
  }

  /** Starts the broker and waits until it takes connections. */
  async startBroker(): Promise<void> {
    await this.broker.start();
    const port = Number(new URL(this.brokerUrl).port);
    await eventually(() => takes(port), { what: `the broker on port ${port}` });
  }

  /** How the first controller, or another one, sees the fleet. */
  async state(of = 0): Promise<CentreState> {
    const response = await fetch(`${this.controllers[of]?.url}/api/v1/centre`);
    // By its schema; a test of the console keeps it so.
    return (await response.json()) as CentreState;
  }

  /** Processes of the database; none where it is a file. */
  databasePids(): number[] {
    if (this.#postgres === undefined) return [];
    const home = new URL(this.#postgres.url).searchParams.get('host') ?? '';
    const [first = ''] = readFileSync(join(home, 'data', 'postmaster.pid'), 'utf8').split('\n');
    const children = readFileSync(`/proc/${Number(first)}/task/${Number(first)}/children`, 'utf8');
    return [Number(first), ...children.trim().split(' ').map(Number)];
  }

  /** Rows of a statement, each a list of texts. */
  query(statement: string): string[][] {
    if (this.#postgres !== undefined) {
      const { server, url } = this.#postgres;
      const text = server.sql(url, statement);
      return text === '' ? [] : text.split('\n').map((line) => line.split('|'));
    }
    const file = join(this.#options.folder, 'state', 'controller.db');
    const db = new Database(file, { readonly: true, timeout: 10_000 });
    try {
      const rows = db.prepare(statement).raw().all() as unknown[][];
      return rows.map((row) => row.map(String));
    } finally {
      db.close();
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.controllers.map(({ process }) => process.stop()));
    await this.broker.stop();
    this.#postgres?.server.close();
  }
}

function settingsOf(
  folder: string,
  of: { readonly name: string; readonly broker: number; readonly console: number; readonly lookup: number },
): Record<string, object | string> {
  const at = (...names: readonly string[]): string => join(folder, ...names);
  return {
    state: at('state'),
    registry: at('fleet.json'),
    tls: {
      authority: at('central/authority.pem'),
      certificate: at('central/certificate.pem'),
      key: at('central/key.pem'),
    },
    lookup: { port: of.lookup, collection: join(checkout, 'central/publisher/specimens.csv') },
    controller: {
      url: `mqtts://localhost:${of.broker}`,
      certificate: at(of.name, 'certificate.pem'),
      key: at(of.name, 'key.pem'),
    },
    orders: { key: at('authority/keys/commands.pem'), trusted: at('authority/trusted.json') },
    console: { port: of.console, access: 'open' },
    log: { level: 'info' },
  };
}

function merged(
  settings: Record<string, object | string>,
  over: Readonly<Record<string, object>>,
): Record<string, object | string> {
  const result = { ...settings };
  for (const [group, values] of Object.entries(over)) {
    const before = result[group];
    result[group] = typeof before === 'object' ? { ...before, ...values } : values;
  }
  return result;
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, () => {
      const server = createServer();
      return new Promise<typeof server>((done) => server.listen(0, '127.0.0.1', () => done(server)));
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

function takes(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
