import type { AlertRow, TerminalRow } from '#contracts/console.ts';
import { bytes } from '#contracts/units.ts';
import type { Result } from '#contracts/result.ts';
import type { Clock } from '#runtime/clock.ts';
import { EventStream } from '#runtime/event-stream.ts';
import type { Log } from '#runtime/log.ts';
import { type PageServer, type Route, sendJson, startPageServer } from '#runtime/page.ts';

/** What the console shows; the controller implements it. */
export interface ConsoleSource {
  terminals(): readonly TerminalRow[];
  /** The latest alerts, newest first. */
  alerts(limit: number): readonly AlertRow[];
  /** Calls back with every new state of a terminal and of an alert; the answer ends it. */
  subscribe(listener: { terminal(row: TerminalRow): void; alert(row: AlertRow): void }): () => void;
  /** Metrics in the text format of Prometheus, version 0.0.4. */
  metrics(): Promise<string>;
}

export interface ConsoleParts {
  readonly host: string;
  readonly port: number;
  readonly source: ConsoleSource;
  /** Folder of the built page. */
  readonly pageDir: string;
  readonly log: Log;
  readonly clock: Clock;
}

/** How many alerts the page shows. */
const latest = 200;

/**
 * Serves the operators' page, its API (contracts/console.ts) and the metrics. Faults: PORT_IN_USE, ADDRESS_REFUSED.
 *
 *   GET /api/events       every terminal, the latest alerts oldest first, then each change
 *   GET /api/terminals    TerminalRows
 *   GET /api/alerts       AlertRows, newest first
 *   GET /metrics          for Prometheus
 */
export async function startConsole(parts: ConsoleParts): Promise<Result<PageServer>> {
  const { source } = parts;
  const stream = new EventStream({
    clock: parts.clock,
    log: parts.log,
    maxBuffered: bytes(1_048_576),
    maxClients: 128,
  });
  const unsubscribe = source.subscribe({
    terminal: (row) => stream.send('terminal', row),
    alert: (row) => stream.send('alert', row),
  });
  const onClose = (): void => {
    unsubscribe();
    stream.close();
  };
  const server = await startPageServer({ ...parts, routes: routes(source, stream), onClose });
  if (!server.ok) onClose();
  return server;
}

function routes(source: ConsoleSource, stream: EventStream): readonly Route[] {
  return [
    {
      method: 'GET',
      path: /^\/api\/events$/,
      answer({ response }) {
        stream.connect(response, [
          ...source.terminals().map((data) => ({ event: 'terminal', data })),
          ...[...source.alerts(latest)].reverse().map((data) => ({ event: 'alert', data })),
        ]);
      },
    },
    {
      method: 'GET',
      path: /^\/api\/terminals$/,
      answer: ({ response }) => sendJson(response, source.terminals()),
    },
    {
      method: 'GET',
      path: /^\/api\/alerts$/,
      answer: ({ response }) => sendJson(response, source.alerts(latest)),
    },
    {
      method: 'GET',
      path: /^\/metrics$/,
      async answer({ response }) {
        const text = await source.metrics();
        response.setHeader('content-type', 'text/plain; version=0.0.4; charset=utf-8');
        response.end(text);
      },
    },
  ];
}
