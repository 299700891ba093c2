import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Type, { type Static } from 'typebox';
import { fail, type Fault, ok, type Result } from '#contracts/result.ts';
import type { UplinkNetwork } from '#contracts/settings/uplink.ts';
import { replaceFile } from '#runtime/durable-file.ts';
import { systemCode } from '#runtime/errors.ts';
import { parseJson } from '#runtime/parse.ts';
import { ConfigurationVersion, parseNetwork, type VersionedNetwork } from './payload.ts';
import type { Trial } from './probation.ts';

const count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const Journal = Type.Object(
  {
    v: Type.Literal(1),
    confirmed: count,
    refused: count,
    trial: Type.Union([
      Type.Null(),
      Type.Object(
        {
          version: ConfigurationVersion,
          runs: Type.Union([Type.Literal('new'), Type.Literal('before')]),
          outages: count,
          again: count,
          starts: count,
        },
        { additionalProperties: false },
      ),
    ]),
  },
  { additionalProperties: false },
);
type Journal = Static<typeof Journal>;

const NetworkFile = Type.Object(
  { v: Type.Literal(1), version: ConfigurationVersion, network: Type.Unknown() },
  { additionalProperties: false },
);
const empty: Journal = { v: 1, confirmed: 0, refused: 0, trial: null };

/**
 * The signed configurations of this terminal on disk, in the state folder:
 *
 * - `network-current.json`, the one that was confirmed last; without it the terminal's own file is in force;
 * - `network-previous.json`, the one before it, which serves where the current one is damaged;
 * - `network-pending.json`, the one on probation;
 * - `network-journal.json`, which says what counts: the trial, and the highest versions confirmed and refused.
 *
 * Each file is replaced whole, and in such an order that a crash between any two leaves what was, or what shall be.
 */
export class ConfigurationStore {
  readonly #folder: string;
  readonly #replace: typeof replaceFile;
  #journal: Journal;
  #current: VersionedNetwork;
  #pending: VersionedNetwork | undefined;
  /** What was found damaged at the start, for the log and the status. */
  readonly faults: readonly Fault[];

