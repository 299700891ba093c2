import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { commandKinds, commands } from '#contracts/command.ts';
import { limitsType } from '#contracts/configuration.ts';
import type { OpenPage } from '../rigs/browser.ts';
import { buildConsole, ConsoleBench, type ConsolePages, lineOf } from '../rigs/console-page.ts';
import { eventually } from '../rigs/eventually.ts';
import { populateFew } from '../rigs/fleet-source.ts';
import { madeUpTime } from '../rigs/made-up-rows.ts';
import { requires } from '../rigs/requirements.ts';

const missing = requires({ test: 'orders from the operators’ page in Chromium', tools: ['chromium'] });

describe.skipIf(missing !== undefined)("the operators' page: what an operator does", () => {
  let pages: ConsolePages;
  let bench: ConsoleBench;

  beforeAll(async () => {
    pages = await buildConsole();
  });
  afterAll(() => pages?.close());
  beforeEach(() => {
    bench = new ConsoleBench(pages);
    populateFew(bench.fleet);
  });
  afterEach(() => bench.close());

  test('a command is asked for, and its answer is shown live', async () => {
    await bench.start({ accounts: true });
    const { page, complaints } = await bench.open('#/terminal/UTO-0001-1', { as: 'all-operator' });
    await page.getByRole('button', { name: 'Report now' }).click();
    const asked = page.locator('.asked li').first();
    await asked.getByText('sent').waitFor();
    expect(await asked.innerText()).toContain('by all-operator');
    const [row] = bench.fleet.commandRows;
    if (row === undefined) throw new Error('nothing was asked for');
    bench.fleet.tell({ event: 'command', data: { ...row, state: 'failed', detail: 'The sensor is dead.' } });
    await asked.getByText('failed').waitFor();
    expect(await asked.innerText()).toContain('The sensor is dead.');
    expect(complaints).toEqual([]);
  });

  test('what officers notice is asked twice; a probe names the reader', async () => {
    await bench.start();
    const { page } = await bench.open('#/terminal/UTO-0001-1');
    let question = '';
    page.once('dialog', (dialog) => {
      question = dialog.message();
      void dialog.dismiss();
    });
    await page.getByRole('button', { name: 'Reboot' }).click();
    expect(question).toContain('Reboot at UTO-0001-1?');
    expect(bench.fleet.done).toEqual([]);
    page.once('dialog', (dialog) => void dialog.accept());
    await page.getByRole('button', { name: 'Probe a reader' }).click();
    await page.locator('.asked').getByText('Probe a reader').waitFor();
    expect(bench.fleet.commandRows[0]?.command).toEqual({ kind: 'reader-probe', reader: 'counter-1' });
  });

  test('nothing can be asked of a terminal that is not online; on a metered line it says that it may be late', async () => {
    bench.fleet.keepAliveSeconds = 600;
    await bench.start();
    const { page } = await bench.open('#/terminal/UTO-0002-1');
    await page.getByText('It is not online: nothing can be asked of it now.').waitFor();
    for (const kind of commandKinds)
      expect(await page.getByRole('button', { name: commands[kind].title }).isDisabled()).toBe(true);
    await page.goto(`${bench.desk.url}/#/terminal/UTO-0001-1`);
    await page.getByText('This terminal is on a metered line').waitFor();
    expect(await page.getByRole('button', { name: 'Report now' }).isDisabled()).toBe(false);
  });

  test('an alert is taken with a note, silenced, and shows what it explains; one that ends goes away', async () => {
    await bench.start({ accounts: true });
    const { page, complaints } = await bench.open('#/alerts', { as: 'all-operator' });
    const silent = page.locator('.alert').filter({ hasText: 'UTO-0002-1' }).first();
    await silent.getByText('escalated').waitFor();
    await silent.getByText('It explains one other').click();
    expect(await silent.innerText()).toContain('UTO-0002-1: Offline copy is getting old');
    await silent.getByPlaceholder('what is being done').fill('calling the post');
    await silent.getByRole('button', { name: 'I act upon it' }).click();
    await silent.getByText('all-operator acts upon it').waitFor();
    expect(await silent.innerText()).toContain('calling the post');
    await silent.getByRole('button', { name: 'Silence for 4 hours' }).click();
    await eventually(() => bench.fleet.done.includes('silence by all-operator'));
    await page.getByRole('region', { name: 'Covered' }).getByText('Disk nearly full').waitFor();
    const alert = bench.fleet.alertRows.get(2);
    if (alert === undefined) throw new Error('there is no alert');
    bench.fleet.tell({ event: 'alert', data: { ...alert, state: 'closed', closedAt: madeUpTime } });
    await silent.getByText('escalated').waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'Over' }).click();
    await page.getByRole('region', { name: 'Alerts that are over' }).getByText('UTO-0001-1').waitFor();
    expect(complaints).toEqual([]);
  });

  test('maintenance is planned for a site and ended', async () => {
    await bench.start({ accounts: true });
    const { page, complaints } = await bench.open('#/maintenance', { as: 'uto-operator' });
    await page.getByLabel('Which').fill('UTO-0003');
    await page.getByLabel('Note').fill('new mast');
    await page.getByRole('button', { name: 'Plan it' }).click();
    const row = page.locator('.asked li').filter({ hasText: 'Site UTO-0003' });
    await row.getByText('under way').waitFor();
    expect(await row.innerText()).toContain('by uto-operator: new mast');
    await row.getByRole('button', { name: 'End it now' }).click();
    await row.getByText('over').waitFor();
    expect(complaints).toEqual([]);
  });

  test('the editor is made from the schema, shows what would change, and sends only then', async () => {
    await bench.start();
    const { page, complaints } = await bench.open('#/configuration');
    await page.getByText('Version 3, set').waitFor();
    const send = page.getByRole('button', { name: 'Send it' });
    const show = page.getByRole('button', { name: 'Show what will change' });
    expect(await show.isDisabled()).toBe(true);
    expect(await page.getByLabel('level').inputValue()).toBe('info');
    await page.getByLabel('level').selectOption('debug');
    await page.getByLabel('keepAliveSeconds').fill('45');
    await page.getByPlaceholder('why').fill('look for the fault');
    expect(await send.count()).toBe(0);
    await show.click();
    const preview = page.getByRole('region', { name: 'What will change' });
    await preview.getByText('5 terminals change').waitFor();
    expect(await preview.innerText()).toMatch(/log\.level\s+"info" → "debug"/);
    expect(await preview.innerText()).toMatch(/fleet\.keepAliveSeconds\s+its own value → 45/);
    expect(bench.fleet.layerRows[0]?.version).toBe(3);
    await send.click();
    await page.getByText('Version 4, set').waitFor();
    expect(bench.fleet.layerRows[0]).toMatchObject({
      values: { log: { level: 'debug' }, fleet: { keepAliveSeconds: 45 } },
      note: 'look for the fault',
    });
    await page.getByText('0 of 1 run what is wanted of them').waitFor();
    expect(complaints).toEqual([]);
  });

  test('what the schema does not allow is refused in words, and what is not JSON is said at once', async () => {
    await bench.start();
    const { page } = await bench.open('#/configuration');
    await page.getByLabel('readers').fill('[{');
    await page.getByText('This is not JSON.').waitFor();
    await page.getByLabel('readers').fill('[{"id":"no such thing"}]');
    await page.getByRole('button', { name: 'Show what will change' }).click();
    await page.getByRole('alert').getByText('readers').waitFor();
    expect(await page.getByRole('region', { name: 'What will change' }).count()).toBe(0);
  });

  test('whoever was slower than somebody else is told so, and overwrites nothing', async () => {
    await bench.start();
    const { page } = await bench.open('#/configuration');
    await page.getByLabel('level').selectOption('debug');
    await page.getByRole('button', { name: 'Show what will change' }).click();
    await page.getByRole('button', { name: 'Send it' }).waitFor();
    const [layer] = bench.fleet.layerRows;
    if (layer === undefined) throw new Error('there is no layer');
    bench.fleet.layerRows[0] = { ...layer, version: 4, values: { log: { level: 'error' } } };
    await page.getByRole('button', { name: 'Send it' }).click();
    await page.getByRole('alert').getByText('Somebody else was faster.').waitFor();
    expect(bench.fleet.layerRows[0]?.values).toEqual({ log: { level: 'error' } });
  });

  test('a wave begins from what the filter shows, is followed live, and is stopped', async () => {
    await bench.start();
    const { page, complaints } = await bench.open('#/fleet?bureau=UTO');
    await page.getByRole('link', { name: 'Do something with these 4' }).click();
    await page.getByText('For 4 terminals').waitFor();
    await page.getByRole('combobox', { name: 'What', exact: true }).selectOption('restart-agent');
    await page.getByLabel('Title').fill('After the storm');
    await page.getByLabel('first wave').fill('1');
    await page.getByRole('button', { name: 'Begin' }).click();
    const wave = page.locator('.wave').filter({ hasText: 'After the storm' });
    await wave.getByText('0 done, 0 failed, 0 under way, 4 waiting').waitFor();
    expect(bench.fleet.done).toEqual(['startWave command of 4 by open']);
    const [, made] = [...bench.fleet.waveRows.values()];
    if (made === undefined) throw new Error('there is no wave');
    const failures = [{ terminal: 'UTO-0002-1', reason: 'It is offline.' }];
    const counts = { waiting: 1, underWay: 1, done: 1, failed: 1 };
    bench.fleet.tell({ event: 'wave', data: { ...made.wave, counts, failures }, bureau: 'UTO' });
    await wave.getByText('1 done, 1 failed, 1 under way, 1 waiting').waitFor();
    await wave.getByText('What failed').click();
    await wave.getByText('It is offline.').waitFor();
    await wave.getByRole('button', { name: 'Stop it' }).click();
    await wave.getByText('stopped', { exact: true }).waitFor();
    expect(complaints).toEqual([]);
  });

  test('a file that the offline key signed is handed on, and any other is refused with the reason', async () => {
    await bench.start({ accounts: true });
    const { page } = await bench.open('#/configuration', { as: 'all-administrator' });
    const signed = page.getByRole('region', { name: 'Signed files' });
    const hand = (name: string, content: unknown): Promise<void> =>
      signed
        .getByLabel('File')
        .setInputFiles({ name, mimeType: 'application/json', buffer: Buffer.from(JSON.stringify(content)) });
    await hand('holiday.json', { photo: 1 });
    await signed.getByText('holiday.json is no file that the offline key has signed for this.').waitFor();
    const envelope = (keyid: string) => ({
      payloadType: limitsType,
      payload: Buffer.from(JSON.stringify({ v: 1, version: 1, scope: { layer: 'fleet' } })).toString(
        'base64',
      ),
      signatures: [{ keyid, sig: 'x' }],
    });
    await hand('limits.json', envelope('offline-1'));
    await signed.getByText('The limits of limits.json are on their way.').waitFor();
    expect(bench.fleet.done).toContain('putLimits by all-administrator');
    await hand('forged.json', envelope('forged'));
    await signed.getByText('No key that is trusted has signed it.').waitFor();
  });

  test('an administrator keeps accounts and tokens, and the audit says who did it', async () => {
    await bench.start({ accounts: true });
    const { page, complaints } = await bench.open('#/accounts', { as: 'all-administrator' });
    const accounts = page.getByRole('region', { name: 'Accounts' });
    await accounts.getByText('uto-viewer').first().waitFor();
    await accounts.getByLabel('Account', { exact: true }).fill('night.watch');
    await accounts.getByRole('combobox', { name: 'Role', exact: true }).selectOption('operator');
    await accounts.getByLabel('Bureau').fill('uto');
    await accounts.getByLabel('Password').fill('long enough to hold');
    await accounts.getByRole('button', { name: 'Add' }).click();
    const row = accounts.getByRole('row').filter({ hasText: 'night.watch' });
    await row.waitFor();
    expect(await row.innerText()).toContain('UTO');
    await row.getByRole('button', { name: 'Disable' }).click();
    await row.getByText('disabled').waitFor();
    await row.getByRole('button', { name: 'New password' }).click();
    const typing = accounts.getByRole('form', { name: 'New password of night.watch' });
    await typing.getByLabel('New password of night.watch').fill('another long one to hold');
    await typing.getByRole('button', { name: 'Set it' }).click();
    await typing.waitFor({ state: 'detached' });
    page.once('dialog', (dialog) => void dialog.accept());
    const removed = accounts.getByRole('row').filter({ hasText: 'exa-viewer' });
    await removed.getByRole('button', { name: 'Remove' }).click();
    await removed.waitFor({ state: 'detached' });
    const tokens = page.getByRole('region', { name: 'Tokens' });
    await tokens.getByLabel('What for').fill('Prometheus');
    await tokens.getByRole('button', { name: 'Make a token' }).click();
    const token = await tokens.locator('.panel code').innerText();
    const authorization = `Bearer ${token}`;
    const ask = () => fetch(`${bench.desk.url}/metrics`, { headers: { authorization } });
    expect((await ask()).status).toBe(200);
    await tokens.getByRole('button', { name: 'Revoke' }).click();
    await tokens.locator('.asked li').waitFor({ state: 'detached' });
    expect((await ask()).status).toBe(401);
    await page.getByRole('link', { name: 'Audit' }).click();
    const made = page.getByRole('row').filter({ hasText: 'night.watch' }).first();
    await made.waitFor();
    expect(await made.innerText()).toContain('all-administrator');
    expect(complaints).toEqual([]);
  });

  /** Buttons that change something at the centre, of every view. */
  const changing = async ({ page }: OpenPage): Promise<string[]> => {
    const found: string[] = [];
    for (const place of [
      'fleet',
      'terminal/UTO-0001-1',
      'alerts',
      'configuration',
      'waves',
      'bulk',
      'maintenance',
      'site/UTO-0001',
    ]) {
      await page.goto(`${bench.desk.url}/#/${place}`);
      await eventually(async () => (await page.locator('main').innerText()).length > 30);
      await page.getByText('Asking.', { exact: true }).waitFor({ state: 'detached' });
      found.push(...(await page.locator('main button').allInnerTexts()));
      found.push(...(await page.getByRole('link', { name: /Do something/ }).allInnerTexts()));
    }
    const looks =
      /^(\+|−|⌂|Map|Save view|Print a report|Older|(Error|Offline|Silent|Warning|Never|No trouble).*)$/su;
    return [...new Set(found)].filter((text) => !looks.test(text));
  };

  test('a viewer is shown nothing that changes something; an operator nothing that is for administrators', async () => {
    await bench.start({ accounts: true });
    const viewer = await bench.open('#/fleet', { as: 'all-viewer' });
    await lineOf(viewer, 'UTO-0001-1').waitFor();
    expect(await changing(viewer)).toEqual([]);
    expect(await viewer.page.getByRole('link', { name: 'Audit' }).count()).toBe(0);
    expect(viewer.complaints).toEqual([]);
    const operator = await bench.open('#/fleet', { as: 'all-operator' });
    await lineOf(operator, 'UTO-0001-1').waitFor();
    const offered = await changing(operator);
    expect(offered).toContain('Report now');
    expect(offered).toContain('I act upon it');
    expect(offered).not.toContain('Show what will change');
    expect(offered).not.toContain('Begin');
    await operator.page.goto(`${bench.desk.url}/#/bulk`);
    await operator.page.getByText('Bulk actions are for administrators.').waitFor();
  });

  test('somebody of one bureau sees that bureau alone', async () => {
    await bench.start({ accounts: true });
    const opened = await bench.open('#/fleet', { as: 'exa-administrator' });
    const { page } = opened;
    await lineOf(opened, 'EXA-0005-1').waitFor();
    await page.getByText('exa-administrator, administrator of EXA').waitFor();
    for (const place of [
      'fleet',
      'alerts',
      'hits',
      'maintenance',
      'waves',
      'audit',
      'accounts',
      'configuration',
    ]) {
      await page.goto(`${bench.desk.url}/#/${place}`);
      await page.locator('main').waitFor();
      expect(await page.locator('body').innerText()).not.toMatch(/UTO-0|uto-/);
    }
    expect(await page.getByLabel('For').locator('option').allInnerTexts()).not.toContain('Whole fleet');
    await page.goto(`${bench.desk.url}/#/terminal/UTO-0001-1`);
    await page.getByText('There is no terminal UTO-0001-1.').waitFor();
  });

  test('whoever signs in after somebody else in the same browser sees nothing of theirs', async () => {
    await bench.start({ accounts: true });
    const opened = await bench.open('#/hits', { as: 'uto-operator' });
    const { page } = opened;
    await page.getByText('Document held').waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Account').fill('exa-viewer');
    await page.getByLabel('Password').fill('correct horse battery');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('Training, no outcome yet').waitFor();
    expect(await page.locator('main').innerText()).not.toContain('UTO-0');
  });

  test('the main tasks are done with the keyboard alone', async () => {
    await bench.start({ accounts: true });
    const { page } = await bench.open();
    await page.getByLabel('Account').waitFor();
    const tabTo = async (name: string | RegExp): Promise<void> => {
      for (let presses = 0; presses < 60; presses++) {
        await page.keyboard.press('Tab');
        const at = await page.evaluate(() => {
          const element = document.activeElement;
          const label = element instanceof HTMLInputElement ? element.labels?.[0]?.textContent : undefined;
          return label ?? element?.getAttribute('aria-label') ?? element?.textContent ?? '';
        });
        if (typeof name === 'string' ? at.trim() === name : name.test(at)) return;
      }
      throw new Error(`Tab does not reach ${String(name)}`);
    };
    await tabTo('Account');
    await page.keyboard.type('all-operator');
    await tabTo('Password');
    await page.keyboard.type('correct horse battery');
    await page.keyboard.press('Enter');
    await page.getByText('UTO-0003-1').first().waitFor();
    await tabTo('Search');
    await page.keyboard.type('old crossing');
    await eventually(async () => (await page.locator('.virtual .line').count()) === 1);
    await tabTo(/^Old crossing/);
    await page.keyboard.press('Enter');
    await page.getByRole('region', { name: 'Conditions' }).waitFor();
    await tabTo('Report now');
    await page.keyboard.press('Enter');
    await page.locator('.asked').getByText('sent').waitFor();
    await tabTo(/^Alerts/);
    await page.keyboard.press('Enter');
    await page.locator('.alert').first().waitFor();
    await tabTo('Note');
    await page.keyboard.type('calling');
    await tabTo('I act upon it');
    await page.keyboard.press('Enter');
    await page.getByText('all-operator acts upon it').waitFor();
  });
});
