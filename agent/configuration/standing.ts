import type { Reported, SettingSource } from '#contracts/configuration.ts';
import type { ErrorCode } from '#contracts/errors.ts';
import { type Fault, ok, type Result } from '#contracts/result.ts';
import type { AgentSettings } from '#contracts/settings/agent.ts';
import type { TrustedKey } from '#formats/envelope.ts';
import { type Clock, instant } from '#runtime/clock.ts';
import { faultFields, type Log } from '#runtime/log.ts';
import type { ConfigurationFiles, FileOf } from './files.ts';
import { type Effective, type Enrolled, type Identity, merge, valueAt } from './merge.ts';
import {
  addLimits,
  type Content,
  type KnownLimits,
  openDesired,
  readContent,
  type Signed,
} from './payload.ts';
import { newTrial, type Trial } from './probation.ts';
import type { ReaderBefore } from './witnesses.ts';

export interface StandingParts {
  readonly enrolled: Enrolled;
  readonly files: ConfigurationFiles;
  readonly trusted: readonly TrustedKey[];
  /** What the agent finds wrong in settings beyond their schema. */
  readonly check: (settings: AgentSettings) => Result<unknown>;
  /** The boot of the machine. */
  readonly boot: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** A configuration that can run. */
export interface Run {
  /** 0 is what enrolment wrote alone. */
  readonly version: number;
  readonly since: string;
  readonly signed: Signed | undefined;
  readonly content: Content;
  readonly effective: Effective;
}

/** What became of a configuration, for the record and the centre. */
export interface ConfigurationEvent {
  readonly version: number;
  readonly state: Reported['state'];
  readonly code?: ErrorCode;
}

/** One that was refused and left no trace on the disk: its version is not believed, or it may be tried again. */
interface Oddity {
  readonly version: number;
  readonly code: string;
  readonly detail: string;
  readonly since: string;
}

const nothing: Content = { layers: [], limits: [], uplink: null };
const longestDetail = 500;

/**
 * Which configuration was confirmed, which is on probation and which was refused: in memory, and on disk before it is
 * acted upon. What lies damaged on the disk counts as not there: the terminal starts all the same.
 */
export class Standing {
  readonly #parts: StandingParts;
  readonly #identity: Identity;
  #base: Run;
  #onTrial: { readonly run: Run; readonly file: FileOf<'probation'> } | undefined;
  #refused: FileOf<'refused'> | undefined;
  #uplink: FileOf<'uplink'> | undefined;
  #oddity: Oddity | undefined;

