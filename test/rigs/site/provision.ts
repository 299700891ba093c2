import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { command as authority } from '../../../bin/commands/authority.ts';
import { command as edition } from '../../../bin/commands/edition.ts';
import { command as enrol } from '../../../bin/commands/enrol.ts';
import { command as siteCommand } from '../../../bin/commands/site.ts';
import { checkout, run as type } from '../stack.ts';
import { nobody } from './escape/watched-site.ts';
import { centreAddress } from './site.ts';

export const ports = { lookup: 7443, broker: 8883, console: 8080, foreign: 8884 } as const;
/** Of the centre too, so that its broker has two addresses. */
export const secondAddress = '10.80.0.2';
export const readerId = 'counter-1';

export interface SitePlan {
  readonly folder: string;
  /** Where the terminal finds its broker. */
  readonly broker: string;
  /** Of the helper of the uplink. */
  readonly controlSocket: string;
  readonly probationSeconds: number;
}

/**
 * Makes all that a whole site needs in its folder, by the commands that an engineer would use: authority, broker, a
 * broker of another authority, centre, an edition, and the enrolled terminal in `terminal/`, which belongs to its user.
 */
export async function provision(plan: SitePlan): Promise<void> {
  const at = (name: string): string => join(plan.folder, name);
  const dir = ['--dir', at('authority')];
  const ip = ['--ip', centreAddress, '--ip', secondAddress];
  await type(authority, ['init', ...dir, '--bureau', 'UTO', '--no-passphrase']);
  for (const name of ['central', 'controller'])
    await type(authority, ['server', ...dir, '--name', name, ...ip, '--out', at(name)]);
  const broker = ['--host', '0.0.0.0', ...ip, '--controller', 'controller'];
  const port = ['--port', String(ports.broker)];
  await type(authority, ['broker', ...dir, '--out', at('broker'), ...port, ...broker]);
  const stranger = ['--dir', at('stranger')];
  await type(authority, ['init', ...stranger, '--bureau', 'UTO', '--no-passphrase']);
  const out = ['--out', at('foreign'), '--port', String(ports.foreign)];
  await type(authority, ['broker', ...stranger, ...out, ...broker]);
  await type(siteCommand, ['add', ...dir, '--id', 'UTO-0001', '--name', 'Specimen crossing']);
  await enrolTerminal(plan, dir);
  const collection = join(checkout, 'central/publisher/specimens.csv');
  const repository = ['--repository', at('repository'), '--authority', at('authority')];
  await type(edition, ['publish', '--csv', collection, ...repository]);
  const central = {
    state: 'state',
    registry: at('authority/registry.json'),
    tls: Object.fromEntries(
      ['authority', 'certificate', 'key'].map((name) => [name, at(`central/${name}.pem`)]),
    ),
    lookup: { host: centreAddress, port: ports.lookup, collection },
    editions: { repository: at('repository') },
    orders: { key: at('authority/keys/commands.pem'), trusted: at('authority/trusted.json') },
    controller: {
      url: plan.broker,
      certificate: at('controller/certificate.pem'),
      key: at('controller/key.pem'),
    },
    console: { port: ports.console, access: 'open' },
    alerts: { offlineSeconds: 0, warningDelaySeconds: 0, errorDelaySeconds: 0 },
  };
  writeFileSync(at('central.json'), JSON.stringify(central), { mode: 0o600 });
}

async function enrolTerminal(plan: SitePlan, dir: readonly string[]): Promise<void> {
  const at = (name: string): string => join(plan.folder, name);
  const centre = ['--central-url', `https://${centreAddress}:${ports.lookup}`, '--fleet-url', plan.broker];
  const reader = ['--reader', `${at('reader')},swipe`];
  const bundle = ['bundle', 'UTO-0001', ...dir, '--out', at('stick'), '--json', ...centre, ...reader];
  const { code } = JSON.parse(await type(siteCommand, bundle)) as { code: string };
  const enrolling = [at('stick'), '--state', at('terminal'), '--code', code];
  await type(enrol, enrolling);
  await type(authority, ['sign', at('stick'), ...dir, '--code', code]);
  await type(enrol, enrolling);
  const config = at('terminal/agent.json');
  const settings = JSON.parse(readFileSync(config, 'utf8')) as { fleet: object; readers: object[] };
  const changes = {
    readers: settings.readers.map((one) => ({ ...one, id: readerId })),
    officer: { host: '127.0.0.1', port: 0 },
    uplink: { socket: plan.controlSocket },
    configuration: { probationSeconds: plan.probationSeconds },
    fleet: {
      ...settings.fleet,
      keepAliveSeconds: 5,
      retryMillis: 300,
      spreadSeconds: 0,
      sampleMillis: 500,
    },
  };
  writeFileSync(config, JSON.stringify({ ...settings, ...changes }));
  execFileSync('chown', ['-R', `${nobody}:${nobody}`, at('terminal')]);
}
