import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { EntryCheck, EntryRequest } from '#contracts/entry.ts';
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

  const post = async (path: string, body: string) => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${server.url}${path}`, { method: 'POST', headers, body });
    return { status: response.status, answer: (await response.json()) as Record<string, unknown> };
  };
  const acknowledge = (lookup: string, body: string) => post(`/api/lookups/${lookup}/acknowledge`, body);

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

  const entry: EntryRequest = {
    kind: 'number',
    documentType: 'passport',
    issuingState: 'UTO',
    documentNumber: 'l898902c3',
    checkDigit: '6',
  };
  const stands: EntryCheck = {
    ready: true,
    problems: [],
    parts: [{ part: 'number', value: 'L898902C3', holds: true }],
    stateListed: true,
  };

  test('says how what is typed stands, and searches nothing', async () => {
    desk.typed = () => ({ check: stands });
    expect(await post('/api/entries/check', JSON.stringify(entry))).toEqual({ status: 200, answer: stands });
    expect([desk.checked, desk.entries]).toEqual([[entry], []]);
  });

  test('takes what was typed as it was typed, and its lookup comes by the stream', async () => {
    desk.typed = () => ({ check: stands, view: lookupView(3, { verdict: verdicts['no-record'] }) });
    const reader = await EventReader.connect(`${server.url}/api/events`);
    try {
      await reader.next('heartbeat', () => true);
      const { status, answer } = await post('/api/entries', JSON.stringify(entry));
      expect([status, answer]).toEqual([202, { accepted: true }]);
      await reader.next<LookupView>('lookup', (view) => view.reader === 'typed');
      expect(desk.entries).toEqual([entry]);
    } finally {
      reader.close();
    }
  });

  test.each([
    ['not JSON', '{', 'It is not JSON.'],
    ['of a kind that there is not', JSON.stringify({ ...entry, kind: 'voice' }), ''],
    ['with a field too many', JSON.stringify({ ...entry, name: 'x' }), ''],
    ['with a number too long', JSON.stringify({ ...entry, documentNumber: 'A'.repeat(41) }), ''],
    ['larger than any', JSON.stringify(entry) + ' '.repeat(5000), 'longer than 4096 bytes'],
  ])('refuses an entry that is %s, without repeating what it holds', async (_what, body, detail) => {
    desk.typed = () => ({ check: stands });
    for (const path of ['/api/entries/check', '/api/entries']) {
      const refused = await post(path, body);
      expect([refused.status, refused.answer['code']]).toEqual([400, 'REQUEST_INVALID']);
      expect(refused.answer['detail']).toContain(detail);
      expect(JSON.stringify(refused.answer)).not.toMatch(/l898902c3|AAAA/);
    }
    expect([desk.checked, desk.entries]).toEqual([[], []]);
  });

  test('refuses what cannot be searched as it stands, and says that the disk is full', async () => {
    const notReady = await post('/api/entries', JSON.stringify(entry));
    expect([notReady.status, notReady.answer['code']]).toEqual([400, 'REQUEST_INVALID']);
    desk.typed = () => ({ check: stands });
    desk.full = true;
    const full = await post('/api/entries', JSON.stringify(entry));
    expect([full.status, full.answer['code']]).toEqual([503, 'STORE_FULL']);
  });

  test('tells a reader to read, and says where there is none or it cannot be told', async () => {
    const told = await fetch(`${server.url}/api/readers/counter-1/trigger`, { method: 'POST' });
    expect(told.status).toBe(202);
    expect(desk.triggered).toEqual(['counter-1']);
    const unknown = await post('/api/readers/counter-9/trigger', '');
    expect([unknown.status, unknown.answer['code']]).toEqual([404, 'NOT_FOUND']);
    desk.tell({ readers: [{ id: 'counter-1', state: 'silent', trigger: true }] });
    const silent = await post('/api/readers/counter-1/trigger', '');
    expect([silent.status, silent.answer['code']]).toEqual([503, 'READER_SILENT']);
    expect((await fetch(`${server.url}/api/readers/counter-1/trigger`)).status).toBe(405);
    expect(desk.triggered).toHaveLength(1);
  });

  test.each(['/api/entries', '/api/entries/check', '/api/readers/counter-1/trigger'])(
    'refuses a request to %s that another page made',
    async (path) => {
      const headers = { 'content-type': 'application/json', origin: 'http://elsewhere.example' };
      const body = JSON.stringify(entry);
      const response = await fetch(`${server.url}${path}`, { method: 'POST', headers, body });
      expect(response.status).toBe(403);
      expect([desk.entries, desk.checked, desk.triggered]).toEqual([[], [], []]);
    },
  );

  test('answers with the terminal and the lookups to whoever asks once', async () => {
    const terminal = await fetch(`${server.url}/api/terminal`);
    expect(terminal.headers.get('cache-control')).toBe('no-store');
    expect(await terminal.json()).toEqual(desk.terminal());
    expect(await (await fetch(`${server.url}/api/lookups`)).json()).toEqual(desk.lookups());
  });
});
