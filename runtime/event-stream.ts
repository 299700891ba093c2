import type { ServerResponse } from 'node:http';
import { type Bytes, bytes, type Millis, ms } from '#contracts/units.ts';
import { type Clock, instant } from './clock.ts';
import type { Log } from './log.ts';

/** One server-sent event: its name and a value that is sent as JSON. */
export interface StreamEvent {
  readonly event: string;
  readonly data: unknown;
}

export interface EventStreamParts {
  readonly clock: Clock;
  readonly log: Log;
  /** A `heartbeat` event this often, so that a page sees that the server is gone although no connection broke. */
  readonly heartbeat?: Millis;
  /** What may wait for a client beyond what it was sent on connecting; a client that is further behind is dropped. */
  readonly maxBuffered?: Bytes;
  /** Beyond this many clients the oldest is let go: a page that was reloaded often must not be refused. */
  readonly maxClients?: number;
}

interface Client {
  readonly response: ServerResponse;
  readonly allowed: number;
}

/**
 * Server-sent events (HTML Living Standard, section 9.2) to any number of pages. Each client is sent the present state
 * on connecting, then one `heartbeat` that says that this state is whole, then what happens. A heartbeat carries the
 * server's time, so that a page on another machine can say how long ago something was.
 *
 * Memory is bounded: a client that does not read is dropped and, being an EventSource, comes back for the whole state.
 */
export class EventStream {
  readonly #clients = new Set<Client>();
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #heartbeat: Millis;
  readonly #maxBuffered: Bytes;
  readonly #maxClients: number;
  #cancel: (() => void) | undefined;
  #closed = false;

  constructor(parts: EventStreamParts) {
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#heartbeat = parts.heartbeat ?? ms(5000);
    this.#maxBuffered = parts.maxBuffered ?? bytes(262_144);
    this.#maxClients = parts.maxClients ?? 32;
  }

  /** How many pages listen. */
  get size(): number {
    return this.#clients.size;
  }

  /** Makes this response a stream that begins with `first`, the whole present state. */
  connect(response: ServerResponse, first: readonly StreamEvent[]): void {
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // A proxy must pass each event on at once.
      'x-accel-buffering': 'no',
    });
    if (this.#closed) {
      response.end();
      return;
    }
    const start = `retry: 1000\n\n${first.map(encode).join('')}${this.#heart()}`;
    const client = { response, allowed: Buffer.byteLength(start) + this.#maxBuffered };
    const [oldest] = this.#clients;
    if (oldest !== undefined && this.#clients.size >= this.#maxClients) this.#drop(oldest, 'too many');
    this.#clients.add(client);
    response.on('close', () => this.#forget(client));
    response.on('error', () => this.#forget(client));
    response.write(start);
    this.#cancel ??= this.#clock.after(this.#heartbeat, this.#beat);
  }

  send(event: string, data: unknown): void {
    if (this.#clients.size > 0) this.#write(encode({ event, data }));
  }

  /** Ends every stream; later ones end at once. */
  close(): void {
    this.#closed = true;
    this.#cancel?.();
    this.#cancel = undefined;
    for (const { response } of this.#clients) response.end();
    this.#clients.clear();
  }

  #write(text: string): void {
    for (const client of this.#clients) {
      if (client.response.writableLength > client.allowed) this.#drop(client, 'too slow');
      else client.response.write(text);
    }
  }

  readonly #beat = (): void => {
    this.#cancel = undefined;
    this.#write(this.#heart());
    if (this.#clients.size > 0) this.#cancel = this.#clock.after(this.#heartbeat, this.#beat);
  };

  #heart(): string {
    return encode({ event: 'heartbeat', data: { time: instant(this.#clock.wall()) } });
  }

  #drop(client: Client, reason: string): void {
    this.#log.info('A page was dropped from the live events; it connects again by itself', { reason });
    this.#forget(client);
    client.response.destroy();
  }

  #forget(client: Client): void {
    this.#clients.delete(client);
    if (this.#clients.size > 0) return;
    this.#cancel?.();
    this.#cancel = undefined;
  }
}

/** JSON has no line breaks, so that one `data:` line is enough. */
function encode({ event, data }: StreamEvent): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
