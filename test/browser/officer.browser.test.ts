import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buildPages } from '../../bin/dev/pages.ts';
import {
  type BrowserRig,
  counter,
  lookOfElement,
  lowestContrast,
  type OpenPage,
  overflow,
  phone,
  startBrowser,
} from '../rigs/browser.ts';
import { eventually } from '../rigs/eventually.ts';
import { lookupView, MadeUpDesk, serveDesk, verdicts } from '../rigs/officer-desk.ts';
import { requires } from '../rigs/requirements.ts';

const missing = requires({ test: "the officer's page in Chromium", tools: ['chromium'] });
/** Where to keep pictures of the page for the documentation; otherwise none are kept. */
const pictures = process.env['CHECKPOST_PICTURES'];

describe.skipIf(missing !== undefined)("the officer's page", () => {
  const folder = mkdtempSync(join(tmpdir(), 'checkpost-officer-'));
  let rig: BrowserRig;
  let desk: MadeUpDesk;
  let server: { url: string; close(): Promise<void> };
  let opened: OpenPage;

  const start = (port = 0) => serveDesk(desk, join(folder, 'officer'), port);
  const big = () => opened.page.getByRole('article', { name: 'Verdict' });
  const shows = (look: string) => opened.page.waitForSelector(`.verdict[data-look="${look}"]`);

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
    server = await start();
    opened = await rig.open(server.url);
    await shows('ready');
  });
  afterEach(async () => {
    await opened.page.context().close();
    await server.close();
  });

  test('gives each verdict a ground, an icon and words that no other has, with enough contrast', async () => {
    const seen: Record<string, Record<string, string>> = {};
    desk.show(lookupView(1, { phase: 'searching' }));
    await shows('searching');
    seen['searching'] = await lookOfElement(opened.page, '.verdict');
    for (const [n, [look, verdict]] of Object.entries(verdicts).entries()) {
      desk.show(lookupView(n + 2, { verdict }));
      await shows(look);
      seen[look] = await lookOfElement(opened.page, '.verdict');
      const { ratio, text } = await lowestContrast(opened.page, '.page');
      expect(ratio, `${look}: ${text}`).toBeGreaterThanOrEqual(4.5);
      expect(await overflow(opened.page), look).toEqual({ wide: false, high: false });
      const room = await big().evaluate((element) => element.clientHeight - element.scrollHeight);
      expect(room, look).toBeGreaterThanOrEqual(0);
    }
    for (const part of ['icon', 'words'] as const) {
      const values = Object.values(seen).map((look) => look[part]);
      expect(new Set(values).size, part).toBe(values.length);
    }
    const grounds = Object.values(seen).map((look) => `${look['ground']} ${look['border']}`);
    expect(new Set(grounds).size).toBe(grounds.length);
    const green = /^rgb\(15, 107, 58\)/;
    const greens = Object.entries(seen).filter(([, look]) => green.test(look['ground'] ?? ''));
    expect(greens.map(([look]) => look)).toEqual(['no-record']);
    expect(opened.complaints).toEqual([]);
  });

  test('says who answered and how old that is, and "at least" where the clock is not verified', async () => {
    desk.show(lookupView(1, { verdict: verdicts['no-record-copy'] }));
    await shows('no-record-copy');
    await expect(big().innerText()).resolves.toContain(
      'Answered by the offline copy of 25 November, 3 h old.',
    );
    const age = { seconds: 11_730, bound: 'at-least' } as const;
    desk.show(lookupView(2, { verdict: { ...verdicts['no-record-copy'], age } }));
    await eventually(async () => (await big().innerText()).includes('at least 3 h old'));
    expect(await opened.page.locator('body').innerText()).not.toMatch(/\b(clear|valid|OK)\b/i);
  });

  test('records an outcome by a number and Enter, never by the number alone', async () => {
    desk.show(lookupView(1, { verdict: verdicts.hit, confirmation: 'disagrees' }));
    await shows('hit');
    await expect(big().innerText()).resolves.toContain('The centre disagrees, ask the bureau');
    if (pictures !== undefined) await opened.page.screenshot({ path: join(pictures, 'officer.png') });
    await opened.page.keyboard.press('2');
    const focused = opened.page.locator('button:focus-visible');
    await focused.getByText('Passed to bureau').waitFor();
    expect(desk.outcomes).toEqual([]);
    await opened.page.keyboard.press('Enter');
    await opened.page.getByText('Outcome recorded').waitFor();
    expect(desk.outcomes.map(({ outcome }) => outcome)).toEqual(['passed-to-bureau']);
  });

  test('says so, and keeps asking, when an outcome could not be recorded', async () => {
    desk.show(lookupView(1, { verdict: { ...verdicts.hit, recorded: false } }));
    desk.full = true;
    await opened.page.getByText('Not recorded on this terminal').waitFor();
    await opened.page.getByRole('button', { name: 'Document held' }).click();
    await opened.page.getByText('The outcome was not recorded. The disk is full.').waitFor();
    desk.full = false;
    await opened.page.getByRole('button', { name: 'Document held' }).click();
    await opened.page.getByText('Outcome recorded').waitFor();
    expect(desk.outcomes).toHaveLength(1);
  });

  test('keeps hits without an outcome in sight behind later documents, and goes to them', async () => {
    desk.show(lookupView(1, { verdict: verdicts.hit }));
    desk.show(lookupView(2, { verdict: verdicts.possible }));
    desk.show(lookupView(3, { verdict: verdicts['no-record'] }));
    await shows('no-record');
    await opened.page.getByText('2 hits wait for an outcome').waitFor();
    await opened.page.keyboard.press('h');
    await shows('hit');
    await opened.page.getByText('1 hit waits for an outcome').waitFor();
    expect(await overflow(opened.page)).toEqual({ wide: false, high: false });
    await opened.page.keyboard.press('Escape');
    await shows('no-record');
    await opened.page.keyboard.press('h');
    desk.show(lookupView(4, { verdict: verdicts.unreadable, document: null, warnings: [] }));
    await shows('unreadable');
  });

  test('raises a late hit above the document that is on the reader now', async () => {
    desk.show(lookupView(1, { verdict: verdicts['no-record-copy'] }));
    desk.show(lookupView(2, { verdict: verdicts['no-record'] }));
    await shows('no-record');
    desk.show(lookupView(1, { verdict: { ...verdicts.hit, basis: 'central' }, late: true }));
    await opened.page.getByText('found late').waitFor();
    await opened.page.keyboard.press('h');
    await opened.page.getByText('the hit was found only now').waitFor();
    expect(await big().getAttribute('data-look')).toBe('hit');
  });

  test('shows numbers whole on the verdict and masked in the list', async () => {
    desk.show(lookupView(1, { verdict: verdicts['no-record'] }));
    await shows('no-record');
    await expect(big().innerText()).resolves.toContain('L898902C3');
    const list = await opened.page.getByRole('navigation').innerText();
    expect(list).toContain('••••••2C3');
    expect(list).not.toContain('L898902C3');
  });

  test('shows no verdict at all while the terminal is not reached, and what is true when it is again', async () => {
    desk.show(lookupView(1, { verdict: verdicts['no-record'] }));
    await shows('no-record');
    const { port } = new URL(server.url);
    await server.close();
    await opened.page.getByRole('alert').getByText('Do not rely on this page.').waitFor();
    expect(await opened.page.locator('.verdict').count()).toBe(0);
    expect(await opened.page.getByText('No record').count()).toBe(0);
    desk.forget();
    desk.show(lookupView(2, { verdict: verdicts.hit }));
    server = await start(Number(port));
    await shows('hit');
    expect(await opened.page.getByText('No record').count()).toBe(0);
  });

  test('always says how the link, copy, reader, clock and what is owed stand', async () => {
    desk.tell({
      link: 'down',
      clock: 'unverified',
      owed: 3,
      readers: [
        { id: 'counter-1', state: 'absent', trigger: false },
        { id: 'counter-2', state: 'silent', trigger: true, about: 'Specimen reader 2.1' },
      ],
    });
    await opened.page.getByText('No reader is ready').waitFor();
    const line = opened.page.getByLabel('State of this terminal');
    const text = await line.innerText();
    for (const words of [
      'out of reach, the copy answers',
      '3 h old',
      'not plugged in',
      'does not answer',
      'Specimen reader 2.1',
      'not verified',
      '3 reports wait',
    ])
      expect(text).toContain(words);
    desk.tell({ edition: null });
    await line.getByText('none on this terminal').waitFor();
  });

  test('says that the copy is getting old, damaged or too old, and what a damaged one could not answer', async () => {
    const line = opened.page.getByLabel('State of this terminal');
    const { edition } = desk.terminal();
    if (edition === null) throw new Error('the desk has a copy');
    desk.tell({ edition: { ...edition, aging: true } });
    await line.getByText('getting old: of').waitFor();
    desk.tell({ edition: { ...edition, aging: true, damaged: true } });
    await line.getByText('damaged in part: of').waitFor();
    const verdict = {
      kind: 'unresolved',
      reason: 'edition-damaged',
      age: edition.age,
      recorded: true,
    } as const;
    desk.show(lookupView(1, { verdict }));
    await shows('unresolved');
    expect(await big().innerText()).toContain('part of the offline copy is damaged');
    for (const size of [counter, phone]) {
      await opened.page.setViewportSize(size);
      expect((await overflow(opened.page)).wide).toBe(false);
      if (pictures !== undefined) {
        await opened.page.screenshot({ path: join(pictures, `officer-damaged-${size.width}.png`) });
      }
    }
    desk.tell({ edition: { ...edition, tooOld: true, aging: true, damaged: true } });
    await line.getByText('too old: of').waitFor();
  });

  test('says that a number is in doubt, and which characters, and that this is no answer', async () => {
    const age = { seconds: 11_730, bound: 'exact' } as const;
    const verdict = { kind: 'unresolved', reason: 'number-doubtful', age, recorded: true } as const;
    const document = { ...lookupView(0).document!, doubtful: [2, 4], repairs: 2 };
    desk.show(lookupView(1, { verdict: verdicts.hit }));
    desk.show(lookupView(2, { verdict, document, warnings: ['number-check-digit', 'repaired'] }));
    await shows('unresolved');
    const text = (await big().innerText()).replace(/\s+/g, ' ');
    for (const words of [
      'L898902C3 Characters 3 and 5 in doubt.',
      'Unresolved: number in doubt',
      'This is not a “no record”.',
      'What was searched is 3 h old.',
      'Characters put right: 2',
    ])
      expect(text).toContain(words);
    const marks = big().locator('mark');
    expect(await marks.allInnerTexts()).toEqual(['9', '9']);
    const [marked, plain] = await marks
      .first()
      .evaluate((mark) =>
        [mark, mark.parentElement!]
          .map((one) => getComputedStyle(one))
          .map((style) => [style.color, style.borderBottomWidth]),
      );
    expect(marked?.[0]).not.toBe(plain?.[0]);
    expect([marked?.[1], plain?.[1]]).toEqual(['4px', '0px']);
    const { ratio, text: worst } = await lowestContrast(opened.page, '.page');
    expect(ratio, worst).toBeGreaterThanOrEqual(4.5);
    expect(await overflow(opened.page)).toEqual({ wide: false, high: false });
    expect(await big().evaluate((one) => one.scrollHeight - one.clientHeight)).toBe(0);
  });

  test('sets a number that looks like a recorded one above it, and marks where they differ', async () => {
    desk.show(lookupView(1, { verdict: verdicts.possible }));
    await shows('possible');
    const text = (await big().innerText()).replace(/\s+/g, ' ');
    for (const words of ['L898902C3 Character 6 not as recorded.', 'L8989O2C3 Character 6 not as read.'])
      expect(text).toContain(words);
    const marks = big().locator('mark');
    expect(await marks.allInnerTexts()).toEqual(['0', 'O']);
    const [read, recorded] = [await marks.first().boundingBox(), await marks.last().boundingBox()];
    expect(recorded?.x).toBe(read?.x);
    expect(recorded?.y).toBeGreaterThan((read?.y ?? 0) + (read?.height ?? 0) - 1);
    // Another type of document under the same number has nothing to compare.
    const { record } = verdicts.possible.matches[0];
    const other = { ...verdicts.possible, matches: [{ kind: 'other-type' as const, record }] };
    desk.show(lookupView(2, { verdict: other }));
    await opened.page.getByText('Recorded as another type of document.').waitFor();
    expect(await marks.count()).toBe(0);
  });

  test('names the numbers of the other records of a possible hit', async () => {
    const [match] = verdicts.possible.matches;
    const matches = [match, { ...match, number: 'L898902G3' }];
    desk.show(lookupView(1, { verdict: { ...verdicts.possible, matches } }));
    await shows('possible');
    expect(await big().innerText()).toContain('And 1 more record, under L898902G3.');
  });

  test('tells a reader to read by button or key, and says where it was not told', async () => {
    expect(await opened.page.getByText('Read now').count()).toBe(0);
    const reader = { id: 'counter-1', state: 'ready', trigger: true } as const;
    desk.tell({ readers: [reader] });
    await opened.page.getByRole('button', { name: 'Read now' }).click();
    await eventually(() => desk.triggered.length === 1);
    await opened.page.keyboard.press('r');
    await eventually(() => desk.triggered.length === 2);
    desk.show(lookupView(1, { verdict: verdicts['no-record'] }));
    await shows('no-record');
    await opened.page.keyboard.press('r');
    await eventually(() => desk.triggered.length === 3);
    await opened.page.route('**/trigger', (route) => route.abort());
    await opened.page.getByRole('button', { name: 'Read now' }).click();
    const trouble = opened.page.getByRole('alert').getByText('The reader counter-1 was not told to read');
    await trouble.waitFor();
    expect(await overflow(opened.page)).toEqual({ wide: false, high: false });
    desk.show(lookupView(2, { verdict: verdicts['no-record'] }));
    await trouble.waitFor({ state: 'detached' });
    desk.tell({ readers: [{ ...reader, state: 'silent' }] });
    await opened.page.getByRole('button', { name: 'Read now' }).waitFor({ state: 'detached' });
    await opened.page.keyboard.press('r');
    expect(desk.triggered).toEqual(['counter-1', 'counter-1', 'counter-1']);
  });

  test('offers each of several readers that wait for the word', async () => {
    const readers = ['counter-1', 'counter-2'].map((id) => ({ id, state: 'ready', trigger: true }) as const);
    desk.tell({ readers });
    await opened.page.getByRole('button', { name: 'Read now: counter-2' }).click();
    await eventually(() => desk.triggered.includes('counter-2'));
  });

  test('shows hostile text as text', async () => {
    const site = '<script>globalThis.broken = true</script><img src=x onerror=alert(1)>';
    desk.tell({ site });
    await opened.page.getByText(site).waitFor();
    const record = { ...verdicts.hit.matches[0].record, remark: '<b onclick="x">remark</b>' };
    desk.show(lookupView(1, { verdict: { ...verdicts.hit, matches: [{ kind: 'exact', record }] } }));
    await opened.page.getByText('<b onclick="x">remark</b>').waitFor();
    expect(await opened.page.evaluate(() => 'broken' in globalThis)).toBe(false);
    expect(opened.complaints).toEqual([]);
  });

  test('is watermarked in training', async () => {
    desk.show(lookupView(1, { verdict: verdicts.hit, training: true }));
    await shows('hit');
    expect(await big().innerText()).toContain('TRAINING, not a real check');
  });

  test('leaves no verdict standing when it is sent something that it cannot show', async () => {
    desk.show(lookupView(1, { verdict: verdicts['no-record'] }));
    await shows('no-record');
    desk.show(lookupView(2, { verdict: { kind: 'hit' } as never }));
    await opened.page.getByRole('alert').getByText('Do not rely on this page.').waitFor();
    expect(await opened.page.locator('.verdict').count()).toBe(0);
  });

  test('fits a telephone without scrolling sideways, the longest number too', async () => {
    await opened.page.setViewportSize(phone);
    const documentNumber = 'D23145890UTO9876543210ABCDE';
    const document = { ...lookupView(0).document!, documentNumber, doubtful: [0, 26] };
    for (const [n, [look, verdict]] of Object.entries(verdicts).entries()) {
      desk.show(lookupView(n + 1, { verdict, document }));
      await shows(look);
      expect((await overflow(opened.page)).wide, look).toBe(false);
    }
  });
});
