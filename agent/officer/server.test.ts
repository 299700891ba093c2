import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LookupView } from '#contracts/officer.ts';
import { systemClock } from '#runtime/clock.ts';
import { silentLog } from '#runtime/log.ts';
import { EventReader } from '#test/rigs/event-source.ts';
import { lookupView, MadeUpDesk, verdicts } from '#test/rigs/officer-desk.ts';
import { startOfficerServer } from './index.ts';

describe("the API of the officer's page", () => {
  let desk: MadeUpDesk;
  let server: { url: string; close(): Promise<void> };

  beforeEach(async () => {
    desk = new MadeUpDesk();
    desk.show(lookupView(1, { verdict: verdicts.hit }));
    const parts = { host: '127.0.0.1', port: 0, pageDir: '/nonexistent', log: silentLog, clock: systemClock };
    const started = await startOfficerServer({ ...parts, desk });
    if (!started.ok) throw new Error(started.fault.detail);
    server = started.value;
  });
  afterEach(() => server.close());

  const acknowledge = async (lookup: string, body: string) => {
    const headers = { 'content-type': 'application/json' };
    const url = `${server.url}/api/lookups/${lookup}/acknowledge`;
    const response = await fetch(url, { method: 'POST', headers, body });
    return { status: response.status, answer: (await response.json()) as Record<string, unknown> };
  };

  test('tells a page that connects the terminal first, then the lookups, then what happens', async () => {
    const reader = await EventReader.connect(`${server.url}/api/events`);
    try {
      await reader.next('heartbeat', () => true);
      desk.show(lookupView(2, { verdict: verdicts['no-record'] }));
      await reader.next<LookupView>('lookup', (view) => view.verdict?.kind === 'no-record');
      const names = reader.events.map(({ event }) => event);
      expect(names).toEqual(['terminal', 'lookup', 'heartbeat', 'lookup']);
    } finally {
      reader.close();
    }
  });

  test('records an outcome and answers with the lookup', async () => {
    const { lookup } = lookupView(1);
    const { status, answer } = await acknowledge(lookup, '{"outcome":"document-held"}');
    expect(status).toBe(200);
    expect(answer).toMatchObject({ lookup, acknowledged: { outcome: 'document-held' } });
  });

  test.each([
    ['not JSON', '{', 400, 'REQUEST_INVALID'],
    ['an outcome that there is not', '{"outcome":"let-go"}', 400, 'REQUEST_INVALID'],
    ['a field too many', '{"outcome":"document-held","officer":"x"}', 400, 'REQUEST_INVALID'],
  ])('refuses %s and changes nothing', async (_what, body, status, code) => {
    const refused = await acknowledge(lookupView(1).lookup, body);
    expect([refused.status, refused.answer['code']]).toEqual([status, code]);
    expect(refused.answer['remedy']).toBeTypeOf('string');
    expect(desk.outcomes).toEqual([]);
  });

  test('says that there is no such hit, and that the disk is full', async () => {
    const unknown = await acknowledge(lookupView(9).lookup, '{"outcome":"document-held"}');
    expect([unknown.status, unknown.answer['code']]).toEqual([404, 'NOT_FOUND']);
    desk.full = true;
    const full = await acknowledge(lookupView(1).lookup, '{"outcome":"document-held"}');
    expect([full.status, full.answer['code']]).toEqual([503, 'STORE_FULL']);
  });

  test('answers with the terminal and the lookups to whoever asks once', async () => {
    const terminal = await fetch(`${server.url}/api/terminal`);
    expect(terminal.headers.get('cache-control')).toBe('no-store');
    expect(await terminal.json()).toEqual(desk.terminal());
    expect(await (await fetch(`${server.url}/api/lookups`)).json()).toEqual(desk.lookups());
  });
});
