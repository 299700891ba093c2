import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Route } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readEntry } from '#agent/documents/index.ts';
import type { PartialRead } from '#contracts/documents.ts';
import type { EntryCheck } from '#contracts/entry.ts';
import { buildPages } from '../../bin/dev/pages.ts';
import {
  type BrowserRig,
  lowestContrast,
  type OpenPage,
  overflow,
  phone,
  startBrowser,
} from '../rigs/browser.ts';
import { eventually } from '../rigs/eventually.ts';
import { lookupView, MadeUpDesk, serveDesk, verdicts } from '../rigs/officer-desk.ts';
import { requires } from '../rigs/requirements.ts';

const missing = requires({
  test: 'typing a document on the officer’s page in Chromium',
  tools: ['chromium'],
});

/** Of the second line of the published passport (ICAO Doc 9303 part 4), as far as it was read. */
const partial: PartialRead = {
  line: 2,
  text: `L898902C36UTO7408${'_'.repeat(27)}`,
  issuingState: 'UTO',
  documentType: 'passport',
};
const line = 'L898902C36UTO7408122F1204159ZE184226B<<<<<10';

const today = { year: 2026, month: 11, day: 25 };

/** How an answer looks that a test gives by hand; otherwise it is the real one. */
const made = (holds: boolean): EntryCheck => ({
  ready: true,
  problems: [],
  parts: [{ part: 'number', value: 'L898902C3', holds }],
  stateListed: true,
});

