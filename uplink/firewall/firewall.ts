import { fail, ok, type Fault, type Result } from '#contracts/result.ts';
import { type MonotonicTime, monotonic, type Seconds } from '#contracts/units.ts';
import type { Children } from '#runtime/child.ts';
import type { Clock } from '#runtime/clock.ts';
import { faultFields, type Log } from '#runtime/log.ts';
import { nft, step } from '../tools/tools.ts';
import { closedList } from './closed-list.ts';
import { setsOf } from './conditions.ts';
import type { ClosedListEntry } from './entry.ts';
import { type ClosedListFacts, isAddress, isPort, type Target, type TimedMode, wrongFact } from './facts.ts';
import { type Listed, readListing } from './readback.ts';
import { countRules, type OpenTarget, renderRules, table, timedElement } from './render.ts';

export interface FirewallState {
  /**
   * `off`: no list was given yet; `held`: the closed list is in force; `open`: it is, and a timed mode is open;
   * `failed`: the last attempt to load or read it failed, and what was in force before stays.
   */
  readonly state: 'off' | 'held' | 'open' | 'failed';
  readonly mode: TimedMode | null;
  /** How often it had to be put back. */
  readonly restored: number;
  readonly fault: Fault | undefined;
}

export interface FirewallParts {
  readonly children: Children;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Keeps the closed list in force. All calls are carried out one after another. Faults: TOOL_MISSING where there is no
 * nft, otherwise FIREWALL_FAILED; what was in force before then stays, and the next `check` tries again.
 */
export interface Firewall {
  /**
   * Puts the list of these facts in force, in one transaction. What a timed mode lets out stays open as long as it
   * would have, even where another process opened it. Facts that are no facts change nothing.
   */
  hold(facts: ClosedListFacts): Promise<Result<void>>;
  /** Reads back what the kernel holds, and puts the list back where it is gone or was changed. */
  check(): Promise<Result<'held' | 'restored'>>;
  /**
   * Opens a mode to these targets; the kernel itself closes it. Once more while it is open: the targets and the time
   * of before are replaced.
   */
  openMode(mode: TimedMode, seconds: Seconds, targets: readonly Target[]): Promise<Result<void>>;
  closeMode(mode: TimedMode): Promise<Result<void>>;
  state(): FirewallState;
}

export function createFirewall(parts: FirewallParts): Firewall {
  const keeper = new Keeper(parts);
  let last: Promise<unknown> = Promise.resolve();
  // One after another: a list that is read while another is loaded would look changed.
  const inTurn = <T>(action: () => Promise<T>): Promise<T> => {
    const mine = last.then(action);
    last = mine.catch(() => {});
    return mine;
  };
  return {
    hold: (facts) => inTurn(() => keeper.hold(facts)),
    check: () => inTurn(() => keeper.check()),
    openMode: (mode, seconds, targets) => inTurn(() => keeper.openMode(mode, seconds, targets)),
    closeMode: (mode) => inTurn(() => keeper.closeMode(mode)),
    state: () => keeper.state(),
  };
}

interface Opened {
  readonly mode: TimedMode;
  readonly target: Target;
  readonly until: MonotonicTime;
}

interface Wanted {
  readonly facts: ClosedListFacts;
  readonly entries: readonly ClosedListEntry[];
}

class Keeper {
  readonly #parts: FirewallParts;
  #wanted: Wanted | undefined;
  /** What the kernel listed when `#wanted` had been loaded; undefined where it has not been. */
  #digest: string | undefined;
  #open: readonly Opened[] = [];
  #adopted = false;
  #restored = 0;
  #fault: Fault | undefined;

  constructor(parts: FirewallParts) {
    this.#parts = parts;
  }

  async hold(facts: ClosedListFacts): Promise<Result<void>> {
    const wrong = wrongFact(facts);
    // Not a fault of the firewall: what is in force is as good as before.
    if (wrong !== undefined) return fail('FIREWALL_FAILED', wrong);
    if (JSON.stringify(this.#wanted?.facts) !== JSON.stringify(facts)) {
      this.#wanted = { facts, entries: closedList(facts) };
      this.#digest = undefined;
    }
    const done = await this.check();
    return done.ok ? ok(undefined) : done;
  }

  async check(): Promise<Result<'held' | 'restored'>> {
    const wanted = this.#wanted;
    if (wanted === undefined) return fail('FIREWALL_FAILED', 'No list was given yet.');
    const before = this.#digest;
    const listed = before === undefined && this.#adopted ? undefined : await this.#list();
    if (listed?.ok === false && listed.fault.code === 'TOOL_MISSING') return this.#failed(listed.fault);
    if (!this.#adopted) this.#adopt(listed);
    if (before !== undefined && listed?.ok === true && listed.value.digest === before)
      return this.#held('held');
    const loaded = await this.#load(wanted);
    if (!loaded.ok) return this.#failed(loaded.fault);
    if (before === undefined) return this.#held('held');
    this.#restored++;
    this.#parts.log.warn('The closed list of the firewall was gone or changed; it was put back.', {
      restored: this.#restored,
      found: listed?.ok === true ? 'changed' : (listed?.fault.detail ?? null),
    });
    return this.#held('restored');
  }

  async openMode(mode: TimedMode, seconds: Seconds, targets: readonly Target[]): Promise<Result<void>> {
    const wrong = this.#refusal(mode, seconds, targets);
    if (wrong !== undefined) return fail('FIREWALL_FAILED', `${mode} was not opened: ${wrong}`);
    const until = monotonic(this.#parts.clock.monotonic() + seconds * 1000);
    return this.#setMode(
      mode,
      targets.map((target) => ({ mode, target, until })),
    );
  }

