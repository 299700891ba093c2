import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';

const axePath = fileURLToPath(import.meta.resolve('axe-core/axe.min.js'));
/** Debian's Chromium. */
const chromiumPath = '/usr/bin/chromium';

export interface BrowserRig {
  readonly browser: Browser;
  /** A page of this size; what goes wrong on it is kept in `complaints`. `cookie` (`name=value`) is sent from the start. */
  open(url: string, size?: { width: number; height: number }, cookie?: string): Promise<OpenPage>;
  close(): Promise<void>;
}

export interface OpenPage {
  readonly page: Page;
  /** Errors thrown on the page, content that its policy refused, and requests to any other host. */
  readonly complaints: string[];
}

/** The display of a counter terminal. */
export const counter = { width: 1024, height: 600 };
/** A small screen on a desk. */
export const desktop = { width: 1280, height: 800 };
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
    async open(url, size = counter, cookie) {
      const context = await browser.newContext({ viewport: size, locale: 'en-GB', timezoneId: 'UTC' });
      const [name, value] = cookie?.split('=') ?? [];
      if (name !== undefined && value !== undefined)
        await context.addCookies([{ name, value, url: new URL(url).origin }]);
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

/** What axe-core finds against WCAG 2, levels A and AA, each as one line; none is good. */
export async function violations(page: Page): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(await readFile(axePath, 'utf8'));
  return page.evaluate(async () => {
    interface Found {
      readonly violations: {
        readonly id: string;
        readonly help: string;
        readonly nodes: { readonly html: string }[];
      }[];
    }
    const { axe } = globalThis as unknown as { axe: { run(options: object): Promise<Found> } };
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
    const found = await axe.run({ runOnly: { type: 'tag', values: tags } });
    return found.violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes[0]?.html ?? ''}`);
  });
}

/** Whether the page is larger than its window, each way. */
export function overflow(page: Page): Promise<{ wide: boolean; high: boolean }> {
  return page.evaluate(() => {
    const { scrollWidth, scrollHeight } = document.documentElement;
    return { wide: scrollWidth > innerWidth, high: scrollHeight > innerHeight };
  });
}

/** How an element looks: ground, border, whether and what it shows. */
export function lookOfElement(page: Page, selector: string): Promise<Record<string, string>> {
  return page.locator(selector).evaluate((element) => {
    const style = getComputedStyle(element);
    const icon = element.querySelector('.icon')?.innerHTML ?? '';
    return {
      ground: `${style.backgroundColor} ${style.backgroundImage}`,
      border: `${style.borderStyle} ${style.borderColor}`,
      icon,
      words: element.querySelector('h1')?.textContent ?? '',
    };
  });
}

/** The lowest contrast of any text in the element with its ground (WCAG 2.2, section 1.4.3), and that text. */
export function lowestContrast(page: Page, selector: string): Promise<{ ratio: number; text: string }> {
  return page.locator(selector).evaluate((root) => {
    const channels = (colour: string): number[] => (colour.match(/[\d.]+/g) ?? []).map(Number);
    const luminance = (colour: string): number => {
      const [r = 0, g = 0, b = 0] = channels(colour).map((value) => {
        const part = value / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const groundOf = (element: Element | null): string => {
      for (let at = element; at !== null; at = at.parentElement) {
        const { backgroundColor } = getComputedStyle(at);
        if (channels(backgroundColor)[3] !== 0) return backgroundColor;
      }
      return 'rgb(255, 255, 255)';
    };
    let lowest = { ratio: 21, text: '' };
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const parent = node.parentElement;
      if (parent === null || (node.textContent ?? '').trim() === '') continue;
      const [a, b] = [luminance(getComputedStyle(parent).color), luminance(groundOf(parent))];
      const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      if (ratio < lowest.ratio) lowest = { ratio, text: node.textContent ?? '' };
    }
    return lowest;
  });
}
