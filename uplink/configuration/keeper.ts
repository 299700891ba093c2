import { fail, ok, type Result } from '#contracts/result.ts';
import type { UplinkStatus } from '#contracts/uplink.ts';
import { type Millis, ms } from '#contracts/units.ts';
import type { TrustedKey } from '#formats/envelope.ts';
import type { Clock } from '#runtime/clock.ts';
import { type Log, faultFields } from '#runtime/log.ts';
import { openConfiguration, type VersionedNetwork } from './payload.ts';
import { beginTrial, stepTrial, type Trial, type TrialEvent, type TrialStep, turnOf } from './probation.ts';
import type { ConfigurationStore } from './store.ts';

/** A disk that did not take it is asked again after so long. */
const confirmAgain = ms(10_000);

export interface KeeperParts {
  readonly store: ConfigurationStore;
  readonly trusted: readonly TrustedKey[];
  readonly terminal: string;
  readonly probation: Millis;
  readonly clock: Clock;
  readonly log: Log;
  /** Another configuration is to run from now on. */
  readonly changeTo: (next: VersionedNetwork) => void;
}

/**
 * Takes signed configurations and keeps them on probation: the timers and files around `stepTrial`. What is decided is
 * on disk before it is acted upon, so that a crash at any point goes on where it was. Where the disk refuses, the way
 * back is gone all the same; only a new configuration is not begun, and not confirmed, without it.
 */
export class ConfigurationKeeper {
  readonly #parts: KeeperParts;
  #cancel: () => void = () => {};
  #last: Promise<unknown> = Promise.resolve();
  #confirming = false;
  #closed = false;

  constructor(parts: KeeperParts) {
    this.#parts = parts;
  }

  /** The one that is to run now. */
  get inForce(): VersionedNetwork {
    return this.#parts.store.inForce;
  }

  get status(): UplinkStatus['configuration'] {
    const { store } = this.#parts;
    const { version } = store.inForce;
    const { trial } = store;
    if (trial?.runs === 'new')
      return { version, state: 'probation', detail: 'it must reach a hub, or the one before comes back' };
    if (trial !== undefined) {
      const detail = `version ${trial.version} did not reach a hub; whether version ${version} does is being tried`;
      return { version, state: 'probation', detail };
    }
    if (store.refused > store.confirmed)
      return {
        version,
        state: 'undone',
        detail: `version ${store.refused} did not reach a hub and was undone`,
      };
    return { version, state: 'current', detail: version === 0 ? 'the file of the terminal' : '' };
  }

  /** Goes on with a trial that a restart interrupted; to be called once, before `inForce` is put in force. */
  async start(): Promise<void> {
    if (this.#parts.store.trial === undefined) return;
    await this.#inTurn(() => this.#on('restarted', true));
  }

  /**
   * A signed configuration: it is in force at once, on probation. Faults: SIGNATURE_REFUSED, ENVELOPE_INVALID,
   * CONFIGURATION_REFUSED, FILE_REFUSED; nothing has changed then.
   */
  apply(envelope: unknown): Promise<Result<number>> {
    return this.#inTurn(async () => {
      const { store, trusted, terminal, changeTo, log } = this.#parts;
      if (this.#closed) return fail('CONFIGURATION_REFUSED', 'The uplink is stopping.');
      const { confirmed, refused } = store;
      const onTrial = store.trial?.version;
      const opened = openConfiguration(envelope, { trusted, terminal, confirmed, refused, onTrial });
      if (!opened.ok) return opened;
      const trial = beginTrial(opened.value.version);
      const begun = await store.begin(opened.value, trial);
      if (!begun.ok) return begun;
      // What was begun goes on with the next start.
      if (this.#closed) return ok(opened.value.version);
      this.#confirming = false;
      log.info('A new configuration is on probation', { version: trial.version });
      this.#arm(trial);
      changeTo(store.inForce);
      return ok(trial.version);
    });
  }

  /**
   * A hub has answered something that was sent since this version was put in force; to be called whenever one has. An
   * answer to what was sent before says nothing of it.
   */
  reached(version: number): void {
    // Nearly always nothing is on trial, and the word comes often.
    if (this.#parts.store.trial === undefined || this.#confirming || this.#closed) return;
    void this.#inTurn(async () => {
      // Another one may be in force by the time that the word arrives.
      if (version === this.#parts.store.inForce.version) await this.#on('reached', false);
    });
  }

  close(): void {
    this.#closed = true;
    this.#cancel();
  }

  async #on(event: TrialEvent, quiet: boolean): Promise<void> {
    const { store, log, changeTo } = this.#parts;
    const { trial } = store;
    if (trial === undefined || this.#closed) return;
    const before = store.inForce.version;
    const step = stepTrial(trial, event);
    this.#cancel();
    const kept = await this.#keep(step);
    if (!kept.ok) log.error('The probation of a configuration cannot be kept', faultFields(kept.fault));
    if (this.#closed) return;
    if (!('end' in step)) this.#arm(step.trial);
    else if (store.trial === undefined)
      log.info(`The new configuration was ${step.end}`, { version: trial.version });
    else this.#confirmLater();
    if (!quiet && store.inForce.version !== before) changeTo(store.inForce);
  }

  #keep(step: TrialStep): Promise<Result<void>> {
    const { store } = this.#parts;
    if (!('end' in step)) return store.proceed(step.trial);
    return step.end === 'confirmed' ? store.confirm() : store.refuse();
  }

  /** It has reached a hub, and the disk does not take it: it stays in force, and its turn does not end. */
  #confirmLater(): void {
    this.#confirming = true;
    this.#cancel = this.#parts.clock.after(confirmAgain, () => {
      this.#confirming = false;
      void this.#inTurn(() => this.#on('reached', false));
    });
  }

  #arm(trial: Trial): void {
    this.#cancel();
    const turn = turnOf(trial, this.#parts.probation);
    this.#cancel = this.#parts.clock.after(turn, () => void this.#inTurn(() => this.#on('over', false)));
  }

  async #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(action);
    this.#last = mine.catch(() => {});
    return mine;
  }
}