  async closeMode(mode: TimedMode): Promise<Result<void>> {
    if (!this.#remaining().some((one) => one.mode === mode)) return ok(undefined);
    return this.#setMode(mode, []);
  }

  state(): FirewallState {
    const mode = this.#remaining()[0]?.mode ?? null;
    const works = mode === null ? 'held' : 'open';
    const failed = this.#fault !== undefined;
    return {
      state: failed ? 'failed' : this.#digest === undefined ? 'off' : works,
      mode,
      restored: this.#restored,
      fault: this.#fault,
    };
  }

  async #setMode(mode: TimedMode, opened: readonly Opened[]): Promise<Result<void>> {
    const before = this.#open;
    this.#open = [...before.filter((one) => one.mode !== mode), ...opened];
    const script = setsOf(mode).flatMap((name, i) => {
      const elements = this.#remaining()
        .filter((one) => one.mode === mode && one.target.address.includes(':') === (i === 1))
        .map(timedElement);
      const add = `add element ${table} ${name} { ${elements.join(', ')} }`;
      return [`flush set ${table} ${name}`, ...(elements.length === 0 ? [] : [add])];
    });
    const done = await this.#run(mode, ['-f', '-'], `${script.join('\n')}\n`);
    const cured = done.ok || done.fault.code === 'TOOL_MISSING' ? done : await this.#reload();
    if (!cured.ok) {
      // The kernel lets out what it did before, and no longer.
      this.#open = before;
      return cured;
    }
    this.#parts.log.info(opened.length === 0 ? 'A timed mode was closed.' : 'A timed mode was opened.', {
      mode,
    });
    return ok(undefined);
  }

  /** Where the sets are not there, the whole list is not: it is put back, with what is open now. */
  async #reload(): Promise<Result<unknown>> {
    const checked = await this.check();
    if (!checked.ok || checked.value === 'restored' || this.#wanted === undefined) return checked;
    return this.#load(this.#wanted);
  }

  #refusal(mode: TimedMode, seconds: number, targets: readonly Target[]): string | undefined {
    if (!(seconds > 0 && seconds <= 3600)) return `it may be open for 1 to 3600 seconds, and not ${seconds}.`;
    if (targets.length === 0 || targets.length > 64) return 'it takes 1 to 64 targets.';
    const alien = targets.find((target) => !this.#permits(mode, target));
    if (alien === undefined) return undefined;
    return `${alien.protocol} ${alien.address} port ${alien.port} is not named in the settings.`;
  }

  /** Whether the list in force names it. */
  #permits(mode: TimedMode, { address, protocol, port }: Target): boolean {
    if (!isAddress(address) || !isPort(port)) return false;
    return (this.#wanted?.entries ?? []).some(
      ({ what }) =>
        what.match === 'timed' &&
        what.mode === mode &&
        what.permits.some(
          (permit) =>
            permit.protocol === protocol &&
            permit.port === port &&
            (permit.address === undefined || permit.address === address),
        ),
    );
  }

  /** What is still open, and for how long; what a newer list does not name is not. */
  #remaining(): readonly OpenTarget[] {
    const now = this.#parts.clock.monotonic();
    return this.#open
      .filter(({ mode, target }) => this.#permits(mode, target))
      .map(({ mode, target, until }) => ({ mode, target, remaining: Math.floor(until - now) }))
      .filter(({ remaining }) => remaining > 0);
  }

  /** Takes over what a run before this one has opened. */
  #adopt(listed: Result<Listed> | undefined): void {
    this.#adopted = true;
    if (listed?.ok !== true) return;
    const now = this.#parts.clock.monotonic();
    const mine = new Set(this.#open.map(({ mode }) => mode));
    const found = listed.value.open.filter(({ mode, seconds }) => seconds > 0 && !mine.has(mode));
    this.#open = [
      ...this.#open,
      ...found.map(({ mode, target, seconds }) => ({ mode, target, until: monotonic(now + seconds * 1000) })),
    ];
  }

  async #load({ facts, entries }: Wanted): Promise<Result<void>> {
    const text = renderRules(facts, entries, this.#remaining());
    const loaded = await this.#run('loading the closed list', ['-f', '-'], text);
    if (!loaded.ok) return loaded;
    const listed = await this.#list();
    if (!listed.ok) return listed;
    if (listed.value.rules !== countRules(text))
      return fail('FIREWALL_FAILED', `nft took ${countRules(text)} rules and lists ${listed.value.rules}.`);
    this.#digest = listed.value.digest;
    return ok(undefined);
  }

  async #list(): Promise<Result<Listed>> {
    const listed = await this.#run('reading it back', ['--json', 'list', 'table', ...table.split(' ')]);
    return listed.ok ? readListing(listed.value) : listed;
  }

  #run(what: string, args: readonly string[], input?: string): Promise<Result<string>> {
    const options = input === undefined ? {} : { input };
    return step(this.#parts.children, 'FIREWALL_FAILED', what, nft, args, options);
  }

  #held(how: 'held' | 'restored'): Result<'held' | 'restored'> {
    if (this.#fault !== undefined) this.#parts.log.info('The closed list of the firewall is in force again.');
    this.#fault = undefined;
    return ok(how);
  }

  #failed(fault: Fault): Result<never> {
    // Said once for each kind: it is tried again and again.
    if (this.#fault?.detail !== fault.detail)
      this.#parts.log.error('The closed list of the firewall cannot be held.', faultFields(fault));
    this.#fault = fault;
    return { ok: false, fault };
  }
}
