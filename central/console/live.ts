import type { ServerResponse } from 'node:http';
import type { Result } from '#contracts/result.ts';
import { bytes, ms } from '#contracts/units.ts';
import type { Clock } from '#runtime/clock.ts';
import { EventStream } from '#runtime/event-stream.ts';
import { faultFields, type Log } from '#runtime/log.ts';
import type { Access, Caller, Credentials } from '../access/index.ts';
import type { Reach } from './reach.ts';
import type { Change, ConsoleSource } from './source.ts';

export interface LiveParts {
  readonly source: ConsoleSource;
  readonly access: Access;
  readonly clock: Clock;
  readonly log: Log;
}

/** All that see the same. */
interface Group {
  readonly reach: Reach;
  readonly stream: EventStream;
}

interface Listener {
  readonly caller: Caller;
  readonly credentials: Credentials;
  readonly response: ServerResponse;
}

/** Whether a listener may still listen is asked again after so long; an open page keeps its session alive thereby. */
const again = ms(60_000);
/** What may wait for a page that does not read; then it is dropped, and comes back by itself. */
const maxBuffered = bytes(1_048_576);

/**
 * Live events: one stream for each bureau and one for those over all, so that a row is written once for all who see it.
 * A listener whose session has ended or whose rights have changed is dropped.
 */
export class Live {
  readonly #parts: LiveParts;
  readonly #groups = new Map<string, Group>();
  readonly #listeners = new Set<Listener>();
  readonly #stops: readonly (() => void)[];
  #cancel: () => void;
  #closed = false;

  constructor(parts: LiveParts) {
    this.#parts = parts;
    this.#stops = [
      parts.source.subscribe({
        change: (change) => this.#tell(change),
        // Cut off, they come back by themselves and ask for everything.
        gap: () => {
          for (const { response } of this.#listeners) response.destroy();
        },
      }),
      parts.access.onChange(() => void this.#checkAll()),
    ];
    this.#cancel = parts.clock.after(again, this.#checkAgain);
  }

  /**
   * Makes this answer a stream. It begins with a heartbeat: what happens from then on is told, so that whoever asks for
   * the fleet after it misses nothing.
   */
  connect(response: ServerResponse, caller: Caller, credentials: Credentials, reach: Reach): void {
    const listener = { caller, credentials, response };
    this.#listeners.add(listener);
    response.on('close', () => this.#listeners.delete(listener));
    this.#groupOf(reach).stream.connect(response, []);
  }

  close(): void {
    this.#closed = true;
    this.#cancel();
    for (const stop of this.#stops) stop();
    for (const { stream } of this.#groups.values()) stream.close();
  }

  #tell(change: Change): void {
    const { fleet } = this.#parts.source;
    for (const { reach, stream } of this.#groups.values()) {
      if (stream.size === 0 || !reach.sees(change)) continue;
      const data =
        change.event === 'centre' ? reach.centre(change.data, () => fleet.terminals()) : change.data;
      stream.send(change.event, data);
    }
  }

  #groupOf(reach: Reach): Group {
    const key = reach.bureau ?? '';
    const there = this.#groups.get(key);
    if (there !== undefined) return there;
    const { clock, log } = this.#parts;
    const group = { reach, stream: new EventStream({ clock, log, maxBuffered, maxClients: 128 }) };
    this.#groups.set(key, group);
    return group;
  }

  readonly #checkAgain = (): void => {
    void this.#checkAll().then(() => {
      if (!this.#closed) this.#cancel = this.#parts.clock.after(again, this.#checkAgain);
    });
  };

  async #checkAll(): Promise<void> {
    for (const { caller, credentials, response } of this.#listeners) {
      const now: Result<Caller> = await this.#parts.access.identify(credentials);
      if (now.ok && same(now.value, caller)) continue;
      // While the store fails nobody's rights change either.
      if (!now.ok && now.fault.code !== 'SIGN_IN_REQUIRED') {
        this.#parts.log.warn('It cannot be told who may listen', faultFields(now.fault));
        return;
      }
      response.destroy();
    }
  }
}

function same({ identity: one }: Caller, { identity: other }: Caller): boolean {
  return one.name === other.name && one.bureau === other.bureau && one.role === other.role;
}
