import { Access, accessSchema, type AccessParts } from '#central/access/index.ts';
import { type ConsoleServer, startConsole } from '#central/console/index.ts';
import type { Db } from '#central/store/index.ts';
import type { Role } from '#contracts/api/accounts.ts';
import { CentralSettings } from '#contracts/settings/central.ts';
import type { ConsoleSettings } from '#contracts/settings/console.ts';
import { type Clock, systemClock } from '#runtime/clock.ts';
import { toError } from '#runtime/errors.ts';
import { type Log, silentLog } from '#runtime/log.ts';
import type { Result } from '#contracts/result.ts';
import { Default } from 'typebox/value';
import { sqliteKind } from './databases.ts';
import type { MadeUpCentre } from './made-up-centre.ts';

export interface Desk {
  readonly url: string;
  readonly server: ConsoleServer;
  readonly access: Access;
  readonly db: Db;
  /** Signs a made-up account in; whoever calls it may then ask as that account. */
  signIn(name: string): Promise<Browser>;
  close(): Promise<void>;
}

/** A browser of somebody: its cookie and what it must send with every change. */
export interface Browser {
  readonly cookie: string;
  readonly csrf: string;
  ask(method: string, path: string, body?: unknown): Promise<Response>;
}

export const deskPassword = 'correct horse battery';

/** The real console and the real accounts over a made-up centre, on a free port of this machine. */
export async function openDesk(options: {
  readonly centre: MadeUpCentre;
  readonly pageDir?: string;
  readonly settings?: Partial<ConsoleSettings>;
  readonly clock?: Clock;
  readonly log?: Log;
}): Promise<Desk> {
  const { clock = systemClock, log = silentLog } = options;
  const settings = consoleSettings({ port: 0, ...options.settings });
  const database = await sqliteKind.open([accessSchema]);
  const parts: AccessParts = { settings, db: database.db, clock, log };
  try {
    const access = valueOf(Access.create(parts));
    const server = valueOf(
      await startConsole({
        settings,
        source: options.centre,
        access,
        pageDir: options.pageDir ?? '/nonexistent',
        log,
        clock,
      }),
    );
    return {
      url: server.url,
      server,
      access,
      db: database.db,
      signIn: (name) => signIn(server.url, name),
      async close() {
        await server.close();
        await database.close();
      },
    };
  } catch (thrown) {
    await database.close();
    throw thrown;
  }
}

/** The settings of a console with their defaults. */
export function consoleSettings(changes: Partial<ConsoleSettings> = {}): ConsoleSettings {
  const settings = Default(CentralSettings.properties.console, { ...changes }) as ConsoleSettings;
  const { openIdConnect } = settings;
  if (openIdConnect === undefined) return settings;
  return {
    ...settings,
    openIdConnect: Default(CentralSettings.properties.console.properties.openIdConnect, {
      ...openIdConnect,
    }) as typeof openIdConnect,
  };
}

/** Accounts of each role, of a bureau and over all: `uto-viewer`, `all-operator` … */
export async function addAccounts(access: Access, bureaus: readonly string[]): Promise<void> {
  for (const bureau of [null, ...bureaus]) {
    for (const role of ['administrator', 'operator', 'viewer'] as const satisfies Role[]) {
      const name = `${(bureau ?? 'all').toLowerCase()}-${role}`;
      valueOf(await access.accounts.add({ name, role, bureau, password: deskPassword }, 'test'));
    }
  }
}

async function signIn(url: string, name: string): Promise<Browser> {
  const answer = await fetch(`${url}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, password: deskPassword }),
  });
  if (answer.status !== 200) throw new Error(`${name} is not signed in: ${await answer.text()}`);
  const cookie = answer.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  const { csrf } = (await answer.json()) as { csrf: string };
  return {
    cookie,
    csrf,
    ask: (method, path, body) =>
      fetch(`${url}${path}`, {
        method,
        redirect: 'manual',
        headers: {
          cookie,
          ...(method !== 'GET' && { 'x-checkpost-csrf': csrf }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
  };
}

function valueOf<T>(result: Result<T>): T {
  if (!result.ok) throw toError(result.fault);
  return result.value;
}
