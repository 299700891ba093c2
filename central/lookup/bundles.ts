import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, readFile, rename, stat, unlink } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { dirname } from 'node:path';
import Type, { type Static } from 'typebox';
import type { BundleRow } from '#contracts/api/fleet.ts';
import { bundleBytesTaken, bundleHeaders, bundlesPath } from '#contracts/bundle.ts';
import { type TerminalId, Uuid } from '#contracts/names.ts';
import { fail, type Fault, ok, type Result } from '#contracts/result.ts';
import { type Clock, instant } from '#runtime/clock.ts';
import { syncFolder } from '#runtime/durable-file.ts';
import { systemCode } from '#runtime/errors.ts';
import type { Log } from '#runtime/log.ts';
import { parseValue } from '#runtime/parse.ts';
import { bundleFile, type BundleStore, bundleStore, scanBundles } from './bundle-store.ts';
import { sendRefusal } from './http.ts';

export interface BundleReceiverParts {
  /** Folder of the bundles; made where there is none. */
  readonly folder: string;
  /** Space for all of them, in bytes. */
  readonly budget: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** So many of one terminal; the oldest goes where another one comes. */
const mostOfOne = 20;

const digits = Type.String({ pattern: '^(0|[1-9][0-9]{0,9})$' });
/** Headers of a request that brings a part. */
const PartHead = Type.Object({
  [bundleHeaders.offset]: digits,
  [bundleHeaders.length]: digits,
  [bundleHeaders.sha256]: Type.String({ pattern: '^[0-9a-f]{64}$' }),
});

interface Part {
  readonly id: Uuid;
  readonly terminal: TerminalId;
  readonly offset: number;
  readonly length: number;
  readonly sha256: string;
}

/** How far an upload is. */
interface Standing {
  readonly offset: number;
  readonly complete: boolean;
}

/** `late`: the request brought what does not follow on. */
type Answer = Standing & { readonly late: boolean };

/**
 * Takes diagnostic bundles of terminals (contracts/bundle.ts): what came stays when the line breaks, and a bundle is
 * there when all of it came and its hash is right. A terminal reaches its own folder alone, by its certificate.
 */
export class BundleReceiver {
  /** What has come, for the console. */
  readonly store: BundleStore;
  readonly #parts: BundleReceiverParts;
  /** What lies in the folder; this process alone writes there. */
  readonly #rows: Map<string, BundleRow>;
  /** One request at a time of each terminal: the later one is the one that it still knows of. */
  readonly #busy = new Map<
    TerminalId,
    { readonly request: IncomingMessage; readonly done: Promise<unknown> }
  >();

