import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { counter, desktop, lowestContrast, overflow, phone, violations } from '../rigs/browser.ts';
import { buildConsole, ConsoleBench, type ConsolePages } from '../rigs/console-page.ts';
import { eventually } from '../rigs/eventually.ts';
import { populate, populateFew } from '../rigs/fleet-source.ts';
import { requires } from '../rigs/requirements.ts';

const missing = requires({ test: 'how the operators’ page looks in Chromium', tools: ['chromium'] });
/** Where to keep pictures of the page for the documentation; otherwise none are kept. */
const pictures = process.env['CHECKPOST_PICTURES'];

/** Every view, with a text that stands on it once it is whole. */
const views = {
  '#/fleet': 'Old crossing',
  '#/fleet?q=nowhere': 'No terminal fits.',
  '#/site/UTO-0003': 'Something happened, number 130.',
  '#/terminal/UTO-0003-1': 'What it measured',
  '#/terminal/UTO-0003-1?tab=charts': 'Data received',
  '#/terminal/UTO-0003-1?tab=events': 'Something happened, number 130.',
  '#/terminal/UTO-0003-1?tab=configuration': 'set for the bureau',
  '#/alerts': 'The terminal is silent',
  '#/alerts?show=closed': 'over',
  '#/hits': 'Document held',
  '#/configuration': 'Version 3, set',
  '#/waves': 'stopped itself',
  '#/bulk': 'For 5 terminals',
  '#/maintenance': 'Plan maintenance',
  '#/audit': 'account',
  '#/accounts': 'Tokens for programs',
} as const;
const sizes = { counter, desktop, phone };

describe.skipIf(missing !== undefined)("how the operators' page looks", () => {
  let pages: ConsolePages;
  let bench: ConsoleBench;

  beforeAll(async () => {
    pages = await buildConsole();
  });
  afterAll(() => pages?.close());
  beforeEach(() => {
    bench = new ConsoleBench(pages);
  });
  afterEach(() => bench.close());

  test.each(Object.entries(sizes))(
    'every view at size %s fits, can be read by everybody, and complains of nothing',
    async (name, size) => {
      populateFew(bench.fleet);
      await bench.start({ accounts: true });
      const { page, complaints } = await bench.open('', { size, as: 'all-administrator' });
      const wrong: string[] = [];
      for (const [place, text] of Object.entries(views)) {
        await page.goto(`${bench.desk.url}/${place}`);
        await page.getByText(text).first().waitFor();
        if (place.includes('charts'))
          await page.getByRole('img', { name: 'Data received: from' }).waitFor({ state: 'attached' });
        const { wide, high } = await overflow(page);
        if (wide) wrong.push(`${place} scrolls sideways`);
        if (high && name !== 'phone') wrong.push(`${place} is higher than its window`);
        const { ratio, text: dim } = await lowestContrast(page, '.page');
        if (ratio < 4.5) wrong.push(`${place}: the contrast of “${dim}” is ${ratio.toFixed(2)}`);
        for (const found of await violations(page)) wrong.push(`${place}: ${found}`);
      }
      expect(wrong).toEqual([]);
      expect(complaints).toEqual([]);
    },
  );

  test('so do the page before signing in, and the page that is cut off', async () => {
    await bench.start({ accounts: true });
    const { page } = await bench.open('', { size: phone });
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    expect(await violations(page)).toEqual([]);
    expect((await overflow(page)).wide).toBe(false);
    const inside = await bench.open('', { size: phone, as: 'all-viewer' });
    await inside.page.getByText('No terminal is registered.').waitFor();
    await bench.stop();
    await inside.page.getByText('Not connected to the controller.').waitFor();
    expect(await violations(inside.page)).toEqual([]);
  });

  test('on a phone the menu is one row, and the first terminals in trouble stand in the first window', async () => {
    populate(bench.fleet, 50, 60);
    await bench.start();
    const opened = await bench.open('', { size: phone });
    const line = opened.page.locator('.virtual .line.trouble-error').first();
    await line.waitFor();
    const header = await opened.page.locator('header').boundingBox();
    expect(header?.height).toBeLessThan(90);
    const box = await line.boundingBox();
    expect((box?.y ?? Infinity) + (box?.height ?? 0)).toBeLessThan(phone.height);
  });

  test('the fleet with its map is one picture', async () => {
    populate(bench.fleet, 50, 60);
    populateFewAlerts();
    await bench.start();
    const opened = await bench.open('', { size: desktop });
    await opened.page.locator('.virtual .line.trouble-error').first().waitFor();
    await opened.page.locator('.land[d^="M"]').waitFor({ state: 'attached' });
    const colours = () =>
      opened.page.getByRole('img', { name: 'Sites on the map' }).evaluate((canvas: HTMLCanvasElement) => {
        const { data } = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height) ?? {
          data: [],
        };
        const found = new Set<string>();
        for (let at = 0; at < data.length; at += 4)
          if (data[at + 3] === 255) found.add(`${data[at]} ${data[at + 1]} ${data[at + 2]}`);
        return [...found];
      });
    // Error, offline, silent, warning, no trouble.
    const expected = ['168 15 30', '0 0 0', '106 63 181', '255 176 0', '15 107 58'];
    await eventually(async () => {
      const found = await colours();
      return expected.every((one) => found.includes(one));
    });
    if (pictures !== undefined) await opened.page.screenshot({ path: join(pictures, 'console.png') });
    expect(opened.complaints).toEqual([]);
  });

  /** So that the picture shows that alerts and hits wait. */
  function populateFewAlerts(): void {
    const few = new ConsoleBench(pages).fleet;
    populateFew(few);
    for (const [id, alert] of few.alertRows) bench.fleet.alertRows.set(id, alert);
    bench.fleet.hitRows.push(...few.hitRows);
  }
});
