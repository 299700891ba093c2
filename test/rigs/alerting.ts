import { randomFillSync } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type AlertBook,
  alertsSchema,
  AlertTask,
  createRouting,
  openAlertBook,
  type TerminalTroubles,
} from '#central/alerts/index.ts';
import type { Db } from '#central/store/index.ts';
import type { Alert } from '#contracts/api/alerts.ts';
import type { Condition } from '#contracts/health.ts';
import { ok, type Result } from '#contracts/result.ts';
import type { AlertSettings } from '#contracts/settings/alerting.ts';
import { CentralSettings } from '#contracts/settings/central.ts';
import { instant } from '#runtime/clock.ts';
import { toError } from '#runtime/errors.ts';
import { silentLog } from '#runtime/log.ts';
import { TestClock } from '#runtime/test-clock.ts';
import { Default } from 'typebox/value';
import type { TestDatabase } from './databases.ts';

export const alertTables = [alertsSchema];

export function valueOf<T>(result: Result<T>): T {
  if (!result.ok) throw toError(result.fault);
  return result.value;
}

/** A group of the centre's settings with its defaults, as a file that says only this gives it. */
export function withDefaults<K extends 'alerts' | 'notifications'>(
  group: K,
  given: object,
): CentralSettings[K] {
  return Default(CentralSettings.properties[group], structuredClone(given)) as CentralSettings[K];
}

export interface AuditLine {
  readonly by: string;
  readonly action: string;
  readonly terminal: string | null;
  readonly bureau: string | null;
  readonly text: string;
}

/** A fleet whose troubles the test says, and one or more leaders over it: each pass is made by hand, on a clock moved by hand. */
export class AlertRig {
  readonly clock = new TestClock('2026-01-15T08:00:00.000Z');
  readonly audit: AuditLine[] = [];
  centre: Condition[] = [];
  readonly #fleet = new Map<string, TerminalTroubles>();
  readonly #database: TestDatabase;
  readonly #settings: AlertSettings;
  readonly #notifications: CentralSettings['notifications'];
  #book: AlertBook | undefined;
  #task: AlertTask | undefined;

  private constructor(database: TestDatabase, settings: object, notifications: object) {
    this.#database = database;
    this.#settings = withDefaults('alerts', settings);
    this.#notifications = withDefaults('notifications', notifications);
  }

  static async open(
    database: TestDatabase,
    { alerts = {}, notifications = {} }: { alerts?: object; notifications?: object } = {},
  ): Promise<AlertRig> {
    const rig = new AlertRig(database, alerts, notifications);
    await rig.#begin();
    return rig;
  }

  get book(): AlertBook {
    if (this.#book === undefined) throw new Error('It is not open.');
    return this.#book;
  }

  get task(): AlertTask {
    if (this.#task === undefined) throw new Error('It is not open.');
    return this.#task;
  }

  get db(): Db {
    return this.#database.db;
  }

  async openBook(db: Db): Promise<AlertBook> {
    return valueOf(
      await openAlertBook({
        db,
        clock: this.clock,
        log: silentLog,
        settings: this.#settings,
        routing: valueOf(createRouting(this.#notifications)),
        audit: (_tx, entry) => {
          this.audit.push(entry);
          return Promise.resolve();
        },
      }),
    );
  }

  /** A leader of its own over the same fleet, in the process that has this database open. */
  lead(db: Db, book = this.book): AlertTask {
    return new AlertTask({
      db,
      source: {
        all: () => Promise.resolve(ok([...this.#fleet.values()])),
        of: (terminals) =>
          Promise.resolve(ok(terminals.flatMap((terminal) => this.#fleet.get(terminal) ?? []))),
      },
      centreTroubles: () => this.centre,
      maintenance: book.maintenance,
      settings: this.#settings,
      routing: valueOf(createRouting(this.#notifications)),
      giveUpHours: this.#notifications.giveUpHours,
      clock: this.clock,
      random: () => 0.5,
      randomBytes: (bytes) => randomFillSync(bytes),
      log: silentLog,
    });
  }

  /** The process ends and another one begins, with its database. */
  async restart(): Promise<void> {
    await this.#end();
    await this.#database.reopen();
    await this.#begin();
  }

  async close(): Promise<void> {
    await this.#end();
    await this.#database.close();
  }

  async #begin(): Promise<void> {
    this.#book = await this.openBook(this.db);
    this.#task = this.lead(this.db);
  }

  async #end(): Promise<void> {
    await this.#task?.stop();
    this.#book?.close();
  }

  /** Says how a terminal is: `site` is the part of its id before the last hyphen. */
  terminal(
    terminal: string,
    { state = 'online', conditions = [], metered = false, since }: Partial<Told> = {},
  ): void {
    const now = instant(this.clock.wall());
    const before = this.#fleet.get(terminal);
    this.#fleet.set(terminal, {
      terminal,
      site: terminal.slice(0, terminal.lastIndexOf('-')),
      bureau: terminal.slice(0, 3),
      state,
      since: since ?? (before?.state === state ? before.since : now),
      metered,
      conditions: conditions.map((code) => {
        const [name = '', subject] = code.split(' ');
        return { code: name, since: now, ...(subject !== undefined && { subject }) };
      }),
    });
  }

  /** One pass over everything, after so many seconds. */
  async pass(seconds = 0, task = this.task): Promise<void> {
    await this.clock.advance(seconds * 1000);
    valueOf(await task.reconcile(true));
  }

  async alerts(which: 'open' | 'standing' | 'all' = 'all'): Promise<Alert[]> {
    return [...valueOf(await this.book.list({ which, limit: 1000 })).alerts].reverse();
  }

  /** What was written to be told, in order: event, code and channel. */
  async notices(): Promise<string[]> {
    const rows = valueOf(
      await this.db.read((tx) =>
        tx.all<{ event: string; code: string; channel: string }>(
          'SELECT n.event, a.code, n.channel FROM notices n JOIN alerts a ON a.id = n.alert ORDER BY n.id',
        ),
      ),
    );
    return rows.map(({ event, code, channel }) => `${event} ${code} ${channel}`);
  }
}

interface Told {
  readonly state: TerminalTroubles['state'];
  /** Codes, each with its subject after a space. */
  readonly conditions: readonly string[];
  readonly metered: boolean;
  readonly since: string;
}

export interface WebhookSink {
  readonly url: string;
  readonly posts: readonly { readonly headers: IncomingHttpHeaders; readonly body: string }[];
  /** What the next posts are answered, one after the other; 204 afterwards. */
  answer(...statuses: readonly number[]): void;
  close(): Promise<void>;
}

/** A server that keeps what is posted to it, refused posts too. */
export async function startWebhookSink(): Promise<WebhookSink> {
  const posts: { headers: IncomingHttpHeaders; body: string }[] = [];
  const statuses: number[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      posts.push({ headers: request.headers, body: Buffer.concat(chunks).toString('utf8') });
      const status = statuses.shift() ?? 204;
      response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    posts,
    answer: (...next) => void statuses.push(...next),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