describe.skipIf(missing !== undefined)('typing a document', () => {
  const folder = mkdtempSync(join(tmpdir(), 'checkpost-entry-'));
  let rig: BrowserRig;
  let desk: MadeUpDesk;
  let server: { url: string; close(): Promise<void> };
  let opened: OpenPage;

  const start = (port = 0) => serveDesk(desk, join(folder, 'officer'), port);
  const page = () => opened.page;
  const form = () => page().getByRole('form', { name: 'Type a document' });
  const shows = (look: string) => page().waitForSelector(`.verdict[data-look="${look}"]`);
  const press = (...keys: string[]) =>
    keys.reduce((before, key) => before.then(() => page().keyboard.press(key)), Promise.resolve());
  const type = (text: string) => page().keyboard.type(text);
  const isOpen = () => form().waitFor();
  const isClosed = () => form().waitFor({ state: 'detached' });
  const focused = () => page().evaluate(() => document.activeElement?.getAttribute('name') ?? '');

  beforeAll(async () => {
    await buildPages(folder);
    rig = await startBrowser();
  });
  afterAll(async () => {
    await rig?.close();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    desk = new MadeUpDesk();
    desk.typed = (entry) => ({ check: readEntry(entry, today).check });
    server = await start();
    opened = await rig.open(server.url);
    await shows('ready');
  });
  afterEach(async () => {
    await opened.page.context().close();
    await server.close();
  });

  test('searches state, number and digit from the keyboard alone, as they were typed, and shows the verdict as typed', async () => {
    const view = lookupView(1, { verdict: verdicts['no-record'] });
    desk.typed = (entry) => ({ check: readEntry(entry, today).check, view });
    await press('t');
    await isOpen();
    await type('uto');
    await press('Tab');
    await type('l898902c3');
    await press('Tab');
    await type('6');
    await form().getByRole('cell', { name: 'check digit holds' }).waitFor();
    const shown = form().getByLabel('Number', { exact: true });
    expect(await shown.evaluate((field) => getComputedStyle(field).textTransform)).toBe('uppercase');
    await press('Enter');
    await shows('no-record');
    await isClosed();
    expect(desk.entries).toEqual([
      {
        kind: 'number',
        documentType: 'passport',
        issuingState: 'uto',
        documentNumber: 'l898902c3',
        checkDigit: '6',
      },
    ]);
    await expect(page().getByRole('article').innerText()).resolves.toContain('typed by hand');
    // What was searched is not there when the form is opened again.
    await page().getByRole('button', { name: 'Type a document' }).click();
    await isOpen();
    expect(
      await page()
        .locator('.entry input[type="text"]')
        .evaluateAll((all) => all.map((one) => (one as HTMLInputElement).value)),
    ).toEqual(['', '', '']);
    expect(opened.complaints).toEqual([]);
  });

  test('takes the line that holds the number, of a document of another type', async () => {
    await page().getByRole('button', { name: 'Type a document' }).click();
    await form().getByText('One line').click();
    await page().locator('.entry :is(input[type="text"], textarea):focus').waitFor();
    await form().getByLabel('Document', { exact: true }).selectOption('visa');
    await form().getByLabel('State', { exact: true }).fill('UTO');
    await form().getByLabel('Line with the number').fill(line);
    await press('Enter');
    await isClosed();
    expect(desk.entries).toEqual([{ kind: 'line', documentType: 'visa', issuingState: 'UTO', line }]);
  });

  test('says while it is typed how each check digit stands, and what is still wanted, in no colour of a verdict', async () => {
    await press('t');
    await form().getByText('One line').click();
    await form().getByLabel('State', { exact: true }).fill('QQQ');
    await form().getByLabel('Line with the number').fill('L898902C36UTO7408123');
    await form().getByText('20 of 30, 36 or 44 characters').waitFor();
    const rows = await form().locator('tr').allInnerTexts();
    expect(rows.map((row) => row.replace(/\s+/g, ' ').trim())).toEqual([
      'Number L898902C3 ✓ check digit holds',
      'Birth 740812 ✗ check digit does not hold',
      'Expiry · not complete',
      'Optional data · not complete',
      'Whole line · not complete',
    ]);
    const colours = await form()
      .locator('.mark')
      .evaluateAll((marks) => marks.map((mark) => getComputedStyle(mark).color));
    expect(new Set(colours)).toEqual(new Set(['rgb(22, 32, 42)']));
    await form().getByText('The line has 20 characters; wanted: 30, 36 or 44.').waitFor();
    await form().getByText('This state is not in the list of states.').waitFor();
    await press('Enter');
    await form().getByRole('alert').getByText('Not searched yet.').waitFor();
    expect(desk.entries).toEqual([]);
  });

  test('says what is missing to whoever presses Enter at once, and takes a second Enter for the same search', async () => {
    let posts = 0;
    const checks: Route[] = [];
    await page().route('**/api/entries/check', (route) => void checks.push(route));
    await page().route('**/api/entries', (route) => {
      posts++;
      return route.continue();
    });
    await press('t');
    await type('UTO');
    await press('Enter', 'Enter');
    await eventually(() => checks.length > 0);
    await page().unroute('**/api/entries/check');
    for (const route of checks) await route.continue().catch(() => {});
    await form().getByRole('alert').getByText('Not searched yet. The number is missing.').waitFor();
    await press('Tab');
    await type('L898902C3');
    await press('Enter', 'Enter');
    await isClosed();
    expect(posts).toBe(1);
    expect(desk.entries).toHaveLength(1);
  });

  test('asks to compare where a digit does not hold, and searches all the same', async () => {
    await press('t');
    await type('UTO');
    await press('Tab');
    await type('L898902C3');
    await press('Tab');
    await type('4');
    await form().getByText('A check digit does not hold. Compare with the document').waitFor();
    await press('Enter');
    await isClosed();
    expect(desk.entries).toHaveLength(1);
  });

  test('shows no answer about what stood there before, however late it comes', async () => {
    const held: Route[] = [];
    await page().route('**/api/entries/check', (route) =>
      held.length === 0 ? void held.push(route) : route.continue(),
    );
    desk.typed = (entry) => ({ check: made(entry.kind === 'number' && entry.documentNumber === 'A') });
    await press('t', 'Tab');
    await type('A');
    await eventually(() => held.length === 1);
    await type('B');
    await form().getByText('check digit does not hold').first().waitFor();
    await held[0]?.continue().catch(() => {});
    await type('C');
    await eventually(() =>
      desk.checked.some((entry) => entry.kind === 'number' && entry.documentNumber === 'ABC'),
    );
    await form()
      .locator('.checks[aria-busy="false"]')
      .getByText('check digit does not hold')
      .first()
      .waitFor();
    expect(await form().getByText('check digit holds').count()).toBe(0);
  });

  test('says nothing of digits while the terminal does not say how they stand', async () => {
    desk.typed = () => ({ check: made(true) });
    let fails = false;
    await page().route('**/api/entries/check', (route) => (fails ? route.abort() : route.continue()));
    await press('t', 'Tab');
    await type('A');
    await form().getByText('check digit holds').first().waitFor();
    fails = true;
    await type('B');
    await form().getByText('The check digits cannot be looked at now').waitFor();
    expect(await form().getByText('check digit holds').count()).toBe(0);
  });

  test('keeps what was typed, and says so, where it could not be searched', async () => {
    desk.full = true;
    await press('t');
    await type('UTO');
    await press('Tab');
    await type('L898902C3');
    await form().locator('.checks[aria-busy="false"]').waitFor();
    await press('Enter');
    await form().getByRole('alert').getByText('Nothing was searched. The disk is full.').waitFor();
    await page().route('**/api/entries', (route) => route.abort());
    await press('Enter');
    await form().getByRole('alert').getByText('this page does not reach the terminal').waitFor();
    expect(await form().locator('[name="number"]').inputValue()).toBe('L898902C3');
    await page().unroute('**/api/entries');
    desk.full = false;
    await press('Enter');
    await isClosed();
    expect(desk.entries).toHaveLength(1);
  });

  test('offers to type what is missing of a line, the caret at the first gap, each character in its place', async () => {
    const text = 'L898902C36UTO74__122F1204159ZE184226B<<<<<1_';
    const spots = [{ line: 2, from: 16, to: 17 }];
    const verdict = { ...verdicts.unreadable, reason: 'not-read', spots } as const;
    desk.show(lookupView(1, { verdict, document: null, warnings: [], partial: { ...partial, text } }));
    await shows('unreadable');
    await page().getByText('Line 2: characters 16 to 17 could not be read.').waitFor();
    await page().getByRole('button', { name: 'Type the missing characters' }).waitFor();
    await press('t');
    await isOpen();
    const field = form().getByLabel('Line with the number');
    expect(await field.inputValue()).toBe(text);
    expect(await form().locator('[name="state"]').inputValue()).toBe('UTO');
    expect(await field.evaluate((area) => (area as HTMLTextAreaElement).selectionStart)).toBe(15);
    await form().getByText('41 of 44 characters').waitFor();
    await type('08');
    expect(await field.inputValue()).toBe(line.replace(/0$/, '_'));
    await press('End', 'ArrowLeft');
    await type('0');
    expect(await field.inputValue()).toBe(line);
    await form().locator('.checks[aria-busy="false"]').waitFor();
    await press('Enter');
    await isClosed();
    expect(desk.entries).toEqual([{ kind: 'line', documentType: 'passport', issuingState: 'UTO', line }]);
  });

  test('offers to type a number in doubt, and does not fill in the doubtful one', async () => {
    const verdict = { kind: 'unresolved', reason: 'number-doubtful', recorded: true } as const;
    desk.show(lookupView(1, { verdict }));
    await shows('unresolved');
    await page().getByRole('button', { name: 'Type the number' }).click();
    await isOpen();
    expect(await focused()).toBe('number');
    expect(await form().locator('[name="number"]').inputValue()).toBe('');
    expect(await form().locator('[name="state"]').inputValue()).toBe('UTO');
  });

  test('gives way to a hit at once, goes on later, and what is still being typed settles nothing', async () => {
    await press('t');
    await type('UTO');
    await press('Tab');
    await type('L89');
    desk.show(lookupView(1, { verdict: verdicts.hit }));
    await shows('hit');
    await isClosed();
    // The officer looks at the document and types on.
    await type('8902T3H1');
    await press('Enter');
    expect(await form().count()).toBe(0);
    expect(await page().getByRole('article').getAttribute('data-look')).toBe('hit');
    expect(await page().locator('.outcomes button:focus').count()).toBe(0);
    expect(desk.outcomes).toEqual([]);
    await page().getByRole('button', { name: 'Go on typing' }).click();
    await isOpen();
    expect(await form().locator('[name="number"]').inputValue()).toBe('L89');
    await page().getByText('1 hit waits for an outcome').waitFor();
  });

  test('takes an outcome off again where a reader types like a keyboard', async () => {
    desk.show(lookupView(1, { verdict: verdicts.hit }));
    await shows('hit');
    await type('2UTO7408122F1204159RTH1');
    await press('Enter');
    expect(desk.outcomes).toEqual([]);
    expect(desk.entries).toEqual([]);
    expect(await form().count()).toBe(0);
  });

  test('says that another verdict came, shows it by one key, and goes on with what was typed', async () => {
    await press('t');
    await type('UTO');
    desk.show(lookupView(1, { phase: 'searching' }));
    await form().getByRole('alert').getByText('A new verdict came: Searching.').waitFor();
    desk.show(lookupView(1, { verdict: verdicts['no-record'] }));
    await form().getByRole('alert').getByText('A new verdict came: No record.').waitFor();
    expect(await focused()).toBe('state');
    await press('F2');
    await shows('no-record');
    await press('t');
    await isOpen();
    expect(await form().locator('[name="state"]').inputValue()).toBe('UTO');
    await press('Escape');
    await shows('no-record');
    await page().getByRole('button', { name: 'Type a document' }).waitFor();
  });

  test('gives way to any verdict while nothing is typed', async () => {
    await press('t');
    await isOpen();
    desk.show(lookupView(1, { verdict: verdicts.unresolved }));
    await shows('unresolved');
    await isClosed();
  });

  test('opens nothing while the terminal is not reached, and keeps what was being typed', async () => {
    await server.close();
    await page().getByRole('alert').getByText('Do not rely on this page.').waitFor();
    await press('t');
    const { port } = new URL(server.url);
    server = await start(Number(port));
    await shows('ready');
    expect(await form().count()).toBe(0);
    await page().getByRole('button', { name: 'Type a document' }).click();
    await isOpen();
    await type('UTO');
    await server.close();
    await isClosed();
    server = await start(Number(port));
    await isOpen();
    expect(await form().locator('[name="state"]').inputValue()).toBe('UTO');
  });

  test('leaves letters to the field that has the focus', async () => {
    desk.tell({ readers: [{ id: 'counter-1', state: 'ready', trigger: true }] });
    desk.show(lookupView(1, { verdict: verdicts.hit }));
    desk.show(lookupView(2, { verdict: verdicts['no-record'] }));
    await shows('no-record');
    await press('t');
    await isOpen();
    await press('Tab');
    await type('HTR123');
    expect(await form().locator('[name="number"]').inputValue()).toBe('HTR123');
    expect([desk.triggered, desk.outcomes]).toEqual([[], []]);
  });

  test('stores nothing in the browser, and has the browser complete and correct nothing', async () => {
    await press('t');
    await type('UTO');
    await form().getByText('One line').click();
    await form().getByLabel('Line with the number').fill(line);
    const kept = await page().evaluate(() => [
      localStorage.length,
      sessionStorage.length,
      document.cookie,
      location.href,
    ]);
    expect(kept).toEqual([0, 0, '', `${server.url}/`]);
    for (const field of await form().locator('input[type="text"], textarea').all()) {
      expect(await field.getAttribute('autocomplete')).toBe('off');
      expect(await field.getAttribute('spellcheck')).toBe('false');
      const corrects = await field.evaluate((element) => 'autocorrect' in element && element.autocorrect);
      expect(corrects).toBe(false);
    }
    await page().reload();
    await shows('ready');
    await page().getByRole('button', { name: 'Type a document' }).waitFor();
  });

  test.each([
    ['a counter terminal, without scrolling', undefined],
    ['a telephone, without scrolling sideways', phone],
  ])('fits %s, at its fullest, with enough contrast', async (_what, size) => {
    if (size !== undefined) await page().setViewportSize(size);
    const full: EntryCheck['parts'] = [
      { part: 'number', value: 'L898902C3', holds: false },
      { part: 'birth', value: '740812', holds: true },
      { part: 'expiry', value: '120415', holds: true },
      { part: 'optional', value: 'ZE184226B<<<<<', holds: false },
      {
        part: 'composite',
        value: `${line.slice(0, 10)}${line.slice(13, 20)}${line.slice(21, 43)}`,
        holds: false,
      },
    ];
    desk.typed = () => ({ check: { ready: true, problems: [], parts: full, stateListed: false } });
    desk.show(lookupView(1, { verdict: verdicts.hit }));
    await shows('hit');
    await page().getByRole('button', { name: 'Type a document' }).click();
    const fits = async (): Promise<void> => {
      const { ratio, text } = await lowestContrast(page(), '.page');
      expect(ratio, text).toBeGreaterThanOrEqual(4.5);
      const { wide, high } = await overflow(page());
      expect({ wide, high: size === undefined && high }).toEqual({ wide: false, high: false });
      expect(await form().evaluate((one) => one.scrollHeight - one.clientHeight)).toBeLessThanOrEqual(0);
    };
    await form().locator('[name="state"]').fill('QQQ');
    await form().locator('[name="number"]').fill('L898902C3');
    await form().getByText('Whole line').first().waitFor();
    await fits();
    await form().getByText('One line').click();
    await form().getByLabel('Line with the number').fill(line);
    await form().locator('.checks[aria-busy="false"]').waitFor();
    await fits();
    desk.show(lookupView(2, { verdict: verdicts['no-record-copy'] }));
    await form().getByRole('alert').getByText('A new verdict came').waitFor();
    await fits();
    const { width, right } = await form()
      .getByLabel('Line with the number')
      .evaluate((area) => ({ width: innerWidth, right: area.getBoundingClientRect().right }));
    expect(right).toBeLessThanOrEqual(width);
    expect(opened.complaints).toEqual([]);
  });
});
