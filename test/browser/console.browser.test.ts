import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startConsole } from '#central/console/index.ts';
import { silentLog } from '#runtime/log.ts';
import { TestClock } from '#runtime/test-clock.ts';
import { buildPages } from '../../bin/dev/pages.ts';
import {
  type BrowserRig,
  counter,
  lowestContrast,
  type OpenPage,
  overflow,
  phone,
  startBrowser,
} from '../rigs/browser.ts';
import { alertRow, fleetTime, hitItem, MadeUpFleet, terminalRow } from '../rigs/fleet-source.ts';
import { requires } from '../rigs/requirements.ts';

const missing = requires({ test: "the operators' page in Chromium", tools: ['chromium'] });
/** Where to keep pictures of the page for the documentation; otherwise none are kept. */
const pictures = process.env['CHECKPOST_PICTURES'];

describe.skipIf(missing !== undefined)("the operators' page", () => {
  const folder = mkdtempSync(join(tmpdir(), 'checkpost-console-'));
  let rig: BrowserRig;
  let fleet: MadeUpFleet;
  let server: { url: string; close(): Promise<void> };
  let opened: OpenPage;

  const start = async (port = 0) => {
    const pageDir = join(folder, 'console');
    const clock = new TestClock(fleetTime);
    const started = await startConsole({
      host: '127.0.0.1',
      port,
      pageDir,
      log: silentLog,
      clock,
      source: fleet,
    });
    if (!started.ok) throw new Error(started.fault.detail);
    return {
      url: started.value.url,
      async close() {
        const closing = started.value.close();
        await clock.advance(1000);
        await closing;
      },
    };
  };
  const row = (terminal: string) => opened.page.getByRole('row').filter({ hasText: terminal });
  const alerts = () => opened.page.getByRole('region', { name: 'Alerts' });

  beforeAll(async () => {
    await buildPages(folder);
    rig = await startBrowser();
  });
  afterAll(async () => {
    await rig?.close();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    fleet = new MadeUpFleet();
    server = await start();
    opened = await rig.open(server.url);
    await opened.page.getByText('No terminal is registered.').waitFor();
  });
  afterEach(async () => {
    await opened.page.context().close();
    await server.close();
  });

  /** Four terminals, one of each kind of trouble, and some alerts. */
  const populate = (): void => {
    const since = '2026-11-25T07:55:00.000Z';
    const { health } = terminalRow(1);
    fleet.show(terminalRow(1));
    fleet.show(terminalRow(2, { state: 'offline', lastSeen: '2026-11-25T06:05:00.000Z', since }));
    fleet.show(
      terminalRow(3, {
        health: {
          ...health,
          readers: [{ id: 'counter-1', state: 'absent' }],
          clock: { state: 'unverified', offsetMillis: null },
          outbox: { depth: 4, oldestAt: since },
          conditions: [
            { code: 'reader-absent', since, subject: 'counter-1' },
            { code: 'clock-unverified', since },
          ],
        },
      }),
    );
    fleet.show(
      terminalRow(4, { state: 'never', lastSeen: null, since: null, session: 0, version: '', health: {} }),
    );
    const acknowledged = {
      at: '2026-11-25T08:10:00.000Z',
      outcome: 'document-held',
      officer: 'unassigned',
    } as const;
    fleet.raise(alertRow(1, { acknowledged, centralConfirmation: 'agrees' }));
    fleet.raise(alertRow(2, { item: hitItem(2, { verdict: 'possible', late: true }) }));
    fleet.raise(alertRow(3, { centralConfirmation: 'disagrees', terminal: 'UTO-0003-1' }));
  };

  test('lists terminals live, those in trouble first, with what to do', async () => {
    expect(await opened.page.getByText('checkpost site bundle').count()).toBe(1);
    populate();
    await row('UTO-0004-1').waitFor();
    const order = await opened.page.getByRole('rowheader').allInnerTexts();
    expect(order.map((text) => /UTO-\d{4}-1/.exec(text)?.[0])).toEqual([
      'UTO-0003-1',
      'UTO-0002-1',
      'UTO-0004-1',
      'UTO-0001-1',
    ]);
    const troubled = await row('UTO-0003-1').innerText();
    expect(troubled).toContain('Reader not plugged in: counter-1');
    expect(troubled).toContain('Plug the reader in; check its cable.');
    expect(troubled).toContain('clock not verified');
    expect(await row('UTO-0001-1').innerText()).toContain('3 h old');
    expect(await row('UTO-0002-1').innerText()).toContain('2 h ago');
    fleet.show(terminalRow(2));
    await row('UTO-0002-1').getByText('Online', { exact: true }).waitFor();
    expect(opened.complaints).toEqual([]);
  });

  test('lists alerts with place, masked number, basis, outcome and what the centre says', async () => {
    populate();
    await alerts().getByText('Document held, officer unassigned').waitFor();
    const text = await alerts().innerText();
    expect(text).toContain('UTO ••••••2C3');
    expect(text).toContain('the offline copy, 3 h old');
    expect(text).toContain('The centre confirms it.');
    expect(text).toContain('The centre disagrees.');
    expect(text).toContain('Specimen crossing 3, UTO-0003-1');
    expect(await opened.page.getByText('2 hits without outcome').count()).toBe(1);
    if (pictures !== undefined) await opened.page.screenshot({ path: join(pictures, 'console.png') });
  });

  test('masks a number even where it was sent whole', async () => {
    const document = { issuingState: 'UTO', documentNumber: 'L898902C3', documentType: 'passport' } as const;
    fleet.raise(alertRow(1, { item: hitItem(1, { document }) }));
    await alerts().getByText('••••••2C3').waitFor();
    expect(await opened.page.locator('body').innerText()).not.toContain('L898902C3');
  });

  test('finds terminals by any words of their row', async () => {
    populate();
    await row('UTO-0004-1').waitFor();
    await opened.page.getByRole('searchbox').fill('crossing not plugged');
    await opened.page.getByRole('rowheader').nth(1).waitFor({ state: 'detached' });
    expect(await opened.page.getByRole('rowheader').innerText()).toContain('UTO-0003-1');
    await opened.page.getByRole('searchbox').fill('nowhere');
    await opened.page.getByText('No terminal fits the filter.').waitFor();
  });

  test('says that it is not connected, and replaces all when it is again', async () => {
    populate();
    await row('UTO-0004-1').waitFor();
    const { port } = new URL(server.url);
    await server.close();
    await opened.page.getByRole('alert').getByText('Not connected to the controller.').waitFor();
    fleet = new MadeUpFleet();
    fleet.show(terminalRow(9));
    server = await start(Number(port));
    await row('UTO-0009-1').waitFor();
    expect(await opened.page.getByRole('rowheader').count()).toBe(1);
    expect(await opened.page.getByRole('alert').count()).toBe(0);
  });

  test('shows hostile text as text', async () => {
    const siteName = '<script>globalThis.broken = true</script>';
    fleet.show(terminalRow(1, { siteName }));
    await opened.page.getByText(siteName).waitFor();
    expect(await opened.page.evaluate(() => 'broken' in globalThis)).toBe(false);
  });

  test('fits the counter display and a telephone, with enough contrast', async () => {
    populate();
    await row('UTO-0004-1').waitFor();
    await opened.page.setViewportSize(counter);
    expect(await overflow(opened.page)).toEqual({ wide: false, high: false });
    const { ratio, text } = await lowestContrast(opened.page, '.page');
    expect(ratio, text).toBeGreaterThanOrEqual(4.5);
    await opened.page.setViewportSize(phone);
    expect((await overflow(opened.page)).wide).toBe(false);
    await opened.page.getByText('UTO-0004-1').first().waitFor();
  });
});
