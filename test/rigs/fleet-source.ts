import type { AlertRow, TerminalRow } from '#contracts/console.ts';
import type { HitItem } from '#contracts/outbox.ts';

interface Listener {
  terminal(row: TerminalRow): void;
  alert(row: AlertRow): void;
}

/** A made-up fleet behind the real server of the operators' page: a test says what it shows. */
export class MadeUpFleet {
  readonly #terminals = new Map<string, TerminalRow>();
  readonly #alerts = new Map<number, AlertRow>();
  readonly #listeners = new Set<Listener>();

  terminals(): TerminalRow[] {
    return [...this.#terminals.values()];
  }

  alerts(limit: number): AlertRow[] {
    return [...this.#alerts.values()].sort((a, b) => b.id - a.id).slice(0, limit);
  }

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  metrics(): Promise<string> {
    return Promise.resolve(`checkpost_terminals ${this.#terminals.size}\n`);
  }

  show(row: TerminalRow): void {
    this.#terminals.set(row.terminal, row);
    for (const listener of this.#listeners) listener.terminal(row);
  }

  raise(row: AlertRow): void {
    this.#alerts.set(row.id, row);
    for (const listener of this.#listeners) listener.alert(row);
  }
}

/** The time that the made-up fleet lives at. */
export const fleetTime = '2026-11-25T08:15:30.000Z';
const before = (minutes: number): string => new Date(Date.parse(fleetTime) - minutes * 60_000).toISOString();
const source = { collection: 'sltd', version: 41, date: before(195), count: 23_000_000 } as const;

export function terminalRow(n: number, changes: Partial<TerminalRow> = {}): TerminalRow {
  const site = `UTO-${String(n).padStart(4, '0')}`;
  return {
    terminal: `${site}-1`,
    bureau: 'UTO',
    site,
    siteName: `Specimen crossing ${n}`,
    state: 'online',
    lastSeen: before(0),
    since: before(420),
    session: 12,
    version: '0.1.0',
    health: {
      clock: { state: 'verified', offsetMillis: 12 },
      readers: [{ id: 'counter-1', state: 'ready' }],
      edition: source,
      outbox: { depth: 0, oldestAt: null },
      conditions: [],
    },
    ...changes,
  };
}

export function hitItem(n: number, changes: Partial<HitItem> = {}): HitItem {
  return {
    kind: 'hit',
    lookup: `019ac0de-0000-7000-8000-0000beef${n.toString(16).padStart(4, '0')}`,
    verdict: 'hit',
    document: { issuingState: 'UTO', documentNumber: '••••••2C3', documentType: 'passport' },
    basis: 'edition',
    source,
    age: { seconds: 11_730, bound: 'exact' },
    matches: [
      {
        kind: 'exact',
        record: {
          documentType: 'passport',
          kindOfLoss: 'stolen',
          reportedOn: '2026-03-02',
          reportedBy: 'UTO',
        },
      },
    ],
    officer: 'unassigned',
    reader: 'counter-1',
    training: false,
    late: false,
    recorded: true,
    ...changes,
  };
}

export function alertRow(n: number, changes: Partial<AlertRow> = {}): AlertRow {
  return {
    id: n,
    terminal: 'UTO-0001-1',
    stream: '019ac0de-0000-7000-8000-00000000aaaa',
    seq: n,
    at: before(30 - n),
    receivedAt: before(30 - n),
    item: hitItem(n),
    acknowledged: null,
    centralConfirmation: null,
    ...changes,
  };
}
