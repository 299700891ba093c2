import type { Reading } from '#contracts/documents.ts';
import { type ReaderId, typedReader, type Uuid } from '#contracts/names.ts';
import type { LookupView } from '#contracts/officer.ts';
import type { HitOutcome } from '#contracts/outbox.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { type Millis, type MonotonicTime, ms, type Seconds } from '#contracts/units.ts';
import type { NamedSecret } from '#formats/keyed.ts';
import type { Clock } from '#runtime/clock.ts';
import type { Log } from '#runtime/log.ts';
import type { TrustedTime } from '#runtime/trusted-time.ts';
import { drillDecision, drillObjection, drillQuestion, drillView } from './drill.ts';
import { Flood } from './flood.ts';
import { lookupEvent, owedFor } from './happenings.ts';
import type { KeptLookups, Recheck } from './kept.ts';
import { PatientRecorder } from './patient-recorder.ts';
import { decide, type Decision, type Evidence, isSettled } from './policy.ts';
import type { AuditStamp, CentralPort, EditionPort, RecordPort } from './ports.ts';
import { mainKey, type Question, questionOf } from './question.ts';
import { Sources } from './sources.ts';
import { isHit, isNumberDoubtful, recorded, shown, unrecorded, ViewList, withRecords } from './views.ts';

/** Stages of the way of a frame, for the benchmark: each told with its milliseconds. */
export type Stage = 'lookup' | 'record' | 'publish';

export interface EnquiryParts {
  readonly central: CentralPort;
  readonly edition: () => EditionPort | undefined;
  readonly recorder: RecordPort;
  readonly kept: KeptLookups;
  readonly time: TrustedTime;
  readonly clock: Clock;
  readonly stamp: () => AuditStamp;
  readonly newId: () => Uuid;
  readonly digest: NamedSecret;
  readonly officer: () => string;
  readonly policy: { readonly maxAge: Seconds; readonly cacheMaxAge: Seconds; readonly repeat: Millis };
  readonly log: Log;
  /** Each state of each lookup, after what must be recorded of it has been. */
  readonly show: (view: LookupView) => void;
  /** Told once of each document that was read, when its verdict has been shown: for the reader's light and beep. */
  readonly concluded?: (view: LookupView) => void;
  readonly observe?: (stage: Stage, millis: number) => void;
}

/** A lookup on its way. */
interface Running {
  readonly view: LookupView;
  readonly question: Question;
  readonly receivedAt: MonotonicTime;
  /** The centre itself has answered: it is not asked again. */
  readonly settled: boolean;
}

/**
 * The way of a document from reading to verdict: the edition at once, the centre where the link is not known to be
 * down, the policy, the record, and only then the page. Nothing leaves here as a verdict that is not on disk, but a
 * hit or a doubt that could not be recorded, which is marked so.
 */
export class Enquiries {
  readonly #parts: EnquiryParts;
  readonly #sources: Sources;
  readonly #recorder: PatientRecorder;
  readonly #recent = new Map<string, { readonly at: MonotonicTime; readonly lookup: Uuid }>();
  readonly #views: ViewList;
  readonly #flood = new Flood();
  #rechecking = false;
  #recheckWaits = false;
  #cancelRecheck = (): void => {};
  #closed = false;

  constructor(parts: EnquiryParts) {
    this.#parts = parts;
    this.#sources = new Sources(parts);
    this.#recorder = new PatientRecorder(parts.recorder, parts.log);
    this.#views = new ViewList(maxViews, parts.kept.openHits());
    parts.central.onState((state) => {
      if (state === 'up') void this.recheck();
    });
  }

  /** Whether the last attempt to record something failed. */
  get recordingFails(): boolean {
    return this.#recorder.failing;
  }

  /** The latest lookups and all open hits, oldest first. */
  views(): LookupView[] {
    return this.#views.all();
  }

