import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Credentials, TestAuthority } from './certificates.ts';
import { eventually } from './eventually.ts';
import { ManagedProcess } from './process.ts';

/** A real Mosquitto with mutual TLS and no access rules: for tests of what speaks to it. */
export interface TestBroker {
  readonly process: ManagedProcess;
  readonly port: number;
  /** Starts it and waits until it takes connections. */
  start(): Promise<void>;
}

export interface BrokerOptions {
  readonly folder: string;
  readonly port: number;
  readonly authority: TestAuthority;
  readonly server: Credentials;
  /** Further lines of its configuration. */
  readonly settings?: readonly string[];
}

export async function startBroker(options: BrokerOptions): Promise<TestBroker> {
  const { folder, port, authority, server, settings = [] } = options;
  const at = (name: string): string => join(folder, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(at('authority.pem'), authority.certificate);
  writeFileSync(at('certificate.pem'), server.certificate);
  writeFileSync(at('key.pem'), server.key);
  writeFileSync(
    at('mosquitto.conf'),
    `user root
per_listener_settings false
listener ${port} 127.0.0.1
cafile ${at('authority.pem')}
certfile ${at('certificate.pem')}
keyfile ${at('key.pem')}
tls_version tlsv1.3
require_certificate true
use_identity_as_username true
allow_anonymous false
persistence true
persistence_location ${folder}/
log_dest stderr
${settings.join('\n')}
`,
  );
  const process = new ManagedProcess({
    name: 'mosquitto',
    command: '/usr/sbin/mosquitto',
    args: ['-c', at('mosquitto.conf')],
    logFile: at('mosquitto.log'),
  });
  const start = async (): Promise<void> => {
    await process.start();
    await eventually(() => taken(port), { what: `the broker on port ${port}` });
  };
  await start();
  return { process, port, start };
}

function taken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
