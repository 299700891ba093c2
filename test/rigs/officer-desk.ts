import { startOfficerServer } from '#agent/officer/index.ts';
import { systemClock } from '#runtime/clock.ts';
import { silentLog } from '#runtime/log.ts';
import type { PageServer } from '#runtime/page.ts';
import type { EntryCheck, EntryRequest } from '#contracts/entry.ts';
import { typedReader } from '#contracts/names.ts';
import type { LookupView, TerminalView } from '#contracts/officer.ts';
import type { HitOutcome } from '#contracts/outbox.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import type { Match, Verdict } from '#contracts/verdict.ts';

/** A made-up desk behind the real server of the officer's page: a test says what it shows. */
export class MadeUpDesk {
  readonly outcomes: { lookup: string; outcome: HitOutcome }[] = [];
  /** What was typed and searched. */
  readonly entries: EntryRequest[] = [];
  /** What was typed, each time that it was looked at. */
  readonly checked: EntryRequest[] = [];
  /** Readers that were told to read. */
  readonly triggered: string[] = [];
  /** How what is typed stands, and what a search for it shows. */
  typed: (entry: EntryRequest) => { readonly check: EntryCheck; readonly view?: LookupView } = () => ({
    check: {
      ready: false,
      problems: [{ field: 'number', problem: 'missing' }],
      parts: [],
      stateListed: true,
    },
  });
  /** While set, recording an outcome fails as on a full disk. */
  full = false;
  #terminal: TerminalView = terminalView();
  readonly #views = new Map<string, LookupView>();
  readonly #listeners = new Set<{ lookup(view: LookupView): void; terminal(view: TerminalView): void }>();

  terminal(): TerminalView {
    return this.#terminal;
  }

  lookups(): LookupView[] {
    return [...this.#views.values()];
  }

  acknowledge(lookup: string, outcome: HitOutcome): Result<LookupView> {
    const view = this.#views.get(lookup);
    if (view === undefined) return fail('NOT_FOUND', 'There is no hit with this number to acknowledge.');
    if (this.full) return fail('STORE_FULL', 'The outcome could not be recorded.');
    this.outcomes.push({ lookup, outcome });
    const done = { ...view, acknowledged: { at: view.at, officer: 'unassigned', outcome } };
    this.show(done);
    return ok(done);
  }

  checkEntry(entry: EntryRequest): EntryCheck {
    this.checked.push(entry);
    return this.typed(entry).check;
  }

  enter(entry: EntryRequest): Result<void> {
    const { check, view } = this.typed(entry);
    if (!check.ready) return fail('REQUEST_INVALID', 'What was typed cannot be searched.');
    if (this.full) return fail('STORE_FULL', 'The search could not be recorded.');
    this.entries.push(entry);
    if (view !== undefined) this.show({ ...view, reader: typedReader });
    return ok(undefined);
  }

  trigger(reader: string): Result<void> {
    const known = this.#terminal.readers.find(({ id }) => id === reader);
    if (known === undefined) return fail('NOT_FOUND', 'There is no reader with this name.');
    if (known.state !== 'ready') return fail('READER_SILENT', 'It said nothing to the order to read.');
    this.triggered.push(reader);
    return ok(undefined);
  }

  subscribe(listener: { lookup(view: LookupView): void; terminal(view: TerminalView): void }): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  show(view: LookupView): void {
    this.#views.set(view.lookup, view);
    for (const listener of this.#listeners) listener.lookup(view);
  }

  tell(changes: Partial<TerminalView>): void {
    this.#terminal = { ...this.#terminal, ...changes };
    for (const listener of this.#listeners) listener.terminal(this.#terminal);
  }

  /** What an agent that was restarted knows: the hits without an outcome. */
  forget(): void {
    this.#views.clear();
  }
}

export const now = '2026-11-25T08:15:30.000Z';
const source = {
  collection: 'sltd',
  version: 41,
  date: '2026-11-25T05:00:00.000Z',
  count: 23_000_000,
} as const;
const age = { seconds: 11_730, bound: 'exact' } as const;

export function terminalView(changes: Partial<TerminalView> = {}): TerminalView {
  return {
    terminal: 'UTO-0001-1',
    site: 'Specimen crossing',
    demo: true,
    clock: 'verified',
    time: now,
    link: 'up',
    readers: [{ id: 'counter-1', state: 'ready', trigger: false }],
    edition: { source, age, tooOld: false, aging: false, damaged: false },
    owed: 0,
    ...changes,
  };
}

/** A lookup with the id that ends in `n`, at `now` and n seconds. */
export function lookupView(n: number, changes: Partial<LookupView> = {}): LookupView {
  return {
    lookup: `019ac0de-0000-7000-8000-0000beef${n.toString(16).padStart(4, '0')}`,
    at: new Date(Date.parse(now) - 3_600_000 + n * 60_000).toISOString(),
    clock: 'verified',
    reader: 'counter-1',
    officer: 'unassigned',
    training: false,
    phase: 'final',
    document: {
      format: 'TD3',
      documentType: 'passport',
      documentCode: 'P',
      issuingState: 'UTO',
      documentNumber: 'L898902C3',
      expiry: '2030-04-15',
    },
    warnings: ['specimen'],
    verdict: null,
    confirmation: 'not-needed',
    late: false,
    acknowledged: null,
    elapsedMillis: 2.5,
    ...changes,
  };
}

const match: Match = {
  kind: 'exact',
  record: {
    documentType: 'passport',
    kindOfLoss: 'stolen',
    reportedOn: '2026-03-02',
    reportedBy: 'UTO',
    record: 'SLTD-2026-000731',
    reference: 'UTO/2026/17',
    lostOn: '2026-02-27',
  },
};

/** Every verdict that an officer must tell apart. */
export const verdicts = {
  hit: { kind: 'hit', basis: 'edition', source, age, matches: [match], recorded: true },
  possible: {
    kind: 'possible',
    basis: 'central',
    source,
    age,
    matches: [{ ...match, kind: 'variant', number: 'L8989O2C3' }],
    recorded: true,
  },
  'no-record': { kind: 'no-record', basis: 'central', source, age, recorded: true },
  'no-record-copy': { kind: 'no-record', basis: 'edition', source, age, recorded: true },
  unresolved: { kind: 'unresolved', reason: 'edition-too-old', age, recorded: true },
  unreadable: {
    kind: 'unreadable',
    reason: 'line-length',
    spots: [{ line: 2, from: 18, to: 44 }],
    recorded: true,
  },
} as const satisfies Record<string, Verdict>;

/** The officer's page as it ships, with this desk behind it; a port of 0 takes a free one. */
export async function serveDesk(desk: MadeUpDesk, pageDir: string, port = 0): Promise<PageServer> {
  const parts = { host: '127.0.0.1', port, pageDir, log: silentLog, clock: systemClock, desk };
  const started = await startOfficerServer(parts);
  if (!started.ok) throw new Error(started.fault.detail);
  return started.value;
}
