import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { PassThrough } from 'node:stream';
import { chooseProfile } from '#agent/readers/index.ts';
import type { TerminalView } from '#contracts/officer.ts';
import type { ReaderProfile } from '#contracts/readers.ts';
import { systemClock } from '#runtime/clock.ts';
import { toError } from '#runtime/errors.ts';
import { type Command, type CommandContext, execute } from '../../bin/command.ts';
import { command as authority } from '../../bin/commands/authority.ts';
import { command as edition } from '../../bin/commands/edition.ts';
import { command as enrol } from '../../bin/commands/enrol.ts';
import { command as site } from '../../bin/commands/site.ts';
import { eventually } from './eventually.ts';
import { PlayedFleet } from './fleet/fleet.ts';
import { ManagedProcess } from './process.ts';
import { type ReaderSimulator, startReaderSimulator } from './reader-simulator/simulator.ts';

/**
 * A whole Checkpost on this machine: authority, broker, centre, one enrolled terminal and a reader on a real
 * pseudo-terminal. Everything is provisioned by the commands that an engineer would use.
 */
export interface StackOptions {
  /** An empty folder for everything that it writes. */
  readonly folder: string;
  readonly ports?: {
    readonly officer?: number;
    readonly console?: number;
    readonly lookup?: number;
    readonly broker?: number;
  };
  /** Changes to the terminal's configuration, merged over what enrolment wrote. */
  readonly agent?: Readonly<Record<string, unknown>>;
  /** Changes to the centre's configuration, merged likewise. */
  readonly central?: Readonly<Record<string, unknown>>;
  readonly collection?: string;
  /** Which of the profiles that ship the reader is played by, and the terminal told of; `swipe` without it. */
  readonly profile?: string;
  /** A fleet of played terminals beside the real one, in this process. */
  readonly fleet?: { readonly sites: number; readonly terminals: number; readonly seed: number };
  /** Publishes nothing: the terminal has no offline copy to begin with. */
  readonly withoutEdition?: boolean;
  readonly logLevel?: string;
  readonly say?: (text: string) => void;
}

export interface Stack {
  readonly officerUrl: string;
  readonly consoleUrl: string;
  readonly terminal: string;
  readonly folder: string;
  readonly agentConfig: string;
  /** Folder of the terminal's offline copy. */
  readonly editionFolder: string;
  /** The agent's database. */
  readonly agentDatabase: string;
  /** The controller's database. */
  readonly controllerDatabase: string;
  readonly reader: ReaderSimulator;
  /** The played terminals; undefined where none were asked for. */
  readonly fleet: PlayedFleet | undefined;
  readonly broker: ManagedProcess;
  readonly central: ManagedProcess;
  readonly agent: ManagedProcess;
  /** Makes the edition from the collection again: after a test removed it. */
  publishEdition(): Promise<void>;
  /** Takes the offline copy away from the terminal. */
  removeEdition(): void;
  /** What the officer's page knows of the terminal. */
  readonly terminalView: () => Promise<TerminalView>;
  linkIsUp(): Promise<boolean>;
  close(): Promise<void>;
}

const root = resolve(import.meta.dirname, '../..');
/** The folder of the checkout, from the sources as well as from the bundle in dist/. */
export const checkout = existsSync(join(root, 'package.json')) ? root : resolve(process.cwd());
const bureau = 'UTO';
const siteId = 'UTO-0001';