  constructor(parts: StandingParts) {
    this.#parts = parts;
    const { terminal, bureau, site } = parts.enrolled.settings;
    this.#identity = { terminal, bureau, site };
    parts.files.tidy();
    this.#base = this.#enrolled();
    this.#refused = this.#read('refused');
    this.#uplink = this.#read('uplink');
    const current = this.#read('current');
    if (current !== undefined) this.#base = this.#keptRun(current) ?? this.#base;
    const probation = this.#read('probation');
    const run = probation === undefined ? undefined : this.#keptRun(probation);
    // One that was confirmed or undone already, but for the removal of its file, is not on probation.
    if (probation === undefined || run === undefined || run.version <= this.#base.version) return;
    if (run.version !== this.#refused?.version) this.#onTrial = { run, file: probation };
  }

  /** The one that was confirmed last. */
  get base(): Run {
    return this.#base;
  }

  get onTrial(): { readonly run: Run; readonly file: FileOf<'probation'> } | undefined {
    return this.#onTrial;
  }

  /** What was handed to the helper of the uplink last. */
  get uplink(): FileOf<'uplink'> | undefined {
    return this.#uplink;
  }

  /** A version up to this one is not begun. */
  get floor(): number {
    return Math.max(this.#base.version, this.#refused?.version ?? 0);
  }

  /** A run of what is signed, with the limits that are known already. Faults: as `readContent` and `merge`. */
  resolve(signed: Signed, known: readonly KnownLimits[], since = this.now()): Result<Run> {
    const { enrolled, trusted, check } = this.#parts;
    const content = readContent(signed, trusted, this.#identity, known);
    if (!content.ok) return content;
    const { layers, limits } = content.value;
    const effective = merge(enrolled, layers, limits, check);
    if (!effective.ok) return effective;
    return ok({ version: signed.version, since, signed, content: content.value, effective: effective.value });
  }

  open(text: string): Result<Signed> {
    return openDesired(text, this.#parts.trusted, this.#identity);
  }

  /** It runs from the next start on, on probation. Fault: FILE_REFUSED; nothing has changed then. */
  async begin(run: Run, before: readonly ReaderBefore[]): Promise<Result<void>> {
    const { boot } = this.#parts;
    const file = {
      ...kept(run),
      boot,
      running: false,
      trial: newTrial,
      before: [...(this.#onTrial?.file.before ?? before)],
    };
    const written = await this.#parts.files.write('probation', file);
    if (written.ok) {
      this.#onTrial = { run, file };
      this.#oddity = undefined;
    }
    return written;
  }

  /** Keeps how far the trial is. Where the disk refuses it holds all the same, until the next start. */
  async proceed(trial: Trial, running: boolean): Promise<void> {
    if (this.#onTrial === undefined) return;
    const { files, boot } = this.#parts;
    const file = { ...this.#onTrial.file, trial, running, boot };
    this.#onTrial = { ...this.#onTrial, file };
    this.#said(await files.write('probation', file));
  }

  /** This run is the confirmed one from now on. Fault: FILE_REFUSED; nothing has changed then. */
  async confirm(run: Run): Promise<Result<void>> {
    const { files } = this.#parts;
    const confirmed = { ...run, since: this.now() };
    const written = await files.write('current', kept(confirmed));
    if (!written.ok) return written;
    this.#base = confirmed;
    this.#oddity = undefined;
    if (this.#onTrial !== undefined) this.#said(await files.drop('probation'));
    this.#onTrial = undefined;
    return ok(undefined);
  }

  /** This version is not tried again. Where the disk refuses it holds all the same, until the next start. */
  async refuse(version: number, state: 'undone' | 'refused', code: string, detail: string): Promise<void> {
    const { files } = this.#parts;
    this.#refused = { v: 1, since: this.now(), version, state, code, detail: detail.slice(0, longestDetail) };
    this.#oddity = undefined;
    this.#said(await files.write('refused', this.#refused));
    if (this.#onTrial?.run.version !== version) return;
    this.#onTrial = undefined;
    this.#said(await files.drop('probation'));
  }

  /** Reported until something better comes, and forgotten by the next start; whether it was not known already. */
  odd(version: number, { code, detail: whole }: Fault): boolean {
    const detail = whole.slice(0, longestDetail);
    const { version: last, code: lastCode, detail: lastDetail } = this.#oddity ?? {};
    if (last === version && lastCode === code && lastDetail === detail) return false;
    this.#oddity = { version, code, detail, since: this.now() };
    return true;
  }

  /** What the centre sends is what runs. */
  good(): void {
    this.#oddity = undefined;
  }

  async handedOver(hash: string, refused: { code: string; detail: string } | null): Promise<void> {
    const said = refused && { code: refused.code, detail: refused.detail.slice(0, longestDetail) };
    this.#uplink = { v: 1, hash, refused: said };
    this.#said(await this.#parts.files.write('uplink', this.#uplink));
  }

  view(): { version: number; state: Reported['state'] } {
    if (this.#onTrial !== undefined) return { version: this.#onTrial.run.version, state: 'probation' };
    const { version } = this.#base;
    if (this.#failed() !== undefined) return { version, state: this.#failed()?.state ?? 'refused' };
    return { version, state: this.#oddity === undefined ? 'current' : 'refused' };
  }

  reported(session: number): Reported {
    const { state } = this.view();
    const run = this.#onTrial?.run ?? this.#base;
    const failed = this.#failed();
    const told = this.#oddity ?? failed ?? this.#uplinkRefused();
    const since = state === 'undone' || state === 'refused' ? (failed ?? this.#oddity)?.since : run.since;
    return {
      v: 1,
      session,
      running: run.version,
      state,
      since: since ?? run.since,
      refused: told === undefined ? null : { version: told.version, code: told.code, detail: told.detail },
      settings: settingsOf(run.effective),
    };
  }

  now(): string {
    return instant(this.#parts.clock.wall());
  }

  /** The version that failed, unless a higher one has been confirmed since. */
  #failed(): FileOf<'refused'> | undefined {
    return this.#refused !== undefined && this.#refused.version > this.#base.version
      ? this.#refused
      : undefined;
  }

  #uplinkRefused(): { version: number; code: string; detail: string } | undefined {
    const refused = this.#uplink?.refused;
    if (refused === undefined || refused === null) return undefined;
    return { version: this.#base.version, code: refused.code, detail: refused.detail };
  }

  #enrolled(): Run {
    const { settings, given } = this.#parts.enrolled;
    const sources = new Map(given.map((path): [string, SettingSource] => [path, 'enrolled']));
    return {
      version: 0,
      since: this.now(),
      signed: undefined,
      content: nothing,
      effective: { settings, sources },
    };
  }

  #read<N extends 'current' | 'probation' | 'refused' | 'uplink'>(name: N): FileOf<N> | undefined {
    const read = this.#parts.files.read(name);
    if (!read.ok) this.#damaged(0, read.fault);
    return read.ok ? read.value : undefined;
  }

  /** What was kept, checked again from its signature on. */
  #keptRun({ envelope, limits, since }: FileOf<'current'> | FileOf<'probation'>): Run | undefined {
    const { trusted } = this.#parts;
    const signed = this.open(JSON.stringify(envelope));
    if (!signed.ok) {
      this.#damaged(0, { code: 'CONFIGURATION_DAMAGED', detail: signed.fault.detail });
      return undefined;
    }
    const known = addLimits(limits, trusted, this.#identity, []);
    const run = known.ok ? this.resolve(signed.value, known.value, since) : known;
    if (!run.ok) this.#damaged(signed.value.version, run.fault);
    return run.ok ? run.value : undefined;
  }

  #damaged(version: number, fault: Fault): void {
    this.#parts.log.error('A configuration that was kept is not used', faultFields(fault));
    this.odd(version, fault);
  }

  #said(written: Result<void>): void {
    if (!written.ok) this.#parts.log.error('The configuration cannot be kept', faultFields(written.fault));
  }
}

function kept({ signed, since, content }: Run): FileOf<'current'> {
  // Only what was signed is ever put on probation or confirmed.
  const envelope = signed?.envelope ?? { payloadType: '', payload: '', signatures: [] };
  return { v: 1, since, envelope, limits: content.limits.map((limits) => limits.envelope) };
}

function settingsOf({ settings, sources }: Effective): Reported['settings'] {
  return [...sources]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, 128)
    .map(([path, source]) => ({ path, source, value: valueAt(settings, path) }));
}
