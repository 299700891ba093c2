import { fail, type Fault, type Result } from '#contracts/result.ts';
import { ms } from '#contracts/units.ts';
import { pause } from '#runtime/clock.ts';
import { faultFields } from '#runtime/log.ts';
import { OfflineHistory } from './offline-history.ts';
import { Pauses } from './pauses.ts';
import type { CommandAbout, Fleet, FleetParts, FleetState } from './ports.ts';
import { Session } from './session.ts';

/** A session that stood for so long after somebody else had taken the identity tells that the other one is gone. */
const undisputed = ms(900_000);

/**
 * Keeps one MQTT 5 session with the controller's broker for as long as the agent lives: birth and will with the
 * session's number, then what is owed and health. After a failure it begins a new session, later and later, with
 * jitter, until one has really worked.
 */
export function startFleet(parts: FleetParts): Fleet {
  return new FleetLoop(parts);
}

class FleetLoop implements Fleet {
  readonly #parts: FleetParts;
  readonly #pauses: Pauses;
  readonly #ending = new AbortController();
  readonly #running: Promise<void>;
  readonly #history: OfflineHistory | undefined;
  readonly #reached = new Set<() => void>();
  #standing: Session | undefined;
  #reported: string | undefined;
  #taken = false;
  #saidCause: string | undefined;

  constructor(parts: FleetParts) {
    const { settings, random, health, clock, keep } = parts;
    this.#parts = parts;
    this.#pauses = new Pauses({
      first: ms(settings.retryMillis),
      spread: ms(settings.spreadSeconds * 1000),
      random,
    });
    this.#running = this.#run();
    if (keep !== undefined)
      this.#history = new OfflineHistory({
        health,
        clock,
        connected: () => this.#standing !== undefined,
        keep,
      });
  }

  state(): FleetState {
    return this.#standing === undefined ? 'disconnected' : 'connected';
  }

  session(): number | undefined {
    return this.#standing?.number;
  }

  changed(): void {
    this.#standing?.changed();
  }

  reportNow(): Promise<Result<void>> {
    return this.#standing?.reportNow() ?? this.#none();
  }

  report(text: string): void {
    this.#reported = text;
    this.#standing?.report(text);
  }

  answer(text: string, { correlation }: Pick<CommandAbout, 'correlation'>): Promise<Result<void>> {
    return this.#standing?.answer(text, correlation) ?? this.#none();
  }

  onReached(listener: () => void): () => void {
    this.#reached.add(listener);
    return () => this.#reached.delete(listener);
  }

  async close(): Promise<void> {
    this.#history?.close();
    await this.#standing?.goodbye();
    this.#ending.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, settings } = this.#parts;
    while (!this.#ending.signal.aborted) {
      const number = this.#parts.session();
      if (!number.ok) {
        this.#say(number.fault);
        await pause(clock, ms(settings.retryMillis), this.#ending.signal);
        continue;
      }
      const end = await this.#oneSession(number.value);
      if (end === undefined || this.#ending.signal.aborted) return;
      this.#say(end.fault);
      if (end.fault.code === 'IDENTITY_TAKEN_OVER') this.#takenOver(true);
      await pause(clock, this.#pauses.after(end), this.#ending.signal);
    }
  }

  async #oneSession(number: number): Promise<Awaited<ReturnType<Session['run']>>> {
    const { clock } = this.#parts;
    let cancel = (): void => {};
    const session: Session = new Session(number, this.#parts, {
      stands: () => {
        this.#standing = session;
        cancel = clock.after(undisputed, () => this.#takenOver(false));
      },
      worked: () => this.#worked(),
      reached: () => {
        for (const listener of this.#reached) listener();
      },
      reported: () => this.#parts.reported?.(number) ?? this.#reported,
    });
    const end = await session.run(this.#ending.signal);
    cancel();
    this.#standing = undefined;
    return end;
  }

  #takenOver(taken: boolean): void {
    if (taken === this.#taken) return;
    this.#taken = taken;
    if (taken)
      this.#parts.log.error('Somebody else uses the identity of this terminal', {
        code: 'IDENTITY_TAKEN_OVER',
      });
    this.#parts.onTakenOver?.(taken);
  }

  #worked(): void {
    if (this.#saidCause !== undefined) this.#parts.log.info('The session with the controller works again');
    this.#saidCause = undefined;
  }

  /** Once per change of cause, not once per try. */
  #say(fault: Fault): void {
    const cause = `${fault.code} ${fault.detail}`;
    if (cause !== this.#saidCause)
      this.#parts.log.warn('There is no session with the controller', faultFields(fault));
    this.#saidCause = cause;
  }

  #none(): Promise<Result<never>> {
    return Promise.resolve(fail('BROKER_UNREACHABLE', 'There is no session with the controller.'));
  }
}
