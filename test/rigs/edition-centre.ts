import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type LookupService, startLookupService } from '#central/lookup/index.ts';
import { createRepositoryHandler } from '#central/publisher/index.ts';
import { CentralSettings } from '#contracts/settings/central.ts';
import type { Clock } from '#runtime/clock.ts';
import { createLog } from '#runtime/log.ts';
import { parseSettings } from '#runtime/settings.ts';
import { type Credentials, makeAuthority, type TestAuthority } from './certificates.ts';

const root = resolve(import.meta.dirname, '../..');

/** The centre's lookup service with a repository of editions, over real TLS, and one terminal that it knows. */
export interface EditionCentre {
  readonly service: LookupService;
  readonly port: number;
  readonly authority: TestAuthority;
  readonly terminal: Credentials;
  /** Folder of the repository. */
  readonly repository: string;
  /** Puts a file into the repository. */
  put(path: string, bytes: Uint8Array | string): void;
  /** The registry from now on, once the service has looked at it. */
  register(more?: { readonly revokedAt?: string }): void;
}

export interface CentreOrder {
  readonly folder: string;
  readonly clock: Clock;
  readonly log?: (line: string) => void;
  readonly idleMillis?: number;
}

export async function startEditionCentre(order: CentreOrder): Promise<EditionCentre> {
  const { folder, clock, log = () => {} } = order;
  const at = (name: string): string => join(folder, name);
  const authority = await makeAuthority();
  const server = await authority.issue({ name: 'central', dns: ['localhost'], ip: ['127.0.0.1'], days: 30 });
  const terminal = await authority.issue({ name: 'UTO-0001-1', days: 30 });
  mkdirSync(folder, { recursive: true });
  writeFileSync(at('authority.pem'), authority.certificate);
  writeFileSync(at('certificate.pem'), server.certificate);
  writeFileSync(at('key.pem'), server.key);
  copyFileSync(join(root, 'central/publisher/specimens.csv'), at('collection.csv'));
  const register = (more: { readonly revokedAt?: string } = {}): void => {
    const entry = {
      terminal: 'UTO-0001-1',
      bureau: 'UTO',
      site: 'UTO-0001',
      siteName: 'Specimen crossing',
      certificate: terminal.digest,
      enrolledAt: '2026-01-01T00:00:00.000Z',
      ...more,
    };
    writeFileSync(at('registry.json'), JSON.stringify({ v: 1, terminals: [entry] }));
  };
  register();
  const repository = at('repository');
  mkdirSync(join(repository, 'metadata'), { recursive: true });
  mkdirSync(join(repository, 'targets'), { recursive: true });
  const settings = parseSettings(
    CentralSettings,
    {
      state: 'state',
      registry: 'registry.json',
      orders: { key: 'commands.pem', trusted: 'trusted.json' },
      tls: { authority: 'authority.pem', certificate: 'certificate.pem', key: 'key.pem' },
      lookup: { port: 0, collection: 'collection.csv' },
      editions: { repository: 'repository' },
      controller: { url: 'mqtts://localhost:1', certificate: 'x', key: 'x' },
    },
    at('central.json'),
  );
  if (!settings.ok) throw new Error(settings.fault.detail);
  const { idleMillis } = order;
  const service = await startLookupService(settings.value, {
    clock,
    log: createLog('trace', 'test', { write: log }),
    editions: createRepositoryHandler({
      folder: settings.value.editions?.repository ?? '',
      ...(idleMillis !== undefined && { idleMillis }),
    }),
  });
  if (!service.ok) throw new Error(service.fault.detail);
  return {
    service: service.value,
    port: Number(new URL(service.value.url).port),
    authority,
    terminal,
    repository,
    put(path, bytes) {
      mkdirSync(dirname(join(repository, path)), { recursive: true });
      writeFileSync(join(repository, path), bytes);
    },
    register,
  };
}
