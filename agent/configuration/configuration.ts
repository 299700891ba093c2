import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Reported, SignedEnvelope } from '#contracts/configuration.ts';
import { fail, type Fault, ok, type Result } from '#contracts/result.ts';
import type { AgentSettings } from '#contracts/settings/agent.ts';
import { type Millis, ms } from '#contracts/units.ts';
import { toFault } from '#runtime/errors.ts';
import { faultFields } from '#runtime/log.ts';
import { saySame } from './payload.ts';
import { lookEvery, stepTrial, type TrialStep } from './probation.ts';
import { type ConfigurationEvent, type Run, Standing, type StandingParts } from './standing.ts';
import {
  isOtherLink,
  isOtherLookup,
  linkWitness,
  lookupWitnesses,
  type ReaderNow,
  readerWitnesses,
} from './witnesses.ts';

export interface ConfigurationParts extends StandingParts {
  /** The agent is to be closed and started again with `settings`. */
  readonly onRestart: () => void;
}

/** What a running agent shows of itself and does for its configuration. */
export interface Surroundings {
  readers(): readonly ReaderNow[];
  /** Ids of the readers of these settings whose device is plugged in now. */
  present(settings: AgentSettings): Promise<ReadonlySet<string>>;
  /** Whether a session with the broker stands. */
  connected(): boolean;
  /** Whether the broker of these settings takes a connection now; a session that stands (`hasSession`) must live on. */
  oldWorks(settings: AgentSettings, hasSession: boolean): Promise<boolean>;
  /** Whether the lookup service answers. */
  lookups(): boolean;
  /** Whether the lookup service of these settings takes a connection now. */
  oldLookups(settings: AgentSettings): Promise<boolean>;
  /** Gives a signed configuration of the uplinks to the helper. */
  applyUplink(envelope: SignedEnvelope): Promise<Result<void>>;
  /** To be recorded and owed to the centre. */
  onEvent(event: ConfigurationEvent): void;
  /** `view` or `reported` may say something else now. */
  changed(): void;
}

/** What the agent has in hand while it runs. */
export interface Attached {
  /**
   * What came on the topic `desired`. Faults: all that `errors` has of CONFIGURATION, ENVELOPE_INVALID,
   * SIGNATURE_REFUSED, FILE_REFUSED; each has been logged and reported. INTERNAL for a defect of ours, which it never
   * throws: retained, the message comes again with every start.
   */
  take(text: string): Promise<Result<'accepted' | 'same'>>;
  /** The controller has answered in a session of this start; to be called as often as it does. */
  reached(): void;
  /** Resolves when nothing is being written any more. */
  close(): Promise<void>;
}

/**
 * So many that are odd are told in so long, each once: what the controller has signed in all its time could be sent again
 * and again by whoever holds the broker, and must not fill the record.
 */
const mostOdds = 20;
const oddsWithin = 3_600_000;

/** The helper may take it later. */
const passing: ReadonlySet<string> = new Set(['UPLINK_ABSENT', 'STOPPED', 'FILE_REFUSED']);

/**
 * The configuration of this terminal over several starts of its agent within one process: which settings are to run,
 * what the centre wants, and the probation of what is new.
 */
export class Configuration {
  readonly #parts: ConfigurationParts;
  readonly #standing: Standing;
  readonly #probation: Millis;
  #around: Surroundings | undefined;
  #reached = false;
  #restarting = false;
  /** Why the one on probation did not start: the one before is being tried. */
  #failedStart: Fault | undefined;
  #begun = 0;
  #lookedAt = 0;
  #cancel: () => void = () => {};
  #last: Promise<unknown> = Promise.resolve();
  #untold: ConfigurationEvent[] = [];
  readonly #odds = new Set<string>();
  #oddsSince = Number.NEGATIVE_INFINITY;

  constructor(parts: ConfigurationParts) {
    this.#parts = parts;
    this.#standing = new Standing(parts);
    this.#probation = ms(parts.enrolled.settings.configuration.probationSeconds * 1000);
  }

