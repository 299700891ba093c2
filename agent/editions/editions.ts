import type { EditionDescription, EditionRecord } from '#contracts/edition.ts';
import { fail, type Fault, ok, type Result } from '#contracts/result.ts';
import type { SearchKey } from '#contracts/search-key.ts';
import { ms, type WallTime } from '#contracts/units.ts';
import type { Edition } from '#formats/edition/index.ts';
import type { NamedSecret } from '#formats/keyed.ts';
import { targetsOf, type Trusted } from '#formats/trust/index.ts';
import type { Clock } from '#runtime/clock.ts';
import { fileStamp } from '#runtime/file-watch.ts';
import { faultFields, type Log } from '#runtime/log.ts';
import { EditionFolder, editionOf, type Generation } from './generation.ts';
import { compact, type Held, type InstallParts, isCompactionDue, tidy } from './install.ts';
import { openKept } from './kept.ts';
import { openGeneration, readFilter } from './open.ts';
import { baseOf, checkDates } from './plan.ts';
import type { EditionEvent, Repository } from './ports.ts';
import { TrustStore } from './trust-store.ts';
import { update } from './update.ts';
import type { Work } from './work.ts';

export interface EditionsParts {
  readonly folder: string;
  /** Root of trust that came with enrolment. */
  readonly root: Buffer;
  /** The bureau's fingerprint keys that this terminal holds now. */
  readonly secrets: () => readonly NamedSecret[];
  /** Gets the key of this id from there where it is not held yet. */
  readonly obtainKey: (id: string, repository: Repository, signal: AbortSignal) => Promise<Result<void>>;
  readonly clock: Clock;
  /** The least that now can be: trusted time, or what is proved to be past. */
  readonly now: () => WallTime;
  /** Trusted time, or undefined where it was not verified in this boot. */
  readonly verified: () => WallTime | undefined;
  readonly log: Log;
  readonly work: Work;
  readonly compactAt: { readonly percent: number; readonly days: number };
  /** Told of what the record and the centre should know. */
  readonly report: (event: EditionEvent) => void;
  /** Another edition, or none, is in use now, or its state is another. Never called before `openEditions` has answered. */
  readonly onChange: () => void;
}

/** An edition in use, as look-ups see it. */
export interface EditionInUse {
  describe(): EditionDescription;
  /** The fault is EDITION_DAMAGED: nobody can say. */
  search(key: SearchKey): Result<readonly EditionRecord[]>;
}

const lookEvery = ms(1000);

/** Opens what is kept; where that is damaged, what was kept before it. The faults are those of the root of trust. */
export async function openEditions(parts: EditionsParts): Promise<Result<Editions>> {
  const folder = new EditionFolder(parts.folder);
  const made = await folder.make();
  // Look-ups at the centre need no edition: the agent starts all the same.
  if (!made.ok) parts.log.error('The folder of the edition cannot be made', faultFields(made.fault));
  const store = new TrustStore(folder.path, parts.root);
  const trusted = await store.open(parts.log);
  if (!trusted.ok) return trusted;
  const editions = new Editions(parts, folder, store, trusted.value);
  await editions.start();
  return ok(editions);
}

/**
 * The offline copy of the collection: what is in use, and how it becomes newer. One thing is done at a time: an update
 * from the centre or from a stick, a compaction, a check of the files. Look-ups go on during all of it and see the
 * edition before or the edition after.
 */
export class Editions {
  readonly #parts: EditionsParts;
  readonly #folder: EditionFolder;
  readonly #store: TrustStore;
  readonly #stop = new AbortController();
  #trusted: Trusted;
  #held: Held | undefined;
  #inUse: EditionInUse | undefined;
  #previous: Generation | undefined;
  /** Read or checked and not as it was written: it has to be fetched again. */
  #damaged = false;
  /** What was refused last, and has not been followed by what could be believed. */
  #refused: Fault | undefined;
  /** Code of the last failure of any kind: said once, not at every attempt. */
  #failed: string | undefined;
  /** Somebody has taken the edition away; it is closed as soon as nothing works with it. */
  #removed = false;
  #busy: Promise<void> = Promise.resolve();
  /** Renewals that are under way or wait; given up for a stick that somebody has brought. */
  readonly #renewals = new Set<AbortController>();
  /** Edition of which no base could be made: not tried again before the next one. */
  #notCompacted = 0;
  #cancelLook = (): void => {};
  #started = false;

