import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buildConsole, ConsoleBench, type ConsolePages, lineOf, listed } from '../rigs/console-page.ts';
import { eventually } from '../rigs/eventually.ts';
import { populateFew } from '../rigs/fleet-source.ts';
import { hitItem, hitRow, siteRow, terminalRow } from '../rigs/made-up-rows.ts';
import { requires } from '../rigs/requirements.ts';

const missing = requires({ test: "the operators' page in Chromium", tools: ['chromium'] });

describe.skipIf(missing !== undefined)("the operators' page: what is wrong, and where", () => {
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

  test('somebody without an account sees nothing; with one they sign in, and out again', async () => {
    populateFew(bench.fleet);
    await bench.start({ accounts: true });
    const { page, complaints } = await bench.open();
    await page.getByLabel('Account').fill('all-operator');
    await page.getByLabel('Password').fill('not the password');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').waitFor();
    expect(await page.locator('body').innerText()).not.toContain('UTO-0001');
    await page.getByLabel('Password').fill('correct horse battery');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('all-operator, operator').waitFor();
    await page.getByText('UTO-0001-1').first().waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    await page.reload();
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    // The wrong password is the one thing that the browser complains of.
    expect(complaints.filter((text) => !text.includes('401'))).toEqual([]);
  });

  test('an empty fleet says how a terminal comes into it', async () => {
    await bench.start();
    const { page } = await bench.open();
    await page.getByText('checkpost site bundle').waitFor();
    expect(await page.locator('.virtual .line').count()).toBe(0);
  });

  test('lists terminals in trouble first, each with its cause; a change moves its line at once', async () => {
    populateFew(bench.fleet);
    await bench.start();
    const opened = await bench.open();
    await lineOf(opened, 'UTO-0003-1').waitFor();
    expect(await listed(opened)).toEqual([
      'EXA-0005-1',
      'UTO-0003-1',
      'UTO-0002-1',
      'UTO-0004-1',
      'UTO-0001-1',
    ]);
    const troubled = await lineOf(opened, 'UTO-0003-1').innerText();
    expect(troubled).toContain('Reader not plugged in: counter-1 and 1 more');
    expect(troubled).toContain('owes 4');
    expect(await lineOf(opened, 'UTO-0002-1').innerText()).toContain('Offline for 20 min');
    const dots = opened.page.getByRole('img', { name: 'Sites on the map' });
    expect(await dots.getAttribute('aria-label')).toBe(
      'Sites on the map: Error 2, Offline 1, Never seen 1, No trouble 1',
    );
    const since = '2026-11-25T08:15:00.000Z';
    const site = bench.fleet.sites.get('UTO-0001') ?? siteRow('UTO-0001');
    const row = terminalRow('UTO-0001', { conditions: [{ code: 'disk-low', since }] });
    for (const terminal of ['EXA-0005-1', 'UTO-0003-1']) bench.fleet.terminals.delete(terminal);
    bench.fleet.show(row, site);
    await eventually(async () => (await listed(opened)).indexOf('UTO-0001-1') === 1);
    expect(await dots.getAttribute('aria-label')).toContain('Error 3');
    expect(opened.complaints).toEqual([]);
  });

  test('the map shows each site as a dot of the colour of its trouble, which opens the site', async () => {
    bench.fleet.show(
      terminalRow('UTO-0001', { state: 'offline' }),
      siteRow('UTO-0001', { name: 'North crossing', latitude: 41, longitude: 65 }),
    );
    await bench.start();
    const { page, complaints } = await bench.open();
    const map = page.getByRole('img', { name: 'Sites on the map' });
    await map.waitFor();
    await page.locator('.land[d^="M"]').waitFor({ state: 'attached' });
    const middle = () =>
      map.evaluate((canvas: HTMLCanvasElement) => {
        const { width, height } = canvas;
        return [...(canvas.getContext('2d')?.getImageData(width / 2, height / 2, 1, 1).data ?? [])];
      });
    expect(await middle()).toEqual([0, 0, 0, 255]);
    bench.fleet.show(terminalRow('UTO-0001'), bench.fleet.sites.get('UTO-0001') ?? siteRow('UTO-0001'));
    await eventually(async () => (await middle()).join() === '15,107,58,255', { what: 'a green dot' });
    const box = await map.boundingBox();
    if (box === null) throw new Error('there is no map');
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.getByText('North crossing No trouble, 1 terminal').waitFor();
    await page.mouse.wheel(0, -300);
    await page.getByRole('button', { name: 'Show all sites' }).click();
    await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
    await page.getByRole('heading', { name: 'North crossing' }).waitFor();
    expect(new URL(page.url()).hash).toBe('#/site/UTO-0001');
    expect(complaints).toEqual([]);
  });

  test('what is searched and filtered stands in the address, so that a reload shows the same', async () => {
    populateFew(bench.fleet);
    await bench.start();
    const opened = await bench.open();
    const { page } = opened;
    await lineOf(opened, 'UTO-0003-1').waitFor();
    await page.getByRole('searchbox').fill('crossing not plugged');
    await eventually(async () => (await listed(opened)).join() === 'UTO-0003-1');
    await page.getByRole('searchbox').fill('crossing');
    await page.getByRole('button', { name: /^Offline/ }).click();
    await page.getByRole('button', { name: /^Error/ }).click();
    await page.getByLabel('Bureau').selectOption('UTO');
    await eventually(async () => (await listed(opened)).join() === 'UTO-0003-1,UTO-0002-1');
    await page.reload();
    await eventually(async () => (await listed(opened)).join() === 'UTO-0003-1,UTO-0002-1');
    expect(await page.getByRole('searchbox').inputValue()).toBe('crossing');
    expect(await page.getByRole('button', { name: /^Error/ }).getAttribute('aria-pressed')).toBe('true');
    await page.getByRole('searchbox').fill('nowhere');
    await page.getByText('No terminal fits.').waitFor();
    await page.getByRole('button', { name: 'Show all', exact: true }).click();
    await lineOf(opened, 'EXA-0005-1').waitFor();
  });

  test('a view gets a name, is chosen by it after a reload, and is forgotten', async () => {
    populateFew(bench.fleet);
    await bench.start();
    const opened = await bench.open('#/fleet?state=offline&map=no');
    const { page } = opened;
    await lineOf(opened, 'UTO-0002-1').waitFor();
    page.once('dialog', (dialog) => void dialog.accept('Dark sites'));
    await page.getByRole('button', { name: 'Save view' }).click();
    await page.goto(`${bench.desk.url}/#/fleet`);
    await page.reload();
    await lineOf(opened, 'UTO-0001-1').waitFor();
    await page.getByLabel('Saved views').selectOption('Dark sites');
    await eventually(async () => (await listed(opened)).join() === 'UTO-0002-1');
    await page.getByRole('button', { name: 'Forget view' }).click();
    await page.getByLabel('Saved views').waitFor({ state: 'detached' });
  });

  test('a site shows its place, terminals, conditions with what to do, and what happened; it prints without buttons', async () => {
    populateFew(bench.fleet);
    await bench.start();
    const { page, complaints } = await bench.open('#/site/UTO-0003');
    await page.getByRole('heading', { name: 'Old crossing' }).waitFor();
    const text = await page.locator('main').innerText();
    expect(text).toContain('time zone Asia/Tashkent');
    expect(text).toContain('local time 13:15');
    expect(text).toContain('Plug the reader in; check its cable.');
    await page.getByText('Something happened, number 130.').waitFor();
    await page.emulateMedia({ media: 'print' });
    expect(await page.getByRole('button', { name: 'Print a report' }).isVisible()).toBe(false);
    expect(await page.getByRole('navigation', { name: 'Main' }).isVisible()).toBe(false);
    expect(await page.getByText('Reader not plugged in: counter-1', { exact: true }).isVisible()).toBe(true);
    // On paper the whole report stands, not a window that scrolls.
    const pdf = await page.pdf({ format: 'A4' });
    expect(pdf.length).toBeGreaterThan(10_000);
    expect(complaints).toEqual([]);
  });

  test('a terminal shows what is wrong and what to do, what it measures, and charts of every metric', async () => {
    populateFew(bench.fleet);
    await bench.start();
    const { page, complaints } = await bench.open('#/terminal/UTO-0003-1');
    await page.getByRole('region', { name: 'Conditions' }).getByText('Clock not verified').waitFor();
    await page.getByText('Plug the reader in; check its cable.').waitFor();
    const facts = page.getByRole('region', { name: 'What it measured' });
    await facts.getByText('dsl: works, 40 ms').waitFor();
    expect(await facts.innerText()).toContain('Checkpost 0.1.0');
    await page.getByRole('link', { name: 'Charts' }).click();
    await page.getByRole('img', { name: 'Data received: from' }).waitFor();
    expect(await page.locator('.chart canvas').count()).toBe(16);
    await page.getByRole('link', { name: '60 days' }).click();
    await page.getByRole('img', { name: 'Data received: from' }).waitFor();
    expect(new URL(page.url()).hash).toContain('span=60d');
    expect(complaints).toEqual([]);
  });

  test('its time line shows what comes live on top, and older entries when they are asked for', async () => {
    populateFew(bench.fleet);
    await bench.start();
    const { page } = await bench.open('#/terminal/UTO-0003-1?tab=events');
    await page.getByText('Something happened, number 31.').waitFor();
    expect(await page.getByText('Something happened, number 30.').count()).toBe(0);
    const event = bench.fleet.eventRows[0];
    if (event === undefined) throw new Error('there is no event');
    bench.fleet.tell({ event: 'event', data: { ...event, id: 500, text: 'This just happened.' } });
    await page.getByText('This just happened.').waitFor();
    expect(await page.locator('.timeline li').first().innerText()).toContain('This just happened.');
    await page.getByRole('button', { name: 'Older' }).click();
    await page.getByText('Something happened, number 1.').waitFor();
  });

  test('its configuration says which layer set which value, and what was refused', async () => {
    populateFew(bench.fleet);
    await bench.start();
    const { page } = await bench.open('#/terminal/UTO-0003-1?tab=configuration');
    const row = page.getByRole('row').filter({ hasText: 'fleet.keepAliveSeconds' });
    await row.waitFor();
    expect(await row.innerText()).toMatch(/60\s+set for the bureau/);
    await page.getByText('It went back by itself').waitFor();
    expect(await page.locator('.fault').innerText()).toContain('CENTRAL_UNREACHABLE');
  });

  test('hits show a masked number, basis, outcome, lateness, training, and what the centre says', async () => {
    populateFew(bench.fleet);
    await bench.start();
    const { page, complaints } = await bench.open('#/hits');
    await page.getByText('Document held, officer unassigned').waitFor();
    const text = await page.getByRole('region', { name: 'Hits' }).innerText();
    for (const part of [
      'UTO ••••••2C3',
      'the offline copy, 3 h old',
      'The centre confirms it.',
      'The centre disagrees.',
      'training',
      'late',
      'by a clock that was not verified',
      'Old crossing, UTO-0003-1',
    ])
      expect(text).toContain(part);
    const document = { issuingState: 'UTO', documentNumber: 'L898902C3', documentType: 'passport' } as const;
    bench.fleet.raise(hitRow(9, 'UTO-0002', { hit: hitItem(9, { document }) }));
    await page.getByText('River crossing, UTO-0002-1').waitFor();
    expect(await page.locator('body').innerText()).not.toContain('L898902C3');
    expect(complaints).toEqual([]);
  });

  test('hostile text in any field is shown as text', async () => {
    const bad = '<img src=x onerror="globalThis.broken=true"><script>globalThis.broken = true</script>';
    const { fleet } = bench;
    populateFew(fleet);
    const condition = { code: 'reader-absent', since: '2026-11-25T08:00:00.000Z', subject: bad };
    fleet.show(
      terminalRow('UTO-0003', { version: bad, uplink: bad, conditions: [condition] }),
      siteRow('UTO-0003', { name: bad, timeZone: bad }),
    );
    for (const [id, alert] of fleet.alertRows) {
      const acknowledged = { at: condition.since, by: bad, note: bad };
      fleet.alertRows.set(id, { ...alert, subject: bad, acknowledged });
    }
    fleet.hitRows.splice(0, 9, hitRow(1, 'UTO-0003', { hit: hitItem(1, { officer: bad }) }));
    for (const event of fleet.eventRows) event.text = bad;
    for (const layer of fleet.layerRows) Object.assign(layer, { note: bad, by: bad });
    for (const command of fleet.commandRows)
      Object.assign(command, { detail: bad, by: bad, terminal: 'UTO-0003-1' });
    for (const { wave } of fleet.waveRows.values())
      Object.assign(wave, { title: bad, failures: [{ terminal: bad, reason: bad }] });
    await bench.start();
    const { page, complaints } = await bench.open('#/fleet');
    for (const place of [
      'fleet',
      'site/UTO-0003',
      'terminal/UTO-0003-1',
      'terminal/UTO-0003-1?tab=events',
      'alerts',
      'configuration',
      'waves',
    ]) {
      await page.goto(`${bench.desk.url}/#/${place}`);
      await page.getByText('<img src=x').first().waitFor({ state: 'attached' });
    }
    for (const place of [
      'hits',
      `terminal/${encodeURIComponent(bad)}`,
      `fleet?q=${encodeURIComponent(bad)}`,
    ]) {
      await page.goto(`${bench.desk.url}/#/${place}`);
      await page.locator('main').waitFor();
    }
    expect(await page.evaluate(() => 'broken' in globalThis)).toBe(false);
    expect(await page.locator('main img').count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  test('says that it is not connected, and shows what is true when it is again', async () => {
    populateFew(bench.fleet);
    await bench.start();
    const opened = await bench.open();
    await lineOf(opened, 'UTO-0004-1').waitFor();
    const port = Number(new URL(bench.desk.url).port);
    await bench.stop();
    await opened.page.getByRole('alert').getByText('Not connected to the controller.').waitFor();
    expect(await listed(opened)).toHaveLength(5);
    bench.fleet.sites.clear();
    bench.fleet.terminals.clear();
    bench.fleet.show(terminalRow('UTO-0009'), siteRow('UTO-0009'));
    await bench.start({ port });
    await eventually(async () => (await listed(opened)).join() === 'UTO-0009-1');
    expect(await opened.page.getByRole('alert').count()).toBe(0);
  });

  test('what is wrong with the centre itself stands above everything, with what to do', async () => {
    bench.fleet.centreConditions.push({ code: 'broker-unreachable', since: '2026-11-25T08:00:00.000Z' });
    await bench.start();
    const { page } = await bench.open('#/hits');
    const alert = page.getByRole('alert').filter({ hasText: 'no session with the broker' });
    expect(await alert.innerText()).toContain('See that Mosquitto runs');
  });
});