  /** The settings to start the agent with. */
  get settings(): AgentSettings {
    return this.#run.effective.settings;
  }

  /** For the health report. */
  view(): { version: number; state: Reported['state'] } {
    return this.#standing.view();
  }

  /** For the topic `reported`. */
  reported(session: number): Reported {
    return this.#standing.reported(session);
  }

  /** Before each start of the agent: one that ends it again and again is undone here. */
  begin(): Promise<void> {
    return this.#inTurn(async () => {
      this.#restarting = false;
      const { onTrial } = this.#standing;
      if (onTrial === undefined || this.#failedStart !== undefined) return;
      const { file, run } = onTrial;
      let { trial } = file;
      if (file.running && this.#begun !== run.version) {
        const sameBoot = file.boot === this.#parts.boot;
        const step = stepTrial(trial, { kind: 'ended', sameBoot }, this.#probation);
        if (step.kind === 'undone') return this.#undo(step);
        if (step.kind === 'on') ({ trial } = step);
      }
      this.#begun = run.version;
      await this.#standing.proceed(trial, true);
    });
  }

  /** The agent could not be started; whether `settings` are others now that are worth a try. */
  startFailed(fault: Fault): Promise<boolean> {
    return this.#inTurn(async () => {
      const { onTrial } = this.#standing;
      if (onTrial === undefined) return false;
      if (this.#failedStart === undefined) {
        this.#parts.log.error('The agent does not start with the new configuration', faultFields(fault));
        this.#failedStart = fault;
        return true;
      }
      // The one before does not start either, so that nothing is proven.
      this.#failedStart = undefined;
      await this.#standing.proceed(onTrial.file.trial, false);
      return false;
    });
  }

  /** The agent has been started. */
  started(): Promise<void> {
    return this.#inTurn(async () => {
      const failed = this.#failedStart;
      if (failed === undefined) return;
      const detail = `The agent did not start with it, but with the one before (${failed.code}: ${failed.detail}).`;
      await this.#undo({ code: 'CONFIGURATION_CRASHED', detail });
    });
  }

  /** The process ends because it was asked to: that is no crash. */
  end(): Promise<void> {
    return this.#inTurn(async () => {
      const { onTrial } = this.#standing;
      if (onTrial !== undefined) await this.#standing.proceed(onTrial.file.trial, false);
    });
  }

  /** Resolves when all that is asked of it by now is done. */
  settled(): Promise<void> {
    return this.#inTurn(() => Promise.resolve());
  }

  /** Connects it to the agent that was started with `settings`; what is to be recorded is told at once. */
  attach(around: Surroundings): Attached {
    this.#around = around;
    this.#reached = false;
    this.#lookedAt = this.#parts.clock.monotonic();
    for (const event of this.#untold.splice(0)) around.onEvent(event);
    // Owed anew with each start: the controller must have something to acknowledge under this configuration.
    const { onTrial } = this.#standing;
    if (onTrial !== undefined && !this.#isBetween)
      around.onEvent({ version: onTrial.run.version, state: 'probation' });
    this.#arm();
    return {
      take: (text) =>
        this.#inTurn(() => this.#take(text)).catch((thrown: unknown) => {
          const fault = toFault(thrown);
          this.#parts.log.error('A configuration could not be taken', faultFields(fault));
          return { ok: false, fault };
        }),
      reached: () => {
        if (this.#around !== around || this.#reached || this.#isBetween) return;
        this.#reached = true;
        this.#soon(() => this.#look());
        this.#soon(() => this.#handOver());
      },
      close: () => {
        if (this.#around === around) this.#around = undefined;
        this.#cancel();
        return this.settled();
      },
    };
  }

  get #run(): Run {
    const { onTrial, base } = this.#standing;
    return this.#failedStart === undefined && onTrial !== undefined ? onTrial.run : base;
  }

  /** What runs is not what is on trial: what is seen now says nothing of it. */
  get #isBetween(): boolean {
    return this.#restarting || this.#failedStart !== undefined;
  }

  async #take(text: string): Promise<Result<'accepted' | 'same'>> {
    const standing = this.#standing;
    const opened = standing.open(text);
    if (!opened.ok) return this.#odd(0, opened.fault);
    const signed = opened.value;
    const { version } = signed;
    const run = standing.onTrial?.run ?? standing.base;
    if (version === run.version && run.signed !== undefined && saySame(signed, run.signed)) {
      standing.good();
      this.#around?.changed();
      await this.#handOver();
      return ok('same');
    }
    if (version <= run.version) {
      const also = version === run.version ? ', and says something else' : '';
      const detail = `It is version ${version}${also}; version ${run.version} runs.`;
      return this.#odd(version, { code: 'CONFIGURATION_OLDER', detail });
    }
    // It is retained, and comes again with every session: what became of it has been said.
    if (version <= standing.floor)
      return fail('CONFIGURATION_FAILED_BEFORE', `It is version ${version}; ${standing.floor} failed.`);
    const next = standing.resolve(signed, standing.base.content.limits);
    if (!next.ok) {
      this.#parts.log.warn('A configuration was refused', { version, ...faultFields(next.fault) });
      const { code, detail } = next.fault;
      await standing.refuse(version, 'refused', code, detail);
      this.#tell({ version, state: 'refused', code });
      return next;
    }
    return this.#accept(next.value);
  }

  async #accept(run: Run): Promise<Result<'accepted'>> {
    const { version } = run;
    const standing = this.#standing;
    const { settings } = standing.base.effective;
    const isSame = standing.onTrial === undefined && isDeepStrictEqual(run.effective.settings, settings);
    const ready = (this.#around?.readers() ?? []).filter(({ state }) => state === 'ready');
    const before = ready.map(({ id, device }) => ({ id, device }));
    const kept = await (isSame ? standing.confirm(run) : standing.begin(run, before));
    if (!kept.ok) return this.#odd(version, kept.fault);
    this.#parts.log.info('A configuration was accepted', { version, probation: !isSame });
    // What is on probation is told when it runs.
    if (isSame) this.#tell({ version, state: 'current' });
    try {
      this.#around?.changed();
      await this.#handOver();
    } finally {
      // What is on trial must be what runs, whatever happens here.
      if (!isSame) this.#restart();
    }
    return ok('accepted');
  }

  /** Looks at everything that must work, and decides. */
  async #look(): Promise<void> {
    this.#cancel();
    const { onTrial, base } = this.#standing;
    const around = this.#around;
    if (onTrial === undefined || around === undefined || this.#isBetween) return;
    const [old, now] = [base.effective.settings, onTrial.run.effective.settings];
    const { before, trial } = onTrial.file;
    const isAsked = !this.#reached && isOtherLink(old, now);
    const oldWorks = isAsked ? await around.oldWorks(old, around.connected()) : undefined;
    const isLookupAsked = isOtherLookup(old, now) && !around.lookups();
    const oldLookups = isLookupAsked ? await around.oldLookups(old) : undefined;
    const there = before.length === 0 ? new Set<string>() : await around.present(old);
    if (this.#around !== around) return;
    const link = { reached: this.#reached, connected: around.connected(), oldWorks };
    const witnesses = [
      linkWitness(old, now, link),
      ...lookupWitnesses(old, now, { works: around.lookups(), oldWorks: oldLookups }),
      ...readerWitnesses(before, around.readers(), there),
    ];
    // A machine that slept or was too busy to look has seen nothing meanwhile.
    const passed = this.#parts.clock.monotonic() - this.#lookedAt;
    const since = Math.min(passed, 2 * lookEvery(this.#probation));
    this.#lookedAt = this.#parts.clock.monotonic();
    await this.#decide(stepTrial(trial, { kind: 'seen', witnesses, since }, this.#probation));
    this.#arm();
  }

  async #decide(step: TrialStep): Promise<void> {
    const { onTrial } = this.#standing;
    if (onTrial === undefined) return;
    if (step.kind === 'on') {
      if (!isDeepStrictEqual(step.trial, onTrial.file.trial)) await this.#standing.proceed(step.trial, true);
      return;
    }
    if (step.kind === 'undone') return this.#undo(step);
    const { version } = onTrial.run;
    const confirmed = await this.#standing.confirm(onTrial.run);
    // It has proven itself; only the disk has not taken that yet, and is asked again.
    if (!confirmed.ok)
      return this.#parts.log.error('A configuration cannot be confirmed', faultFields(confirmed.fault));
    this.#parts.log.info('A configuration is confirmed', { version });
    this.#tell({ version, state: 'current' });
  }

  async #undo({ code, detail }: Pick<TrialStep & { kind: 'undone' }, 'code' | 'detail'>): Promise<void> {
    const { onTrial } = this.#standing;
    if (onTrial === undefined) return;
    const { version } = onTrial.run;
    const runs = this.#around !== undefined && this.#failedStart === undefined;
    this.#failedStart = undefined;
    this.#parts.log.error('A configuration is undone', { version, code, detail });
    await this.#standing.refuse(version, 'undone', code, detail);
    this.#tell({ version, state: 'undone', code });
    if (runs) this.#restart();
  }

  /** Gives the configuration of the uplinks to the helper, once. */
  async #handOver(): Promise<void> {
    const { version, content } = this.#run;
    const around = this.#around;
    if (content.uplink === null || around === undefined) return;
    const hash = createHash('sha256').update(JSON.stringify(content.uplink)).digest('hex');
    if (this.#standing.uplink?.hash === hash) return;
    const applied = await around.applyUplink(content.uplink);
    if (applied.ok) return this.#standing.handedOver(hash, null);
    const { code, detail } = applied.fault;
    this.#parts.log.warn('The uplink did not take its configuration', faultFields(applied.fault));
    if (passing.has(code)) return;
    await this.#standing.handedOver(hash, { code, detail: `The uplink: ${detail}` });
    this.#tell({ version, state: 'refused', code });
  }

  #odd(version: number, fault: Fault): Result<never> {
    if (this.#standing.odd(version, fault) && this.#isWorthTelling(version, fault)) {
      this.#parts.log.warn('A configuration was refused', { version, ...faultFields(fault) });
      this.#tell({ version, state: 'refused', code: fault.code });
    }
    return { ok: false, fault };
  }

  #isWorthTelling(version: number, { code }: Fault): boolean {
    const now = this.#parts.clock.monotonic();
    if (now - this.#oddsSince > oddsWithin) {
      this.#odds.clear();
      this.#oddsSince = now;
    }
    const name = `${version} ${code}`;
    if (this.#odds.has(name) || this.#odds.size >= mostOdds) return false;
    this.#odds.add(name);
    return true;
  }

  #tell(event: ConfigurationEvent): void {
    // Of what has no version that can be believed, the log and `reported` tell.
    if (event.version > 0) {
      if (this.#around === undefined) this.#untold.push(event);
      else this.#around.onEvent(event);
    }
    this.#around?.changed();
  }

  #restart(): void {
    this.#restarting = true;
    this.#cancel();
    this.#parts.onRestart();
  }

  #arm(): void {
    this.#cancel();
    if (this.#standing.onTrial === undefined || this.#around === undefined || this.#isBetween) return;
    const { clock } = this.#parts;
    this.#cancel = clock.after(lookEvery(this.#probation), () => this.#soon(() => this.#look()));
  }

  #soon(action: () => Promise<void>): void {
    this.#inTurn(action).catch((thrown: unknown) => {
      this.#parts.log.error('The configuration could not be looked after', faultFields(toFault(thrown)));
      this.#arm();
    });
  }

  async #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(action);
    this.#last = mine.catch(() => {});
    return mine;
  }
}
