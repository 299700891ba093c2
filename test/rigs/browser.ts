import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

/** Debian's Chromium, as DESIGN.md names it. */
export const chromiumPath = '/usr/bin/chromium';

/** Whether the tests of the pages can run here. */
export function hasBrowser(): boolean {
  return existsSync(chromiumPath);
}

export interface BrowserRig {
  readonly browser: Browser;
  /** A page of this size; what goes wrong on it is kept in `complaints`. */
  open(url: string, size?: { width: number; height: number }): Promise<OpenPage>;
  close(): Promise<void>;
}

export interface OpenPage {
  readonly page: Page;
  /** Errors thrown on the page, content that its policy refused, and requests to any other host. */
  readonly complaints: string[];
}

/** The display of a counter terminal. */
export const counter = { width: 1024, height: 600 };
/** A telephone, held upright. */
export const phone = { width: 390, height: 844 };

/** Real Chromium without a window. */
export async function startBrowser(): Promise<BrowserRig> {
  const browser = await chromium.launch({
    executablePath: chromiumPath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
  return {
    browser,
    async open(url, size = counter) {
      const context = await browser.newContext({ viewport: size, locale: 'en-GB', timezoneId: 'UTC' });
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('console', (message) => {
        // A connection that a test cut on purpose is said by the browser too.
        if (message.type() === 'error' && !message.text().includes('net::ERR_'))
          complaints.push(message.text());
      });
      page.on('request', (request) => {
        if (new URL(request.url()).origin !== new URL(url).origin) complaints.push(`asked ${request.url()}`);
      });
      await page.goto(url);
      return { page, complaints };
    },
    close: () => browser.close(),
  };
}

/** Whether the page is larger than its window, each way. */
export function overflow(page: Page): Promise<{ wide: boolean; high: boolean }> {
  return page.evaluate(() => {
    const { scrollWidth, scrollHeight } = document.documentElement;
    return { wide: scrollWidth > innerWidth, high: scrollHeight > innerHeight };
  });
}