  /**
   * Takes one reading; resolves when its verdict has been shown.
   *
   * @param reader the id of the reader, or `typedReader` where an officer typed the document
   */
  async take(reading: Reading, reader: ReaderId, receivedAt: MonotonicTime): Promise<void> {
    if (reading.kind === 'unreadable' && !this.#flood.mayShow(reader, receivedAt)) return;
    const fresh = this.#fresh(reading, reader);
    if (reading.kind === 'unreadable') {
      this.#conclude(
        fresh,
        { kind: 'unreadable', reason: reading.reason, spots: [...reading.spots] },
        undefined,
        receivedAt,
      );
      return;
    }
    this.#flood.ended(reader);
    const question = questionOf(reading.document, false);
    if (question === undefined) {
      this.#conclude(fresh, { kind: 'unresolved', reason: 'not-searchable' }, undefined, receivedAt);
      return;
    }
    if (this.#isRepeat(question, fresh, receivedAt)) return;
    await this.#enquire({ view: fresh, question, receivedAt, settled: false });
  }

  /** The officer has acknowledged a hit. */
  acknowledge(lookup: Uuid, outcome: HitOutcome): Result<LookupView> {
    const view = this.#views.get(lookup);
    if (view === undefined || !isHit(view.verdict)) {
      return fail('NOT_FOUND', 'There is no hit with this number to acknowledge.');
    }
    if (view.acknowledged !== null) return ok(view);
    const officer = this.#parts.officer();
    const stamp = this.#parts.stamp();
    const acknowledged: LookupView = { ...view, acknowledged: { at: stamp.at, officer, outcome } };
    const done = this.#recorder.record({
      event: { kind: 'hit-acknowledged', lookup, officer, outcome },
      stamp,
      owed: [{ kind: 'hit-acknowledged', lookup, outcome, officer }],
      keep: () => this.#parts.kept.closeHit(lookup),
    });
    if (!done.ok) return done;
    this.#show(acknowledged);
    return ok(acknowledged);
  }

  /**
   * Shows a made-up hit, marked as training, which goes the whole way of a hit but is never asked of the centre: on record
   * and owed as training, open until the officer has acknowledged it. Faults: COMMAND_BUSY where it
   * would stand before somebody's real verdict, STORE_FAILED where it could not be recorded.
   */
  drill(): Result<string> {
    const stamp = this.#parts.stamp();
    const objection = drillObjection(this.#views.all(), stamp);
    if (objection !== undefined) return fail('COMMAND_BUSY', objection);
    const view = drillView({ lookup: this.#parts.newId(), officer: this.#parts.officer() }, stamp);
    const receivedAt = this.#parts.clock.monotonic();
    const running: Running = { view, question: drillQuestion, receivedAt, settled: true };
    const { verdict } = this.#conclude(view, drillDecision(stamp), running, receivedAt);
    return verdict?.recorded === true
      ? ok('The officer is shown a made-up hit; its acknowledgement follows as training.')
      : fail('STORE_FAILED', 'The drill is shown, but it could not be recorded.');
  }

  /** Nothing is asked again from now on: the store is about to be closed, and this process may go on without it. */
  close(): void {
    this.#closed = true;
    this.#cancelRecheck();
  }

  /** Asks again what only the copy, or nobody, could answer. Called when the link is back. */
  async recheck(): Promise<void> {
    if (this.#rechecking || this.#closed) return;
    this.#rechecking = true;
    try {
      this.#recorder.retry();
      for (const owed of this.#parts.kept.rechecks()) {
        if (this.#parts.central.state() !== 'up') return;
        if (!(await this.#askAgain(owed))) return this.#recheckLater();
        if (this.#closed) return;
      }
    } finally {
      this.#rechecking = false;
    }
  }

  #fresh(reading: Reading, reader: ReaderId): LookupView {
    const stamp = this.#parts.stamp();
    return {
      lookup: this.#parts.newId(),
      at: stamp.at,
      clock: stamp.clock,
      reader,
      officer: this.#parts.officer(),
      training: false,
      phase: 'searching',
      document: reading.kind === 'document' ? shown(reading.document) : null,
      warnings: reading.kind === 'document' ? [...reading.warnings] : [],
      ...(reading.kind === 'unreadable' && reading.partial !== undefined && { partial: reading.partial }),
      verdict: null,
      confirmation: 'not-needed',
      late: false,
      acknowledged: null,
      elapsedMillis: 0,
    };
  }

  /**
   * Some readers send a frame twice, some officers swipe twice: within moments of the first it is one lookup, shown
   * again. A better read of the same number, with other look-alikes, and what an officer typed, are answered for
   * themselves; so is a document that nobody could answer, or whose answer is not on record.
   */
  #isRepeat(question: Question, view: LookupView, now: MonotonicTime): boolean {
    const how = [isNumberDoubtful(view) ? 'doubtful' : '', view.reader === typedReader ? 'typed' : ''];
    const name = [mainKey(question), question.documentType, ...question.numbers, ...how].join('|');
    for (const [other, { at }] of this.#recent)
      if (now - at > this.#parts.policy.repeat) this.#recent.delete(other);
    const before = this.#recent.get(name);
    const known = before === undefined ? undefined : this.#views.get(before.lookup);
    if (known === undefined || !mayStand(known)) {
      this.#recent.set(name, { at: now, lookup: view.lookup });
      return false;
    }
    const again: LookupView = { ...known, presented: (known.presented ?? 1) + 1 };
    this.#show(again);
    if (again.phase === 'final') this.#parts.concluded?.({ ...again, reader: view.reader });
    return true;
  }

  async #enquire(running: Running): Promise<void> {
    const { question, receivedAt } = running;
    const began = this.#parts.clock.monotonic();
    const edition = this.#sources.edition(question);
    this.#parts.observe?.('lookup', this.#parts.clock.monotonic() - began);
    const local: Evidence = edition === undefined ? {} : { edition };
    const doubtful = isNumberDoubtful(running.view);
    if (edition !== undefined && edition.matches.length > 0) {
      // Final at once; the centre is asked for the whole record and to confirm.
      const view = this.#conclude(
        { ...running.view, confirmation: 'asked' },
        decide(local, doubtful),
        running,
        receivedAt,
      );
      void this.#confirm({ ...running, view });
      return;
    }
    if (this.#parts.central.state() === 'down') {
      const evidence = this.#sources.withCache(local, question);
      this.#conclude(running.view, decide(evidence, doubtful), running, receivedAt);
      return;
    }
    this.#show(running.view);
    const central = await this.#sources.central(question, running.view.lookup, 'first');
    const evidence = central.ok
      ? { ...local, central: central.value }
      : this.#sources.withCache(local, question);
    const answered = { ...running, settled: isSettled(evidence) };
    this.#conclude(running.view, decide(evidence, doubtful), answered, receivedAt);
    if (!central.ok) this.#recheckLater();
  }

  /** A local hit stays a hit whatever the centre says (DESIGN.md section 2, number 12); both sides learn of it. */
  async #confirm(running: Running): Promise<void> {
    const { view, question } = running;
    const answer = await this.#sources.central(question, view.lookup, 'confirm');
    if (!answer.ok) {
      this.#show({ ...this.#present(view), confirmation: 'no-answer' });
      this.#recheckLater();
      return;
    }
    const present = this.#present(view);
    if (answer.value.matches.length === 0) {
      this.#settleConfirmation(present, 'disagrees');
      return;
    }
    const decision = decide({ central: answer.value }, isNumberDoubtful(view));
    // The centre's record says more; a possible hit may become a hit, never the other way round.
    const better = decision.kind === 'hit' || present.verdict?.kind === 'possible';
    if (better && decision.kind !== present.verdict?.kind) this.#amend(present, decision, running, 'amended');
    else this.#settleConfirmation(withRecords(present, decision), 'agrees');
  }

  #settleConfirmation(view: LookupView, result: 'agrees' | 'disagrees'): void {
    const settled: LookupView = { ...view, confirmation: result };
    this.#recorder.record({
      event: { kind: 'confirmation', lookup: view.lookup, result },
      stamp: this.#parts.stamp(),
      owed: [{ kind: 'confirmation', lookup: view.lookup, result }],
      keep: () => {
        this.#parts.kept.settle(view.lookup);
        if (settled.acknowledged === null) this.#parts.kept.openHit(settled);
      },
    });
    this.#show(settled);
  }

  async #askAgain({ lookup, question, view, reader }: Recheck): Promise<boolean> {
    const answer = await this.#sources.central(question, lookup, 'recheck');
    if (!answer.ok || (answer.value.tooOld && answer.value.matches.length === 0)) return false;
    const running: Running = {
      view: { ...view, reader },
      question,
      receivedAt: this.#parts.clock.monotonic(),
      settled: true,
    };
    const present = this.#present(running.view);
    if (isHit(present.verdict)) {
      // It was a local hit whose confirmation found no link.
      this.#settleConfirmation(present, answer.value.matches.length === 0 ? 'disagrees' : 'agrees');
      return true;
    }
    const decision = decide({ central: answer.value }, isNumberDoubtful(present));
    const late = decision.kind === 'hit' || decision.kind === 'possible';
    this.#amend({ ...present, late }, decision, running, late ? 'late-hit' : 'amended');
    return true;
  }

  /** A verdict that changes one that was shown: upward, or from a copy's answer to the centre's own. */
  #amend(view: LookupView, decision: Decision, { question }: Running, kind: 'amended' | 'late-hit'): void {
    const verdict = recorded(decision);
    const amended: LookupView = {
      ...view,
      phase: 'final',
      verdict,
      confirmation: isHit(verdict) ? 'agrees' : 'not-needed',
      acknowledged: null,
    };
    const done = this.#recorder.record({
      event: lookupEvent(kind, amended, question, this.#parts.digest),
      stamp: this.#parts.stamp(),
      owed: owedFor(amended, question),
      keep: () => {
        this.#parts.kept.settle(view.lookup);
        if (isHit(verdict)) this.#parts.kept.openHit(amended);
      },
    });
    if (done.ok) this.#show(amended);
    else if (isHit(verdict)) this.#show({ ...amended, verdict: { ...verdict, recorded: false } });
  }

  /** Records a verdict and shows it; the view that was shown is the answer. */
  #conclude(
    view: LookupView,
    decision: Decision,
    running: Running | undefined,
    receivedAt: MonotonicTime,
  ): LookupView {
    const verdict = recorded(decision);
    const final: LookupView = { ...view, phase: 'final', verdict };
    const question = running?.question;
    const began = this.#parts.clock.monotonic();
    const done = this.#recorder.record({
      event: lookupEvent('lookup', final, question, this.#parts.digest),
      stamp: this.#parts.stamp(),
      owed: question === undefined ? [] : owedFor(final, question),
      keep: () => this.#keep(final, running),
    });
    const written = this.#parts.clock.monotonic();
    this.#parts.observe?.('record', written - began);
    const elapsedMillis = Math.max(0, written - receivedAt);
    const seen: LookupView = done.ok
      ? { ...final, elapsedMillis }
      : { ...final, verdict: unrecorded(verdict), elapsedMillis };
    this.#show(seen);
    this.#parts.observe?.('publish', this.#parts.clock.monotonic() - written);
    this.#parts.concluded?.(seen);
    return seen;
  }

  #keep(view: LookupView, running: Running | undefined): void {
    if (running === undefined) return;
    const { question, settled } = running;
    if (isHit(view.verdict)) this.#parts.kept.openHit(view);
    if (!settled) this.#parts.kept.owe({ lookup: view.lookup, question, view, reader: view.reader });
  }

  /** Asks again in a while where the link is up, but an answer did not come: nothing else would. */
  #recheckLater(): void {
    if (this.#recheckWaits || this.#closed) return;
    this.#recheckWaits = true;
    this.#cancelRecheck = this.#parts.clock.after(recheckEvery, () => {
      this.#recheckWaits = false;
      void this.recheck();
    });
  }

  #present(view: LookupView): LookupView {
    return this.#views.get(view.lookup) ?? view;
  }

  #show(view: LookupView): void {
    this.#views.put(view);
    this.#parts.show(view);
    const { lookup, phase, verdict, elapsedMillis } = view;
    this.#parts.log.debug('A lookup is shown', { lookup, phase, verdict: verdict?.kind, elapsedMillis });
  }
}

/** Whether a verdict may be shown again instead of being made anew; one that is still being made may. */
function mayStand({ verdict }: LookupView): boolean {
  return verdict === null || (verdict.recorded && verdict.kind !== 'unresolved');
}

/** The page's list; open hits come on top of it. */
const maxViews = 50;
const recheckEvery = ms(10_000);
