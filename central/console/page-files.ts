import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Fault, fail, type Result } from '#contracts/result.ts';
import { type PageFile, readPage } from '#runtime/page-files.ts';
import { pack, send } from './replies.ts';

interface Packed extends PageFile {
  readonly packed: Buffer;
}

/** The built page, each file also compressed, once. Where it cannot be read, the API runs all the same. */
export class Page {
  readonly #files: ReadonlyMap<string, Packed>;
  readonly fault: Fault | undefined;

  private constructor(files: ReadonlyMap<string, Packed>, fault?: Fault) {
    this.#files = files;
    this.fault = fault;
  }

  static async read(folder: string): Promise<Page> {
    const page = readPage(folder);
    if (!page.ok) return new Page(new Map(), page.fault);
    const files = new Map<string, Packed>();
    for (const [address, file] of page.value) files.set(address, { ...file, packed: await pack(file.body) });
    return new Page(files);
  }

  /** Answers with the file of this address. Faults: NOT_FOUND, PAGE_ABSENT. */
  async answer(path: string, request: IncomingMessage, response: ServerResponse): Promise<Result<void>> {
    if (this.fault !== undefined) return { ok: false, fault: this.fault };
    const file = this.#files.get(path === '/' ? '/index.html' : path);
    if (file === undefined) return fail('NOT_FOUND', 'No page and no API is here.');
    response.setHeader('content-type', file.type);
    response.setHeader('cache-control', file.caching);
    response.setHeader('etag', file.etag);
    response.setHeader('vary', 'accept-encoding');
    if (request.headers['if-none-match'] === file.etag) response.writeHead(304).end();
    else await send(request, response, file.body, file.packed);
    return { ok: true, value: undefined };
  }
}