  constructor(parts: EditionsParts, folder: EditionFolder, store: TrustStore, trusted: Trusted) {
    this.#parts = parts;
    this.#folder = folder;
    this.#store = store;
    this.#trusted = trusted;
  }

  /** The edition in use, or undefined where there is none. */
  current(): EditionInUse | undefined {
    return this.#inUse;
  }

  /** What stands against it: part of it cannot be read; the last attempt to renew it was refused. */
  state(): { readonly damaged: boolean; readonly refused: Fault | undefined } {
    return { damaged: this.#damaged, refused: this.#refused };
  }

  async start(): Promise<void> {
    const { secrets, log } = this.#parts;
    const { held, previous, damaged, filtered } = await openKept(this.#folder, secrets(), log);
    this.#previous = previous;
    this.#damaged = damaged;
    if (held !== undefined) this.#show(held);
    // Where the generation before had to be taken, what is left of the other one may still be of use to a person.
    if (!damaged) await this.#tidy();
    this.#started = true;
    this.#lookAgain();
    if (!filtered) void this.#alone(() => this.#buildFilter());
  }

  /**
   * Brings the copy up to date from there, and makes a new base where one is due; resolves when it is done. With `atOnce`
   * a download that is under way, which may take hours, is given up for it; what has come of it is kept.
   */
  renew(repository: Repository, { atOnce = false }: { readonly atOnce?: boolean } = {}): Promise<void> {
    if (atOnce) this.#giveUpRenewals();
    const own = new AbortController();
    this.#renewals.add(own);
    return this.#alone(async () => {
      if (!own.signal.aborted) await this.#renewFrom(repository, own.signal);
    }).finally(() => this.#renewals.delete(own));
  }

  #giveUpRenewals(): void {
    for (const renewal of this.#renewals) renewal.abort();
  }

  async #renewFrom(repository: Repository, given: AbortSignal): Promise<void> {
    const done = await this.#update(repository, AbortSignal.any([this.#stop.signal, given]));
    if (!done.ok) this.#refuse(done.fault, repository);
    else if (this.#failed !== undefined) {
      this.#failed = undefined;
      this.#refused = undefined;
      this.#parts.log.info('Editions are renewed again');
      this.#changed();
    }
    if (done.ok) await this.#compactIfDue();
    // Also after a failure: what could not be put in use must not fill the disk.
    if (this.#held !== undefined || !this.#damaged) await this.#tidy();
  }

  async #update(repository: Repository, signal: AbortSignal): Promise<Result<void>> {
    const made = await this.#folder.make();
    if (!made.ok) return made;
    const trusted = await repository.refresh(this.#trusted, this.#parts.now(), async (step) => {
      const kept = await this.#store.keep(step);
      if (kept.ok) this.#trusted = step;
      return kept;
    });
    if (!trusted.ok) return trusted;
    this.#trusted = trusted.value;
    const targets = targetsOf(this.#trusted);
    const dated = checkDates(targets, this.#parts.verified());
    if (!dated.ok) return dated;
    await repository.tidy(new Set(targets.map(({ sha256 }) => sha256)));
    return update(targets, this.#held, {
      ...this.#install(),
      signal,
      replace: this.#damaged,
      repository,
      obtainKey: (id) => this.#parts.obtainKey(id, repository, this.#stop.signal),
      take: (held) => this.#take(held),
    });
  }