  private constructor(parts: BundleReceiverParts, rows: readonly BundleRow[]) {
    this.#parts = parts;
    this.#rows = new Map(rows.map((row) => [keyOf(row), row]));
    this.store = bundleStore(parts.folder, () => Promise.resolve([...this.#rows.values()]));
  }

  /** Fault: FILE_REFUSED where the folder cannot be made. */
  static async open(parts: BundleReceiverParts): Promise<Result<BundleReceiver>> {
    try {
      await mkdir(parts.folder, { recursive: true, mode: 0o700 });
    } catch (cause) {
      return refusedFile(parts.folder, cause);
    }
    return ok(new BundleReceiver(parts, await scanBundles(parts.folder)));
  }

  /** Answers a request below `bundlesPath` of a terminal that was admitted; the fault is what it was refused for. */
  async handle(
    request: IncomingMessage,
    response: ServerResponse,
    terminal: TerminalId,
  ): Promise<Fault | undefined> {
    const before = this.#busy.get(terminal);
    before?.request.destroy();
    const done = (before?.done ?? Promise.resolve()).then(() => this.#answerSafely(request, terminal));
    const mine = { request, done };
    this.#busy.set(terminal, mine);
    const standing = await done;
    if (this.#busy.get(terminal) === mine) this.#busy.delete(terminal);
    if (!standing.ok) {
      const { fault } = standing;
      // A line that broke is no refusal: what came stays.
      if (response.destroyed || (request.destroyed && !request.complete)) return undefined;
      // What is left of a body that was refused is not read: the connection ends with the answer.
      if (!request.complete) response.setHeader('connection', 'close');
      sendRefusal(response, statusOf(fault), fault);
      return fault;
    }
    const { offset, complete, late } = standing.value;
    response
      .writeHead(late ? 409 : 200, {
        [bundleHeaders.offset]: offset,
        [bundleHeaders.complete]: complete ? 'yes' : 'no',
        'cache-control': 'no-store',
        'content-length': 0,
        ...(!request.complete && { connection: 'close' }),
      })
      .end();
    return undefined;
  }

  async #answerSafely(request: IncomingMessage, terminal: TerminalId): Promise<Result<Answer>> {
    try {
      return await this.#answer(request, terminal);
    } catch (cause) {
      return refusedFile(this.#parts.folder, cause);
    }
  }

  async #answer(request: IncomingMessage, terminal: TerminalId): Promise<Result<Answer>> {
    const id = parseValue(Uuid, (request.url ?? '').slice(bundlesPath.length), 'REQUEST_INVALID');
    if (!id.ok) return id;
    const standing = await this.#standing(terminal, id.value);
    if (request.method === 'HEAD') return ok({ ...standing, late: false });
    if (request.method !== 'PATCH')
      return fail('NOT_FOUND', `Here are HEAD and PATCH ${bundlesPath} with an id.`);
    const head = readHead(request);
    if (!head.ok) return head;
    // Said before by a request whose answer was lost, or brought from a wrong place: told where it is.
    if (standing.complete || head.value.offset !== standing.offset) return ok({ ...standing, late: true });
    const taken = await this.#take(request, { ...head.value, id: id.value, terminal });
    return taken.ok ? ok({ ...taken.value, late: false }) : taken;
  }

  async #standing(terminal: TerminalId, id: Uuid): Promise<Standing> {
    const { folder } = this.#parts;
    if (this.#rows.get(`${terminal}/${id}`)?.complete === true) {
      const whole = await sizeOf(bundleFile(folder, { terminal, id, complete: true }));
      if (whole !== undefined) return { offset: whole, complete: true };
    }
    const offset = (await sizeOf(bundleFile(folder, { terminal, id, complete: false }))) ?? 0;
    return { offset, complete: false };
  }

  async #take(request: IncomingMessage, part: Part): Promise<Result<Standing>> {
    const { clock, folder } = this.#parts;
    const { terminal, id, offset, length } = part;
    const file = bundleFile(folder, { terminal, id, complete: false });
    try {
      if (offset === 0) {
        const room = await this.#makeRoom(part);
        if (!room.ok) return room;
        await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      }
      // Its whole length counts from the beginning, so that many that are begun do not overrun the disk.
      this.#rows.set(`${terminal}/${id}`, {
        id,
        terminal,
        at: instant(clock.wall()),
        bytes: length,
        complete: false,
      });
      const brought = await append(request, file, offset, length);
      if (!brought.ok || brought.value < length)
        return brought.ok ? ok({ offset: brought.value, complete: false }) : brought;
      return await this.#conclude(part, file);
    } catch (cause) {
      return refusedFile(file, cause);
    }
  }

  /** All of it came: its hash decides. */
  async #conclude({ terminal, id, length, sha256 }: Part, file: string): Promise<Result<Standing>> {
    const { clock, folder, log } = this.#parts;
    const bytes = await readFile(file);
    const key = `${terminal}/${id}`;
    if (bytes.length !== length || createHash('sha256').update(bytes).digest('hex') !== sha256) {
      await unlink(file);
      this.#rows.delete(key);
      return fail('BUNDLE_REFUSED', 'What came is not what its hash says.');
    }
    const handle = await open(file, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(file, bundleFile(folder, { terminal, id, complete: true }));
    await syncFolder(dirname(file));
    this.#rows.set(key, { id, terminal, at: instant(clock.wall()), bytes: length, complete: true });
    log.info('A diagnostic bundle came', { terminal, bundle: id, bytes: length });
    return ok({ offset: length, complete: true });
  }

