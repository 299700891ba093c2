import type { AlertRow, TerminalRow } from '#contracts/console.ts';
import type { Condition } from '#contracts/health.ts';
import type { OutboxEntry, OwedItem } from '#contracts/outbox.ts';
import type { RegisteredTerminal } from '#contracts/registry.ts';
import type { Presence } from './presence.ts';
import type { ControllerStore } from './store.ts';

/** The row of a registered terminal; `presence` is undefined where it was never heard of. */
export function terminalRow(
  registered: RegisteredTerminal,
  presence: Presence | undefined,
  lostSince: string | undefined,
): TerminalRow {
  const { terminal, bureau, site, siteName } = registered;
  const conditions: Condition[] = [...(presence?.health.conditions ?? [])];
  if (typeof presence?.clonedAt === 'string')
    conditions.push({ code: 'identity-cloned', since: presence.clonedAt });
  if (lostSince !== undefined) conditions.push({ code: 'items-lost', since: lostSince });
  return {
    terminal,
    bureau,
    site,
    siteName,
    state: presence?.state ?? 'never',
    lastSeen: presence?.lastSeen ?? null,
    since: presence?.since ?? null,
    session: presence?.session ?? 0,
    version: presence?.version ?? '',
    health: { ...presence?.health, ...(conditions.length > 0 && { conditions }) },
  };
}

interface StoredAlert {
  readonly id: number;
  readonly terminal: string;
  readonly stream: string;
  readonly seq: number;
  readonly received_at: string;
  readonly body: string;
  readonly acknowledged: string | null;
  readonly confirmation: string | null;
}

/** The alerts of the database as operators see them. */
export class AlertView {
  readonly #store: ControllerStore;

  constructor(store: ControllerStore) {
    this.#store = store;
  }

  /** The latest first, at most `limit`. */
  latest(limit: number): AlertRow[] {
    return this.#store.all<StoredAlert>('SELECT * FROM alerts ORDER BY id DESC LIMIT ?', limit).map(alertRow);
  }

  /** The alert of an item, where the item is one. */
  byId(id: number): AlertRow | undefined {
    const row = this.#store.get<StoredAlert>('SELECT * FROM alerts WHERE id = ?', id);
    return row === undefined ? undefined : alertRow(row);
  }

  /** The alerts of a lookup: there are two where a possible hit became a hit. */
  byLookup(terminal: string, lookup: string): AlertRow[] {
    return this.#store
      .all<StoredAlert>(
        `SELECT * FROM alerts WHERE id IN
           (SELECT id FROM items WHERE terminal = ? AND lookup = ? AND kind = 'hit') ORDER BY id`,
        terminal,
        lookup,
      )
      .map(alertRow);
  }

  /** Hits that no officer has acknowledged; those of training do not count. */
  unacknowledged(): number {
    return (
      this.#store.get<{ n: number }>(
        `SELECT count(*) AS n FROM alerts WHERE kind = 'hit' AND training = 0 AND acknowledged IS NULL`,
      )?.n ?? 0
    );
  }
}

function alertRow(row: StoredAlert): AlertRow {
  // Our own words: each body was parsed by its schema before it was stored.
  const entry = JSON.parse(row.body) as OutboxEntry;
  const acknowledged = row.acknowledged === null ? undefined : (JSON.parse(row.acknowledged) as OutboxEntry);
  const confirmation = row.confirmation === null ? undefined : (JSON.parse(row.confirmation) as OutboxEntry);
  return {
    id: row.id,
    terminal: row.terminal,
    stream: row.stream,
    seq: row.seq,
    at: entry.at,
    receivedAt: row.received_at,
    item: masked(entry.item),
    acknowledged:
      acknowledged?.item.kind === 'hit-acknowledged'
        ? { at: acknowledged.at, outcome: acknowledged.item.outcome, officer: acknowledged.item.officer }
        : null,
    centralConfirmation: confirmation?.item.kind === 'confirmation' ? confirmation.item.result : null,
  };
}

/** The item without its number but for the last three characters; the number of a look-alike is left out. */
function masked(item: OwedItem): OwedItem {
  if (item.kind !== 'hit') return item;
  return {
    ...item,
    document: { ...item.document, documentNumber: maskedNumber(item.document.documentNumber) },
    matches: item.matches.map(({ kind, record }) => ({ kind, record })),
  };
}

/** A number of three characters or fewer shows none of them. */
export function maskedNumber(number: string): string {
  const shown = number.length > 3 ? number.slice(-3) : '';
  return `${'•'.repeat(number.length - shown.length)}${shown}`;
}
