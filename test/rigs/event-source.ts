import { get, type IncomingMessage } from 'node:http';
import type { LookupView } from '#contracts/officer.ts';

/** One server-sent event. */
export interface ServerEvent {
  readonly event: string;
  readonly data: unknown;
  /** When it was whole here, `performance.now()`. */
  readonly at: number;
}

/** A reader of server-sent events over real HTTP; keeps all of them in order. */
export class EventReader {
  readonly events: ServerEvent[] = [];
  readonly #listeners = new Set<() => void>();
  #response: IncomingMessage | undefined;
  #rest = '';

  /** Connects; resolves when the stream has begun. */
  static connect(url: string): Promise<EventReader> {
    const reader = new EventReader();
    return new Promise((resolve, reject) => {
      get(url, { headers: { accept: 'text/event-stream' } }, (response) => {
        if (response.statusCode !== 200) return reject(new Error(`${url} answered ${response.statusCode}`));
        reader.#response = response;
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => reader.#take(chunk));
        response.on('error', () => {});
        return resolve(reader);
      }).on('error', reject);
    });
  }

  /** The first event from number `from` on that fits; waits for it at most `timeoutMs`. */
  async next<T>(
    event: string,
    fits: (data: T) => boolean,
    { from = 0, timeoutMs = 10_000 } = {},
  ): Promise<{ data: T; at: number }> {
    const find = (): { data: T; at: number } | undefined => {
      const found = this.events.slice(from).find((one) => one.event === event && fits(one.data as T));
      return found === undefined ? undefined : { data: found.data as T, at: found.at };
    };
    const already = find();
    if (already !== undefined) return already;
    return new Promise((resolve, reject) => {
      const listener = (): void => {
        const found = find();
        if (found === undefined) return;
        clearTimeout(timer);
        this.#listeners.delete(listener);
        resolve(found);
      };
      const timer = setTimeout(() => {
        this.#listeners.delete(listener);
        reject(
          new Error(
            `no event ${event} that fits within ${timeoutMs} ms; the last was ${JSON.stringify(this.events.at(-1)?.data)?.slice(0, 300)}`,
          ),
        );
      }, timeoutMs);
      this.#listeners.add(listener);
    });
  }

  /**
   * The final state of the next lookup: calls `act`, and passes over what is still said of lookups from before it (the
   * centre may confirm a hit while the next document is already on the reader).
   */
  async nextLookup(act: () => unknown, timeoutMs = 10_000): Promise<{ data: LookupView; at: number }> {
    const before = new Set(
      this.events.filter(({ event }) => event === 'lookup').map(({ data }) => (data as LookupView).lookup),
    );
    await act();
    return this.next<LookupView>('lookup', (view) => view.phase === 'final' && !before.has(view.lookup), {
      timeoutMs,
    });
  }

  /** Called with every event from now on, and with those that came before. */
  onEvent(listener: (event: ServerEvent) => void): void {
    let seen = 0;
    const take = (): void => {
      for (const event of this.events.slice(seen)) listener(event);
      seen = this.events.length;
    };
    take();
    this.#listeners.add(take);
  }

  close(): void {
    this.#response?.destroy();
  }

  #take(chunk: string): void {
    const blocks = (this.#rest + chunk).split('\n\n');
    this.#rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const lines = block.split('\n');
      const event = lines
        .find((line) => line.startsWith('event:'))
        ?.slice(6)
        .trim();
      const data = lines
        .filter((line) => line.startsWith('data:'))
        .map((line) => line.slice(5).trim())
        .join('\n');
      if (event === undefined || data === '') continue;
      this.events.push({ event, data: JSON.parse(data), at: performance.now() });
      for (const listener of this.#listeners) listener();
    }
  }
}
