import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { TestClock } from '#runtime/test-clock.ts';
import { buildPages } from '../../bin/dev/pages.ts';
import { type BrowserRig, counter, type OpenPage, startBrowser } from './browser.ts';
import { addAccounts, type Desk, openDesk } from './console-desk.ts';
import { MadeUpFleet } from './fleet-source.ts';
import { madeUpTime } from './made-up-rows.ts';

/** The built operators' page, and a browser. */
export interface ConsolePages {
  readonly rig: BrowserRig;
  readonly pageDir: string;
  close(): Promise<void>;
}

export async function buildConsole(): Promise<ConsolePages> {
  const folder = mkdtempSync(join(tmpdir(), 'checkpost-console-'));
  await buildPages(folder);
  const rig = await startBrowser();
  return {
    rig,
    pageDir: join(folder, 'console'),
    async close() {
      await rig.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A console in front of a made-up fleet, which a test opens as somebody. */
export class ConsoleBench {
  fleet = new MadeUpFleet();
  readonly clock = new TestClock(madeUpTime);
  readonly #pages: ConsolePages;
  readonly #opened: OpenPage[] = [];
  #desk: Desk | undefined;

  constructor(pages: ConsolePages) {
    this.#pages = pages;
  }

  get desk(): Desk {
    if (this.#desk === undefined) throw new Error('the console was not started');
    return this.#desk;
  }

  /** `accounts`: people sign in; else everybody is administrator. */
  async start({ accounts = false, port = 0 } = {}): Promise<void> {
    this.#desk = await openDesk({
      centre: this.fleet,
      pageDir: this.#pages.pageDir,
      settings: { port, access: accounts ? 'accounts' : 'open' },
      clock: this.clock,
    });
    if (accounts) await addAccounts(this.#desk.access, ['UTO', 'EXA']);
  }

  /** The page at a place, for example `#/alerts`, as an account or as whoever. */
  async open(place = '', options: { size?: typeof counter; as?: string } = {}): Promise<OpenPage> {
    const { url } = this.desk;
    const cookie = options.as === undefined ? undefined : (await this.desk.signIn(options.as)).cookie;
    const opened = await this.#pages.rig.open(`${url}/${place}`, options.size ?? counter, cookie);
    this.#opened.push(opened);
    return opened;
  }

  async stop(): Promise<void> {
    const closing = this.desk.close();
    await this.clock.advance(1000);
    await closing;
    this.#desk = undefined;
  }

  async close(): Promise<void> {
    for (const { page } of this.#opened) await page.context().close();
    if (this.#desk !== undefined) await this.stop();
  }
}

/** The line of a terminal in the list. */
export function lineOf({ page }: OpenPage, terminal: string): Locator {
  return page.getByRole('list', { name: 'Terminals' }).getByRole('link').filter({ hasText: terminal });
}

/** Ids in the list from the top. */
export async function listed({ page }: OpenPage): Promise<string[]> {
  return page.locator('.virtual .line-id').allInnerTexts();
}
