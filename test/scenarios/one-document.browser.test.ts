import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BrowserRig, type OpenPage, startBrowser } from '../rigs/browser.ts';
import { cleanPassport, passport, stolenPassport } from '../rigs/documents.ts';
import { eventually } from '../rigs/eventually.ts';
import { requires } from '../rigs/requirements.ts';
import { removeFolder, type Stack, startStack } from '../rigs/stack.ts';

// One document from the reader's pseudo-terminal to the officer's page and the operators' page, all parts real.

const reason = requires({ test: 'one document, end to end', tools: ['chromium', 'mosquitto', 'socat'] });

describe.skipIf(reason !== undefined)('One document, end to end', () => {
  let folder: string;
  let stack: Stack;
  let rig: BrowserRig;
  let officer: OpenPage;
  let operators: OpenPage;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'checkpost-e2e-'));
    stack = await startStack({ folder, agent: { central: { probeMillis: 500, retryMillis: 200 } } });
    rig = await startBrowser();
    officer = await rig.open(stack.officerUrl);
    operators = await rig.open(`${stack.consoleUrl}/#/hits`);
  });

  afterAll(async () => {
    await rig?.close();
    await stack?.close();
    removeFolder(folder);
  });

  const swipe = (lines: readonly string[]): void => stack.reader.send(`${lines.join('\r')}\r`);
  /** Waits for this look on the officer's page, with these words. */
  async function sees(look: string, ...words: (string | RegExp)[]): Promise<void> {
    const verdict = officer.page.locator(`[data-look="${look}"]`);
    await verdict.waitFor({ timeout: 10_000 });
    const text = await verdict.innerText();
    for (const word of words) expect(text).toMatch(word);
  }
  const says = (page: Page, words: string | RegExp) =>
    page.getByText(words).first().waitFor({ timeout: 10_000 });

  test('A passport that is recorded as stolen is a hit, is acknowledged from the keyboard, and both stand on the operators’ page', async () => {
    await officer.page.locator('[data-look="ready"]').waitFor();
    await eventually(() => stack.linkIsUp(), { what: 'the link to the centre' });
    swipe(stolenPassport);
    await sees('hit', 'L898902C3', /stolen/i);
    await says(operators.page, 'No outcome yet');
    // Only the last characters of the number reach the operators' page.
    expect(await operators.page.content()).not.toContain('L898902C3');
    await officer.page.keyboard.press('1');
    await officer.page.keyboard.press('Enter');
    await says(officer.page, 'Outcome recorded');
    await eventually(async () => !(await operators.page.content()).includes('No outcome yet'), {
      what: 'the outcome on the operators’ page',
    });
  });

  test('A passport that is not recorded is no-record by the centre', async () => {
    swipe(cleanPassport);
    await sees('no-record', 'X734211K5', /centre/i);
  });

  test('A number that the check digit cannot tell from a recorded one is possible, with both numbers', async () => {
    swipe(passport('SPECLOOK6'));
    await sees('possible', 'SPECLOOK6', 'SPECLOOKG');
  });

  test('A number whose own check digit does not hold is no no-record, whatever the centre says', async () => {
    const [first, second] = passport('DOUBTFUL1');
    swipe([first, `${second.slice(0, 9)}${(Number(second.charAt(9)) + 1) % 10}${second.slice(10)}`]);
    await sees('unresolved', 'DOUBTFUL1', /number in doubt/i, /check digit/i);
  });

  test('A stolen passport that no reader can read is typed by hand, with its check digit, and is a hit', async () => {
    await officer.page.keyboard.press('t');
    const form = officer.page.locator('form');
    await form.waitFor();
    await officer.page.getByLabel('State', { exact: true }).fill('uto');
    await officer.page.getByLabel('Number', { exact: true }).fill('l898902c3');
    await officer.page.getByLabel('Check digit', { exact: true }).fill('6');
    await officer.page.getByRole('cell', { name: 'check digit holds' }).waitFor();
    await officer.page.keyboard.press('Enter');
    await sees('hit', 'L898902C3', /stolen/i, /typed by hand/);
  });

  test('Half a frame is not readable and says what is missing; typed to its end it is answered; the next whole one is read', async () => {
    stack.reader.send(`${cleanPassport[0]}\r${cleanPassport[1].slice(0, 17)}\r`);
    await sees('unreadable', 'Line 2: characters 18 to 44 are missing');
    await officer.page.keyboard.press('t');
    await officer.page.getByText('17 of 44 characters').waitFor();
    await officer.page.keyboard.type(cleanPassport[1].slice(17));
    await officer.page.getByRole('row', { name: /Whole line .* check digit holds/ }).waitFor();
    await officer.page.keyboard.press('Enter');
    await sees('no-record', 'X734211K5', /typed by hand/);
    swipe(passport('WHOLE0001'));
    await says(officer.page, 'WHOLE0001');
    await sees('no-record', 'WHOLE0001');
  });

  test('With the centre stopped, a passport that is not recorded is no-record from the copy, with its age', async () => {
    await stack.central.stop();
    await eventually(async () => !(await stack.linkIsUp()), { what: 'the link being down' });
    swipe(passport('OFFLINE01'));
    await sees('no-record-copy', 'OFFLINE01', /copy/i, /old/i);
  });

  test('With the centre stopped, a stolen passport is a hit all the same', async () => {
    swipe(passport('SPECLOOKG'));
    await sees('hit', 'SPECLOOKG');
  });

  test('With the copy removed as well, nobody can answer: unresolved, and nothing on the page looks like a pass', async () => {
    stack.removeEdition();
    await eventually(async () => (await stack.terminalView()).edition === null, {
      what: 'the copy being gone',
    });
    swipe(passport('NOBASIS01'));
    await sees('unresolved', 'NOBASIS01');
    const title = await officer.page.locator('[data-look="unresolved"] h1').innerText();
    expect(title).toBe('Unresolved: not checked');
  });

  test('With the centre back, what only the copy answered was asked again, and the hit of the outage is on the operators’ page', async () => {
    await stack.central.start();
    await eventually(() => stack.linkIsUp(), { timeoutMs: 20_000, what: 'the link being up again' });
    await eventually(async () => (await stack.terminalView()).owed === 0, {
      what: 'everything owed being delivered',
    });
    await eventually(async () => (await operators.page.content()).includes('OKG'), {
      timeoutMs: 20_000,
      what: 'the hit of the outage on the operators’ page',
    });
  });

  test('Neither page threw an error, broke its policy or asked another host', () => {
    expect([...officer.complaints, ...operators.complaints]).toEqual([]);
  });
});