  /** Reads all files of the base from end to end, in another thread. */
  verify(): Promise<void> {
    return this.#alone(async () => {
      const read = await this.#readThrough();
      if (!read.ok && read.fault.code !== 'EDITION_DAMAGED')
        this.#parts.log.error('The edition could not be read through', faultFields(read.fault));
    });
  }

  /**
   * Reads the copy through, and fetches from there what is damaged, or all where there is none; the answer says in words
   * what was done. Faults: EDITION_ABSENT, EDITION_DAMAGED where it still is, STOPPED.
   */
  async rebuild(repository: Repository): Promise<Result<string>> {
    let read: Result<void> = fail('STOPPED', 'The edition was not read through.');
    await this.#alone(async () => {
      read = await this.#readThrough();
    });
    const before = this.#held;
    if (read.ok && !this.#damaged && before !== undefined) {
      return ok(`Edition ${editionOf(before.generation)} was read through; nothing of it is damaged.`);
    }
    if (!read.ok && read.fault.code !== 'EDITION_DAMAGED') return read;
    await this.renew(repository);
    if (this.#stop.signal.aborted) return fail('STOPPED', 'The edition was not renewed.');
    const after = this.#held;
    const why = this.#refused?.code ?? this.#failed ?? 'unknown';
    if (after === undefined) return fail('EDITION_ABSENT', `None could be had (${why}).`);
    if (this.#damaged) return fail('EDITION_DAMAGED', `What is damaged could not be had again (${why}).`);
    return ok(`Edition ${editionOf(after.generation)} was fetched again and is in use.`);
  }

  async #readThrough(): Promise<Result<void>> {
    const held = this.#held;
    if (held === undefined) return ok(undefined);
    const { base } = held.generation;
    const files = this.#folder.baseFiles(base.folder);
    const verified = await this.#parts.work(
      {
        kind: 'verify',
        files: [
          { file: files.fingerprints, tree: base.fingerprints.tree },
          { file: files.payload, tree: base.payload.tree },
        ],
      },
      this.#stop.signal,
    );
    if (this.#stop.signal.aborted) return fail('STOPPED', 'The edition was not read through.');
    // Another one is in use by now: what was found is not about it.
    if (verified.ok || this.#held !== held) return ok(undefined);
    if (verified.fault.code === 'EDITION_DAMAGED') this.#foundDamage(verified.fault);
    return verified;
  }

  async close(): Promise<void> {
    this.#started = false;
    this.#stop.abort();
    this.#cancelLook();
    await this.#busy;
    this.#held?.edition.close();
    this.#held = undefined;
    this.#inUse = undefined;
  }

  #install(): InstallParts {
    const { secrets, work } = this.#parts;
    return { folder: this.#folder, secrets, work, signal: this.#stop.signal };
  }

  /** One after the other, whatever is asked for at the same time. */
  #alone(act: () => Promise<void>): Promise<void> {
    this.#busy = this.#busy.then(async () => {
      if (this.#stop.signal.aborted) return;
      try {
        await act();
      } catch (thrown) {
        const detail = thrown instanceof Error ? thrown.message : 'unknown';
        this.#parts.log.error('Work on the editions failed', { code: 'INTERNAL', detail });
      }
    });
    return this.#busy;
  }

  /** Puts an edition in use: on disk first, then for look-ups; what it replaces is closed or shared. */
  async #take(held: Held): Promise<Result<void>> {
    const before = this.#held;
    if (this.#removed) {
      if (held.edition.base !== before?.edition.base) held.edition.close();
      return fail('EDITION_ABSENT', 'The edition was taken away meanwhile.');
    }
    const used = await this.#folder.use(held.generation, this.#damaged ? undefined : before?.generation);
    if (!used.ok) {
      if (held.edition.base !== before?.edition.base) held.edition.close();
      return used;
    }
    if (before !== undefined && before.generation.base.folder !== held.generation.base.folder) {
      this.#previous = this.#damaged ? undefined : before.generation;
    }
    // A delta leaves the base as it is, and its damage too.
    if (before?.edition.base !== held.edition.base) this.#damaged = false;
    this.#show(held);
    if (before !== undefined && before.edition.base !== held.edition.base) before.edition.close();
    const { version, date, count } = held.edition.describe();
    this.#parts.report({ kind: 'edition-in-use', edition: version, date, count });
    this.#changed();
    await this.#tidy();
    return ok(undefined);
  }

  #show(held: Held): void {
    this.#held = held;
    this.#inUse = {
      describe: () => held.edition.describe(),
      search: (key) => {
        const found = searchSafely(held.edition, key);
        if (!found.ok && this.#held === held) this.#foundDamage(found.fault);
        return found;
      },
    };
    const { version, date, count } = held.edition.describe();
    this.#parts.log.info('The edition is in use', { version, date, count });
  }

  #foundDamage(fault: Fault): void {
    if (this.#damaged || this.#held === undefined) return;
    this.#damaged = true;
    this.#parts.log.error('The edition in use is damaged', faultFields(fault));
    this.#parts.report({ kind: 'edition-damaged', edition: editionOf(this.#held.generation), fault });
    this.#changed();
  }

  #refuse(fault: Fault, { name }: Repository): void {
    const { log, report } = this.#parts;
    if (this.#stop.signal.aborted) return;
    const isNew = isRefusal(fault) ? this.#refused?.code !== fault.code : this.#failed !== fault.code;
    this.#failed = fault.code;
    if (isRefusal(fault)) this.#refused = fault;
    if (!isNew) return;
    const stays = this.#held === undefined ? 'none is in use' : 'the one in use stays';
    const fields = { from: name, ...faultFields(fault) };
    if (!isRefusal(fault)) {
      log.warn(`The edition could not be renewed; ${stays}`, fields);
      return;
    }
    log.error(`An edition was refused; ${stays}`, fields);
    report({ kind: 'edition-refused', fault });
    this.#changed();
  }

  async #compactIfDue(): Promise<void> {
    const held = this.#held;
    if (held === undefined || !isCompactionDue(held, this.#parts.compactAt)) return;
    if (editionOf(held.generation) === this.#notCompacted) return;
    // Only a base whose hash is signed is made; with the next edition there is another chance.
    const pair = baseOf(targetsOf(this.#trusted), editionOf(held.generation));
    if (pair === undefined) return;
    const generation = await compact(held, pair, this.#install());
    if (!generation.ok) {
      if (this.#stop.signal.aborted) return;
      this.#notCompacted = editionOf(held.generation);
      this.#parts.log.error('A new base could not be made', faultFields(generation.fault));
      // The base cannot be read, or base and deltas do not make what was signed: what is in use cannot be relied on.
      if (generation.fault.code === 'EDITION_DAMAGED') this.#foundDamage(generation.fault);
      return;
    }
    const opened = await openGeneration(this.#folder, generation.value, this.#parts.secrets());
    if (!opened.ok) {
      this.#parts.log.error('The new base cannot be opened', faultFields(opened.fault));
      return;
    }
    const taken = await this.#take({ generation: generation.value, edition: opened.value.edition });
    if (!taken.ok) this.#parts.log.error('The new base could not be put in use', faultFields(taken.fault));
  }

  /** A filter that is gone or damaged is built again from the base; until then look-ups do without. */
  async #buildFilter(): Promise<void> {
    const held = this.#held;
    if (held === undefined) return;
    const { base, header, overlay } = held.edition;
    const { folder, fingerprints } = held.generation.base;
    const built = await this.#parts.work(
      { kind: 'filter', base: this.#folder.baseFiles(folder), sha256: fingerprints.sha256 },
      this.#stop.signal,
    );
    if (this.#held !== held) return;
    if (!built.ok) {
      if (built.fault.code === 'EDITION_DAMAGED') this.#foundDamage(built.fault);
      else this.#parts.log.error('The filter could not be built', faultFields(built.fault));
      return;
    }
    const filter = await readFilter(this.#folder, held.generation, base.header.count);
    if (filter === undefined || this.#held !== held || this.#removed) return;
    this.#show({ ...held, edition: held.edition.with({ base, filter, overlay, header }) });
  }

  #lookAgain(): void {
    this.#cancelLook = this.#parts.clock.after(lookEvery, () => {
      void this.#dropIfRemoved().finally(() => {
        if (this.#started) this.#lookAgain();
      });
    });
  }

  /** Somebody took the edition away: that is obeyed. */
  async #dropIfRemoved(): Promise<void> {
    const held = this.#held;
    if (held === undefined || this.#removed) return;
    if ((await fileStamp(this.#folder.current)) !== 'absent' || !this.#started) return;
    this.#parts.log.warn('The edition was removed');
    // Nobody is answered from it any more; what works with it right now must end before it is closed.
    this.#removed = true;
    this.#inUse = undefined;
    this.#giveUpRenewals();
    this.#changed();
    await this.#alone(() => {
      this.#held?.edition.close();
      this.#held = undefined;
      this.#damaged = false;
      this.#removed = false;
      return Promise.resolve();
    });
  }

  async #tidy(): Promise<void> {
    await tidy(this.#folder, [this.#held?.generation, this.#previous]);
  }

  #changed(): void {
    if (this.#started) this.#parts.onChange();
  }
}

/** Whether something came that must not be believed; all else is a line, a centre or a disk in trouble. */
function isRefusal({ code }: Fault): boolean {
  if (code === 'EDITION_UNREACHABLE' || code === 'EDITION_ABSENT') return false;
  return code.startsWith('TRUST_') || code.startsWith('EDITION_');
}

/** Whatever happens in a look-up, nobody can say then; an answer that is none would be a silent pass. */
function searchSafely(edition: Edition, key: SearchKey): Result<readonly EditionRecord[]> {
  try {
    return edition.search(key);
  } catch (cause) {
    return fail('EDITION_DAMAGED', 'A look-up in it failed.', cause);
  }
}
