import type { Static, TSchema } from 'typebox';
import { type EntryAccepted, type EntryCheck, EntryRequest } from '#contracts/entry.ts';
import type { HitOutcome } from '#contracts/outbox.ts';
import { AcknowledgeRequest, type LookupView, type TerminalView } from '#contracts/officer.ts';
import type { Fault, Result } from '#contracts/result.ts';
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
  /** How what is being typed stands; nothing is searched. */
  checkEntry(entry: EntryRequest): EntryCheck;
  /**
   * Searches for what was typed; its lookup comes by `subscribe`, with the reader `typedReader`. Fault: REQUEST_INVALID
   * where it cannot be searched as it is.
   */
  enter(entry: EntryRequest): Result<void>;
  /** Tells a reader to read. Faults: NOT_FOUND where there is no such reader, READER_* where it cannot be told. */
  trigger(reader: string): Result<void>;
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
 *   POST /api/entries/check               an EntryRequest; the answer is an EntryCheck
 *   POST /api/entries                     an EntryRequest; 202 and EntryAccepted, its lookup comes by the stream
 *   POST /api/readers/{id}/trigger        no body; 202 and an empty object
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
    {
      method: 'POST',
      path: /^\/api\/entries\/check$/,
      async answer({ request, response }) {
        const entry = await read(request, EntryRequest);
        if (entry.ok) sendJson(response, desk.checkEntry(entry.value));
        else sendFault(response, entry.fault);
      },
    },
    {
      method: 'POST',
      path: /^\/api\/entries$/,
      async answer({ request, response }) {
        const entry = await read(request, EntryRequest);
        const done = entry.ok ? desk.enter(entry.value) : entry;
        if (done.ok) sendJson(response, accepted, 202);
        else sendFault(response, done.fault);
      },
    },
    {
      method: 'POST',
      path: /^\/api\/readers\/([a-z0-9][a-z0-9-]{0,31})\/trigger$/,
      answer({ response, params }) {
        const done = desk.trigger(params[0] ?? '');
        if (done.ok) sendJson(response, {}, 202);
        else refuse(response, done.fault);
      },
    },
  ];
}

const accepted: Static<typeof EntryAccepted> = { accepted: true };

async function read<S extends TSchema>(request: Exchange['request'], schema: S): Promise<Result<Static<S>>> {
  const text = await readText(request);
  return text.ok ? parseJson(schema, text.value, 'REQUEST_INVALID') : text;
}

/** A reader that cannot be told to read is no fault of this server's. */
function refuse(response: Exchange['response'], fault: Fault): void {
  sendFault(response, fault, fault.code.startsWith('READER_') ? 503 : undefined);
}

async function acknowledge(desk: Desk, { request, response, params }: Exchange): Promise<void> {
  const asked = await read(request, AcknowledgeRequest);
  if (!asked.ok) return sendFault(response, asked.fault);
  const done = desk.acknowledge(params[0] ?? '', asked.value.outcome);
  if (done.ok) sendJson(response, done.value);
  else sendFault(response, done.fault);
}