export async function startStack(options: StackOptions): Promise<Stack> {
  const { folder, say = () => {} } = options;
  const at = (name: string): string => join(folder, name);
  for (const name of ['central', 'logs']) mkdirSync(at(name), { recursive: true });
  const ports = await choosePorts(options.ports ?? {});
  const collection = options.collection ?? join(checkout, 'central/publisher/specimens.csv');
  const readerPath = at('reader');
  const profile = shippedProfile(options.profile ?? 'swipe');
  const closers: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const stop of closers.splice(0).reverse()) await stop();
  };
  try {
    say('making the authority, the site and its bundle, and enrolling the terminal');
    await run(authority, ['init', '--dir', at('authority'), '--bureau', bureau, '--no-passphrase']);
    for (const name of ['central', 'controller']) {
      await run(authority, [
        'server',
        '--dir',
        at('authority'),
        '--name',
        name,
        '--dns',
        'localhost',
        '--ip',
        '127.0.0.1',
        '--out',
        at(name),
      ]);
    }
    await run(authority, [
      'broker',
      '--dir',
      at('authority'),
      '--out',
      at('broker'),
      '--port',
      String(ports.broker),
      '--controller',
      'controller',
    ]);
    await run(site, [
      'add',
      '--dir',
      at('authority'),
      '--id',
      siteId,
      '--name',
      'Specimen crossing',
      // It stands on the map of the operators' page.
      '--time-zone',
      'Asia/Tashkent',
      '--latitude',
      '41.52',
      '--longitude',
      '69.03',
    ]);
    const bundled = await run(site, [
      'bundle',
      siteId,
      '--dir',
      at('authority'),
      '--out',
      at('stick'),
      '--json',
      '--central-url',
      `https://localhost:${ports.lookup}`,
      '--fleet-url',
      `mqtts://localhost:${ports.broker}`,
      '--reader',
      `${readerPath},${profile.name}`,
    ]);
    const { code, terminal } = JSON.parse(bundled) as { code: string; terminal: string };
    await run(enrol, [at('stick'), '--state', at('terminal'), '--code', code]);
    await run(authority, ['sign', at('stick'), '--dir', at('authority'), '--code', code]);
    await run(enrol, [at('stick'), '--state', at('terminal'), '--code', code]);

    const agentConfig = at('terminal/agent.json');
    const settings = JSON.parse(readFileSync(agentConfig, 'utf8')) as {
      state: string;
      edition: { folder: string };
    };
    writeJson(
      agentConfig,
      merge(settings, {
        demo: true,
        officer: { port: ports.officer },
        edition: { seed: at('repository') },
        // This machine's own lines carry it: there is no helper.
        uplink: { socket: null },
        log: { level: options.logLevel ?? 'info' },
        ...options.agent,
      }),
    );
    const editionFolder = resolve(at('terminal'), settings.edition.folder);
    const ownCollection = at('central/collection.csv');
    copyFileSync(collection, ownCollection);
    const publishEdition = async (): Promise<void> => {
      await run(edition, [
        'publish',
        '--csv',
        ownCollection,
        '--repository',
        at('repository'),
        '--authority',
        at('authority'),
      ]);
    };
    if (options.withoutEdition !== true) await publishEdition();
    const fleet = options.fleet && (await prepareFleet(folder, options.fleet, ports.broker));
    const centralConfig = at('central/central.json');
    writeJson(
      centralConfig,
      merge(
        {
          state: 'state',
          registry: at('authority/registry.json'),
          ...(fleet !== undefined && { moreRegistries: [at('fleet.json')] }),
          tls: { authority: 'authority.pem', certificate: 'certificate.pem', key: 'key.pem' },
          lookup: { port: ports.lookup, collection: ownCollection },
          editions: { repository: at('repository') },
          orders: { key: at('authority/keys/commands.pem'), trusted: at('authority/trusted.json') },
          controller: {
            url: `mqtts://localhost:${ports.broker}`,
            certificate: at('controller/certificate.pem'),
            key: at('controller/key.pem'),
          },
          console: { port: ports.console, access: 'open' },
          log: { level: options.logLevel ?? 'info' },
        },
        options.central ?? {},
      ),
    );

    say('starting the broker, the centre, the reader and the terminal');
    const processes = {
      broker: new ManagedProcess({
        name: 'mosquitto',
        command: '/usr/sbin/mosquitto',
        args: ['-c', at('broker/mosquitto.conf')],
        logFile: at('logs/broker.log'),
      }),
      central: ours('central', ['central', '--config', centralConfig], at('logs/central.log')),
      agent: ours('agent', ['agent', '--config', agentConfig], at('logs/agent.log')),
    };
    closers.push(
      () => processes.broker.stop(),
      () => processes.central.stop(),
    );
    await processes.broker.start();
    const central = await processes.central.start();
    if (fleet !== undefined) {
      closers.push(() => fleet.close());
      void fleet.start(playedPerSecond);
    }
    const reader = await startReaderSimulator({ profile, link: readerPath, clock: systemClock });
    closers.push(
      () => reader.close(),
      () => processes.agent.stop(),
    );
    const agent = await processes.agent.start();
    const terminalView = async (): Promise<TerminalView> => {
      const response = await fetch(`${String(agent['officer'])}/api/terminal`);
      return (await response.json()) as TerminalView;
    };
    if (options.withoutEdition !== true) {
      await eventually(async () => (await terminalView()).edition !== null, {
        what: 'the first edition being in use',
      });
    }
    return {
      officerUrl: String(agent['officer']),
      consoleUrl: String(central['console']),
      terminal,
      folder,
      agentConfig,
      editionFolder,
      agentDatabase: resolve(at('terminal'), settings.state, 'checkpost.db'),
      controllerDatabase: at('central/state/controller.db'),
      reader,
      fleet,
      ...processes,
      publishEdition,
      removeEdition: () => rmSync(join(editionFolder, 'current.json'), { force: true }),
      terminalView,
      linkIsUp: async () => (await terminalView()).link === 'up',
      close,
    };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

/** So many played terminals begin in a second. */
const playedPerSecond = 20;

/** What is wrong with one of them shows at once, for whoever watches. */
function prepareFleet(
  folder: string,
  order: NonNullable<StackOptions['fleet']>,
  port: number,
): Promise<PlayedFleet> {
  const authorityDir = join(folder, 'authority');
  return PlayedFleet.prepare({
    ...order,
    authority: authorityDir,
    registry: join(folder, 'fleet.json'),
    root: readFileSync(join(authorityDir, 'authority.pem'), 'utf8'),
    url: `mqtts://localhost:${port}`,
    settings: { sampleMillis: 15_000 },
    longestDelaySeconds: 2,
  });
}

function shippedProfile(name: string): ReaderProfile {
  const chosen = chooseProfile({ profile: name }, []);
  if (!chosen.ok) throw toError(chosen.fault);
  return chosen.value;
}

/** One of our own programs, as it ships: the bundle behind the one command. */
export function ours(
  name: string,
  args: readonly string[],
  logFile: string,
  options: { readonly waitForReady?: boolean; readonly readyTimeoutMs?: number } = {},
): ManagedProcess {
  return new ManagedProcess({
    name,
    command: join(checkout, 'dist/bin/checkpost'),
    args,
    logFile,
    waitForReady: true,
    ...options,
  });
}

/** Runs a command as if it were typed; a failure throws what it said. */
export async function run(command: Command, argv: readonly string[]): Promise<string> {
  let out = '';
  let err = '';
  const context: CommandContext = {
    stdin: new PassThrough().end(),
    stdout: { write: (text: string) => (out += text) },
    stderr: { write: (text: string) => (err += text) },
    env: process.env,
    signal: new AbortController().signal,
  };
  const exit = await execute(command, argv, context);
  if (exit !== 0) throw new Error(`${argv.join(' ')} ended with ${exit}: ${err}${out}`);
  return out;
}

async function choosePorts(given: NonNullable<StackOptions['ports']>) {
  const free = await freePorts(4);
  return {
    officer: given.officer ?? free[0] ?? 0,
    console: given.console ?? free[1] ?? 0,
    lookup: given.lookup ?? free[2] ?? 0,
    broker: given.broker ?? free[3] ?? 0,
  };
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

type Json = Record<string, unknown>;

/** A deep merge of plain objects; lists and values of `over` win. */
function merge(base: object, over: object): Json {
  const result: Json = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const before = result[key];
    result[key] = isPlain(before) && isPlain(value) ? merge(before, value) : value;
  }
  return result;
}

function isPlain(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function writeJson(file: string, value: unknown): void {
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
}

/** Removes the folder of a stack that was closed. */
export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}
