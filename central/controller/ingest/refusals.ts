import { type Channel } from '#contracts/topics.ts';
import { ms } from '#contracts/units.ts';
import type { Clock } from '#runtime/clock.ts';
import type { Log, LogFields } from '#runtime/log.ts';
import type { Counts, Refused } from './counts.ts';

/** One line a minute for each terminal and reason: a terminal that repeats itself all night must not fill the disk. */
const quietFor = ms(60_000);
/** So that made-up terminal names do not fill the memory. */
const mostRemembered = 10_000;

/** Counts every message that is refused, and says so in the log without flooding it. */
export class Refusals {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #counts: Counts;
  readonly #totals = new Map<string, number>();
  readonly #last = new Map<string, { at: number; unsaid: number }>();

  constructor(parts: { clock: Clock; log: Log; counts: Counts }) {
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#counts = parts.counts;
  }

  /** Since the start, by reason. */
  totals(): Record<string, number> {
    return Object.fromEntries(this.#totals);
  }

  add(channel: Channel | 'other', why: Refused, terminal: string, fields: LogFields = {}, n = 1): void {
    this.#counts.refused(channel, why, n);
    this.#totals.set(why, (this.#totals.get(why) ?? 0) + n);
    const key = `${terminal} ${channel} ${why}`;
    const now = this.#clock.monotonic();
    const last = this.#last.get(key);
    if (last !== undefined && now - last.at < quietFor) {
      last.unsaid += 1;
      return;
    }
    if (this.#last.size >= mostRemembered) this.#last.clear();
    this.#last.set(key, { at: now, unsaid: 0 });
    const line = { terminal, channel, why, ...(last !== undefined && { unsaid: last.unsaid }), ...fields };
    const [level, text] = words[why];
    this.#log[level](text, line);
  }
}

const words: Readonly<Record<Refused, readonly ['error' | 'warn' | 'info' | 'debug', string]>> = {
  unregistered: ['warn', 'A message of a terminal that is not registered was refused'],
  invalid: ['error', 'A message that does not fit its schema was refused'],
  oversized: ['warn', 'A message that is larger than any of ours was refused'],
  flooding: ['warn', 'A terminal sends far more than it may; what is beyond was refused'],
  failed: ['error', 'A message could not be taken because of a defect of ours'],
  'unknown-topic': ['warn', 'A message under a topic that is not ours was refused'],
  'older-session': ['info', 'A birth or death of an older session was ignored'],
  'session-over': ['info', 'A message of a session that is over was ignored'],
  'other-session': ['info', 'Health of a session that is not current was ignored'],
  'cloned-identity': ['error', 'Two machines use the identity of this terminal'],
  ahead: ['info', 'Entries that do not follow what has arrived were left for later'],
  conflict: ['error', 'A number arrived again with another content: two machines may share one store'],
};