  /** Reads what is there. `own` is the network of the terminal's own file; `replace` is another one in tests. */
  constructor(folder: string, own: UplinkNetwork, replace = replaceFile) {
    this.#folder = folder;
    this.#replace = replace;
    const faults: Fault[] = [];
    const note = <T>(read: Result<T | undefined>): T | undefined => {
      if (!read.ok) faults.push(read.fault);
      return read.ok ? read.value : undefined;
    };
    const current = note(this.#read('current'));
    const pending = note(this.#read('pending'));
    const previous = current === undefined ? note(this.#read('previous')) : undefined;
    const read = this.#readJournal();
    const journal = note(read) ?? empty;
    this.#current = current ?? previous ?? { version: 0, network: own };
    const confirmed = Math.max(journal.confirmed, this.#current.version);
    // Without the journal nobody knows what became of the pending one: it is taken for refused.
    const refused = read.ok ? journal.refused : (pending?.version ?? 0);
    // A trial whose configuration is in force already was confirmed, but for the last step.
    const isOn = journal.trial !== null && journal.trial.version > confirmed;
    const hasPending = isOn && pending?.version === journal.trial?.version;
    this.#journal = {
      v: 1,
      confirmed,
      refused: isOn && !hasPending ? Math.max(refused, journal.trial?.version ?? 0) : refused,
      trial: hasPending ? journal.trial : null,
    };
    this.#pending = hasPending ? pending : undefined;
    this.faults = faults;
  }

  get current(): VersionedNetwork {
    return this.#current;
  }

  get pending(): VersionedNetwork | undefined {
    return this.#pending;
  }

  get trial(): Trial | undefined {
    return this.#journal.trial ?? undefined;
  }

  get confirmed(): number {
    return this.#journal.confirmed;
  }

  get refused(): number {
    return this.#journal.refused;
  }

  /** The one that is to run now. */
  get inForce(): VersionedNetwork {
    const { trial } = this.#journal;
    return trial?.runs === 'new' && this.#pending !== undefined ? this.#pending : this.#current;
  }

  /** Puts a new one on probation, in place of one that is on it already. Fault: FILE_REFUSED. */
  async begin(next: VersionedNetwork, trial: Trial): Promise<Result<void>> {
    const kept = await this.#write('pending', next);
    if (!kept.ok) return kept;
    const noted = await this.#note({ ...this.#journal, trial });
    if (noted.ok) this.#pending = next;
    return noted;
  }

  /** Keeps how far the trial is. Fault: FILE_REFUSED; it holds all the same: a full disk must not cut anybody off. */
  proceed(trial: Trial): Promise<Result<void>> {
    this.#journal = { ...this.#journal, trial };
    return this.#note(this.#journal);
  }

  /** The one on probation is in force from now on. Fault: FILE_REFUSED. */
  async confirm(): Promise<Result<void>> {
    const next = this.#pending;
    if (next === undefined) return ok(undefined);
    if (this.#current.version > 0) {
      const kept = await this.#write('previous', this.#current);
      if (!kept.ok) return kept;
    }
    const kept = await this.#write('current', next);
    if (!kept.ok) return kept;
    const noted = await this.#note({ ...this.#journal, confirmed: next.version, trial: null });
    if (!noted.ok) return noted;
    this.#current = next;
    return this.#dropPending();
  }

  /** The one on probation is refused for good. Fault: FILE_REFUSED; it holds all the same, until the next start. */
  async refuse(): Promise<Result<void>> {
    const { trial, refused } = this.#journal;
    if (trial === null) return ok(undefined);
    this.#journal = { ...this.#journal, refused: Math.max(refused, trial.version), trial: null };
    const noted = await this.#note(this.#journal);
    this.#pending = undefined;
    return noted.ok ? this.#dropPending() : noted;
  }

  async #dropPending(): Promise<Result<void>> {
    this.#pending = undefined;
    // One that stays behind is not in the journal and so means nothing.
    try {
      rmSync(this.#file('pending'), { force: true });
    } catch {
      // Nobody reads it.
    }
    return ok(undefined);
  }

  async #note(journal: Journal): Promise<Result<void>> {
    const text = `${JSON.stringify(journal)}\n`;
    const written = await this.#replace(this.#file('journal'), Buffer.from(text), 0o600);
    if (written.ok) this.#journal = journal;
    return written;
  }

  #write(name: string, { version, network }: VersionedNetwork): Promise<Result<void>> {
    const text = `${JSON.stringify({ v: 1, version, network })}\n`;
    return this.#replace(this.#file(name), Buffer.from(text), 0o600);
  }

  #read(name: string): Result<VersionedNetwork | undefined> {
    const text = this.#text(name);
    if (!text.ok || text.value === undefined) return text.ok ? ok(undefined) : text;
    const file = parseJson(NetworkFile, text.value, 'FILE_REFUSED');
    const network = file.ok ? parseNetwork(file.value.network) : file;
    if (!file.ok || !network.ok)
      return fail('FILE_REFUSED', `${this.#file(name)} is damaged and counts as none.`);
    return ok({ version: file.value.version, network: network.value });
  }

  #readJournal(): Result<Journal | undefined> {
    const text = this.#text('journal');
    if (!text.ok || text.value === undefined) return text.ok ? ok(undefined) : text;
    const journal = parseJson(Journal, text.value, 'FILE_REFUSED');
    return journal.ok ? journal : fail('FILE_REFUSED', `${this.#file('journal')} is damaged.`);
  }

  #text(name: string): Result<string | undefined> {
    try {
      return ok(readFileSync(this.#file(name), 'utf8'));
    } catch (cause) {
      const code = systemCode(cause);
      return code === 'ENOENT' ? ok(undefined) : fail('FILE_REFUSED', `${this.#file(name)}: ${code}`, cause);
    }
  }

  #file(name: string): string {
    return join(this.#folder, `network-${name}.json`);
  }
}