  /** The oldest of this terminal, then the oldest of all, go where there are too many. */
  async #makeRoom({ terminal, id, length }: Part): Promise<Result<void>> {
    const { budget } = this.#parts;
    if (length > budget) return fail('BUNDLE_REFUSED', `There is room for ${budget} bytes.`);
    // What was said of it before counts no more.
    this.#rows.delete(`${terminal}/${id}`);
    const own = [...this.#rows.values()].filter((row) => row.terminal === terminal);
    for (let left = own.length; left >= mostOfOne; left--) await this.#remove(oldest(own));
    for (;;) {
      const rows = [...this.#rows.values()];
      if (rows.reduce((sum, { bytes }) => sum + bytes, length) <= budget) return ok(undefined);
      await this.#remove(oldest(rows));
    }
  }

  async #remove(row: BundleRow | undefined): Promise<void> {
    if (row === undefined) return;
    const file = bundleFile(this.#parts.folder, row);
    await unlink(file).catch((thrown: unknown) => {
      if (systemCode(thrown) !== 'ENOENT') throw thrown;
    });
    this.#rows.delete(keyOf(row));
    this.#parts.log.info('A diagnostic bundle made room', { terminal: row.terminal, bundle: row.id });
  }
}

function keyOf({ terminal, id }: BundleRow): string {
  return `${terminal}/${id}`;
}

/** Takes it out of the list. */
function oldest(rows: BundleRow[]): BundleRow | undefined {
  const first = rows.reduce<BundleRow | undefined>(
    (found, row) => (found === undefined || row.at < found.at ? row : found),
    undefined,
  );
  if (first !== undefined) rows.splice(rows.indexOf(first), 1);
  return first;
}

function readHead(request: IncomingMessage): Result<Pick<Part, 'offset' | 'length' | 'sha256'>> {
  const head = parseValue(PartHead, { ...request.headers }, 'REQUEST_INVALID');
  if (!head.ok) return head;
  const given: Static<typeof PartHead> = head.value;
  const offset = Number(given[bundleHeaders.offset]);
  const length = Number(given[bundleHeaders.length]);
  if (length === 0 || length > bundleBytesTaken)
    return fail('BUNDLE_REFUSED', `It may have 1 to ${bundleBytesTaken} bytes.`);
  return ok({ offset, length, sha256: given[bundleHeaders.sha256] });
}

/**
 * Writes what comes, as it comes, from `offset` on; how long the file is then, also where the line broke on the way.
 * Faults: BUNDLE_REFUSED where more comes than was said, REQUEST_INVALID where it was cut off.
 */
async function append(
  request: IncomingMessage,
  file: string,
  offset: number,
  length: number,
): Promise<Result<number>> {
  const handle = await open(file, constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND, 0o600);
  let at = offset;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      if (at + chunk.length > length)
        return fail('BUNDLE_REFUSED', `It is longer than the ${length} bytes that were said.`);
      await handle.writeFile(chunk);
      at += chunk.length;
    }
  } catch (cause) {
    if (request.destroyed) return fail('REQUEST_INVALID', 'The request was cut off.', cause);
    throw cause;
  } finally {
    await handle.close();
  }
  return ok(at);
}

async function sizeOf(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).size;
  } catch (thrown) {
    if (systemCode(thrown) === 'ENOENT') return undefined;
    throw thrown;
  }
}

function refusedFile(file: string, cause: unknown): Result<never> {
  return fail('FILE_REFUSED', `${file} cannot be written (${systemCode(cause) ?? 'unknown'}).`, cause);
}

function statusOf({ code }: Fault): number {
  switch (code) {
    case 'REQUEST_INVALID':
      return 400;
    case 'NOT_FOUND':
      return 404;
    case 'BUNDLE_REFUSED':
      return 422;
    default:
      return 503;
  }
}
