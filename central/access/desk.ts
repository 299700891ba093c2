import { chmodSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import Type, { type Static } from 'typebox';
import { AccountName, AccountRow, ChangeAccount, NewAccount } from '#contracts/api/accounts.ts';
import { type ErrorCode, errors } from '#contracts/errors.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { Clock } from '#runtime/clock.ts';
import { systemCode, toFault } from '#runtime/errors.ts';
import type { Log } from '#runtime/log.ts';
import { parseJson } from '#runtime/parse.ts';
import type { Db } from '../store/index.ts';
import { Accounts } from './accounts.ts';
import { verifyAudit } from './audit.ts';
import { Passwords } from './passwords.ts';

/** What `checkpost account` asks: in its own process, or of the centre that holds the database. */
export const DeskRequest = Type.Union([
  Type.Object(
    { verb: Type.Literal('add'), by: Type.String(), account: NewAccount },
    { additionalProperties: false },
  ),
  Type.Object({ verb: Type.Literal('list') }, { additionalProperties: false }),
  Type.Object(
    { verb: Type.Literal('change'), by: Type.String(), name: AccountName, change: ChangeAccount },
    { additionalProperties: false },
  ),
  Type.Object({ verb: Type.Literal('verify') }, { additionalProperties: false }),
]);
export type DeskRequest = Static<typeof DeskRequest>;

/** The accounts that it concerns, or how many entries of the audit hold together. */
export const DeskAnswer = Type.Object(
  { accounts: Type.Array(AccountRow), entries: Type.Integer({ minimum: 0 }) },
  { additionalProperties: false },
);
export type DeskAnswer = Static<typeof DeskAnswer>;

const Line = Type.Union([
  Type.Object({ ok: Type.Literal(true), value: DeskAnswer }),
  Type.Object({ ok: Type.Literal(false), code: Type.String(), detail: Type.String() }),
]);

const lineLimit = 65_536;

/** Does what was asked. Faults: those of `Accounts` and `verifyAudit`. */
export async function askDesk(db: Db, clock: Clock, request: DeskRequest): Promise<Result<DeskAnswer>> {
  const accounts = new Accounts({ db, clock, passwords: new Passwords() });
  const rows = (found: Result<AccountRow | AccountRow[]>): Result<DeskAnswer> =>
    found.ok ? ok({ accounts: [found.value].flat(), entries: 0 }) : found;
  switch (request.verb) {
    case 'add':
      return rows(await accounts.add(request.account, request.by));
    case 'list':
      return rows(await accounts.list(null));
    case 'change':
      return rows(await accounts.change(request.name, request.change, request.by));
    case 'verify': {
      const entries = await verifyAudit(db);
      return entries.ok ? ok({ accounts: [], entries: entries.value }) : entries;
    }
    default:
      return request satisfies never;
  }
}

/** The socket in the folder of the databases. */
export function deskAt(state: string): string {
  return join(state, 'accounts.sock');
}

/**
 * Lets whoever may write the databases keep accounts while the centre holds the file of SQLite, one line of JSON for a
 * question and one for its answer. It is a Unix socket of mode 0600 in a folder of mode 0700. On PostgreSQL it does nothing.
 */
export function serveDesk(parts: { state: string; db: Db; clock: Clock; log: Log }): Promise<{
  close(): Promise<void>;
}> {
  const { db, clock, log } = parts;
  // PostgreSQL takes whoever comes: the command works in the database itself.
  if (db.kind === 'postgres') return Promise.resolve({ close: () => Promise.resolve() });
  const path = deskAt(parts.state);
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => socket.destroy());
    oneLine(socket)
      .then(async (text) => {
        const request = parseJson(DeskRequest, text, 'REQUEST_INVALID');
        const answer = request.ok ? await askDesk(db, clock, request.value) : request;
        socket.end(
          `${JSON.stringify(answer.ok ? answer : { ok: false, ...answer.fault, cause: undefined })}\n`,
        );
      })
      .catch((thrown: unknown) => {
        log.error('A question of accounts failed', { detail: toFault(thrown).detail });
        socket.destroy();
      });
  });
  const close = (): Promise<void> =>
    new Promise((done) => {
      for (const socket of open) socket.destroy();
      server.close(() => done());
    });
  return new Promise((resolve) => {
    server.on('error', (cause) => {
      // Without it, accounts are kept while the centre stands still.
      log.warn('Accounts cannot be kept from the command line while the centre runs', {
        detail: systemCode(cause) ?? cause.message,
      });
      resolve({ close });
    });
    // Whoever holds the database is the only one: a socket that is there was left behind.
    rmSync(path, { force: true });
    const mask = process.umask(0o177);
    server.listen(path, () => {
      chmodSync(path, 0o600);
      resolve({ close });
    });
    process.umask(mask);
  });
}

/** Asks the centre that runs. Fault: STORE_LOCKED where nobody answers at the socket. */
export async function askRunning(state: string, request: DeskRequest): Promise<Result<DeskAnswer>> {
  const socket = createConnection(deskAt(state));
  try {
    socket.write(`${JSON.stringify(request)}\n`);
    const answer = parseJson(Line, await oneLine(socket), 'STORE_LOCKED');
    if (!answer.ok) return answer;
    if (answer.value.ok) return ok(answer.value.value);
    const { code, detail } = answer.value;
    return fail(isCode(code) ? code : 'INTERNAL', detail);
  } catch (cause) {
    const why = systemCode(cause) ?? 'it was cut off';
    return fail(
      'STORE_LOCKED',
      `Another process holds the database, and ${deskAt(state)} does not answer (${why}).`,
      cause,
    );
  } finally {
    socket.destroy();
  }
}

function isCode(code: string): code is ErrorCode {
  return Object.hasOwn(errors, code);
}

async function oneLine(socket: Socket): Promise<string> {
  socket.setEncoding('utf8');
  let text = '';
  const chunks = socket.iterator({ destroyOnReturn: false }) as AsyncIterable<string>;
  for await (const chunk of chunks) {
    text += chunk;
    const end = text.indexOf('\n');
    if (end >= 0) return text.slice(0, end);
    if (text.length > lineLimit) break;
  }
  return text;
}
