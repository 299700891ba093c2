import type { HitOutcome } from '#contracts/outbox.ts';
import { AcknowledgeRequest, type LookupView, type TerminalView } from '#contracts/officer.ts';
import type { Result } from '#contracts/result.ts';
import type { Clock } from '#runtime/clock.ts';
import { EventStream } from '#runtime/event-stream.ts';
import type { Log } from '#runtime/log.ts';
import {
  type Exchange,
  type PageServer,
  readText,
  type Route,
  sendFault,
  sendJson,
  startPageServer,
} from '#runtime/page.ts';
import { parseJson } from '#runtime/parse.ts';

/** What stands behind the officer's page. */
export interface Desk {
  terminal(): TerminalView;
  /** Every hit that nobody has acknowledged and the latest lookups, oldest first. */
  lookups(): readonly LookupView[];
  /** Records an officer's outcome of a hit; doing it again changes nothing. */
  acknowledge(lookup: string, outcome: HitOutcome): Result<LookupView>;
  /** Calls back with every new state of a lookup and of the terminal; the answer ends it. */
  subscribe(listener: { lookup(view: LookupView): void; terminal(view: TerminalView): void }): () => void;
}

export interface OfficerServerParts {
  readonly host: string;
  readonly port: number;
  /** Folder of the built page. */
  readonly pageDir: string;
  readonly log: Log;
  readonly clock: Clock;
  readonly desk: Desk;
}

/**
 * Serves the officer's page and its API (contracts/officer.ts). Faults: PORT_IN_USE, ADDRESS_REFUSED.
 *
 *   GET  /api/events                      the terminal, the lookups, then each change
 *   GET  /api/terminal                    a TerminalView
 *   GET  /api/lookups                     LookupViews, oldest first
 *   POST /api/lookups/{id}/acknowledge    an AcknowledgeRequest; the answer is the LookupView
 */
export async function startOfficerServer(parts: OfficerServerParts): Promise<Result<PageServer>> {
  const { desk } = parts;
  const stream = new EventStream({ clock: parts.clock, log: parts.log });
  const unsubscribe = desk.subscribe({
    lookup: (view) => stream.send('lookup', view),
    terminal: (view) => stream.send('terminal', view),
  });
  const onClose = (): void => {
    unsubscribe();
    stream.close();
  };
  const server = await startPageServer({ ...parts, routes: routes(desk, stream), onClose });
  if (!server.ok) onClose();
  return server;
}

function routes(desk: Desk, stream: EventStream): readonly Route[] {
  return [
    {
      method: 'GET',
      path: /^\/api\/events$/,
      answer({ response }) {
        const lookups = desk.lookups().map((data) => ({ event: 'lookup', data }));
        stream.connect(response, [{ event: 'terminal', data: desk.terminal() }, ...lookups]);
      },
    },
    {
      method: 'GET',
      path: /^\/api\/terminal$/,
      answer: ({ response }) => sendJson(response, desk.terminal()),
    },
    {
      method: 'GET',
      path: /^\/api\/lookups$/,
      answer: ({ response }) => sendJson(response, desk.lookups()),
    },
    {
      method: 'POST',
      path: /^\/api\/lookups\/([0-9a-f-]{36})\/acknowledge$/,
      answer: (exchange) => acknowledge(desk, exchange),
    },
  ];
}

async function acknowledge(desk: Desk, { request, response, params }: Exchange): Promise<void> {
  const text = await readText(request);
  if (!text.ok) return sendFault(response, text.fault);
  const asked = parseJson(AcknowledgeRequest, text.value, 'REQUEST_INVALID');
  if (!asked.ok) return sendFault(response, asked.fault);
  const done = desk.acknowledge(params[0] ?? '', asked.value.outcome);
  if (done.ok) sendJson(response, done.value);
  else sendFault(response, done.fault);
}
