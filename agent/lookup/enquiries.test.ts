import { createSecretKey } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AuditEvent } from '#contracts/audit.ts';
import type { TravelDocument } from '#contracts/documents.ts';
import type { EditionRecord } from '#contracts/edition.ts';
import type { LookupRequest, LookupResponse } from '#contracts/lookup.ts';
import { typedReader } from '#contracts/names.ts';
import type { LookupView } from '#contracts/officer.ts';
import type { OwedItem } from '#contracts/outbox.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { monotonic, ms, seconds } from '#contracts/units.ts';
import { readNamedSecret } from '#formats/keyed.ts';
import { silentLog } from '#runtime/log.ts';
import { TestClock } from '#runtime/test-clock.ts';
import { TrustedTime } from '#runtime/trusted-time.ts';
import { openStore, type Store } from '../store/index.ts';
import type { Reading } from '#contracts/documents.ts';
import { Enquiries } from './enquiries.ts';
import { stampOf } from './happenings.ts';
import { KeptLookups } from './kept.ts';
import type { Happening, LinkState } from './ports.ts';

const secret = readNamedSecret({ id: '1', secret: '11'.repeat(32) });
const stolen: EditionRecord = {
  documentType: 'passport',
  kindOfLoss: 'stolen',
  reportedOn: '2026-01-02',
  reportedBy: 'UTO',
};
const source = { collection: 'sltd', version: 7, date: '2026-01-15T06:00:00.000Z', count: 12 } as const;

function specimen(documentNumber: string, variants: string[] = []): Reading {
  const document: TravelDocument = {
    format: 'TD3',
    documentCode: 'P',
    issuingState: 'UTO',
    documentNumber,
    variants,
    doubtful: [],
    repairs: [],
    names: { primary: 'ERIKSSON', secondary: 'ANNA MARIA', truncated: false },
    nationality: 'UTO',
    sex: 'F',
    birth: { raw: '740812', iso: '1974-08-12' },
    expiry: { raw: '120415', iso: '2012-04-15' },
    optional: [],
    checks: { number: true },
  };
  return { kind: 'document', document, warnings: ['specimen'] };
}

/** The same document where the check digit of its number does not hold. */
function doubtful(documentNumber: string, places: number[]): Reading {
  const reading = specimen(documentNumber);
  if (reading.kind !== 'document') throw new TypeError('a specimen is a document');
  const document = { ...reading.document, doubtful: places, checks: { number: false } };
  return { ...reading, document, warnings: ['number-check-digit'] };
}

/** A bench on which the room stands with a real store and ports that the test moves by hand. */
class Bench {
  readonly clock = new TestClock('2026-01-15T08:00:00.000Z');
  readonly folder = mkdtempSync(join(tmpdir(), 'checkpost-lookup-'));
  readonly store: Store;
  readonly shown: LookupView[] = [];
  readonly recorded: AuditEvent[] = [];
  readonly owed: OwedItem[] = [];
  readonly asked: LookupRequest[] = [];
  readonly order: string[] = [];
  readonly concluded: LookupView[] = [];
  link: LinkState = 'up';
  /** Keys in the edition; undefined where there is none. */
  edition: Map<string, EditionRecord[]> | undefined = new Map();
  /** How the centre answers; the default knows nothing. */
  answer: (request: LookupRequest) => Promise<Result<LookupResponse>> = (request) =>
    Promise.resolve(ok({ lookup: request.lookup, source, time: '2026-01-15T08:00:00.000Z', candidates: [] }));
  recording: Result<void> = ok(undefined);
  readonly time: TrustedTime;
  readonly enquiries: Enquiries;
  #linkListener: (state: LinkState) => void = () => {};
  #ids = 0;

  constructor(verified = true) {
    const opened = openStore(join(this.folder, 'test.db'));
    if (!opened.ok) throw new Error(opened.fault.detail);
    this.store = opened.value;
    this.time = new TrustedTime({
      clock: this.clock,
      boot: 'b',
      memory: { read: () => undefined, write: () => {} },
    });
    if (verified) this.time.verify(this.clock.wall(), this.clock.monotonic());
    this.enquiries = this.build();
  }

  build(): Enquiries {
    return new Enquiries({
      central: {
        state: () => this.link,
        ask: (request) => {
          this.asked.push(request);
          return this.answer(request);
        },
        onState: (listener) => {
          this.#linkListener = listener;
        },
        close: () => Promise.resolve(),
      },
      edition: () => {
        const keys = this.edition;
        if (keys === undefined) return undefined;
        return {
          describe: () => ({ ...source, fingerprintKey: '1', signedBy: 'k', bytes: 1 }),
          search: (key) => keys.get(key) ?? [],
        };
      },
      recorder: { record: (happening) => this.record(happening) },
      kept: new KeptLookups({ store: this.store, key: createSecretKey(Buffer.alloc(32, 7)), log: silentLog }),
      time: this.time,
      clock: this.clock,
      stamp: () => stampOf(this.time, this.clock, 'b'),
      newId: () => `019bc000-0000-7000-8000-${String(++this.#ids).padStart(12, '0')}`,
      digest: secret,
      officer: () => 'unassigned',
      policy: { maxAge: seconds(172_800), cacheMaxAge: seconds(600), repeat: ms(3000) },
      log: silentLog,
      concluded: (view) => this.concluded.push(view),
      show: (view) => {
        this.shown.push(view);
        this.order.push(`show ${view.phase} ${view.verdict?.kind ?? ''}`.trim());
      },
    });
  }

  record({ event, owed, keep }: Happening): Result<void> {
    if (!this.recording.ok) return this.recording;
    return this.store.transaction(() => {
      this.recorded.push(event);
      this.owed.push(...owed);
      this.order.push(`record ${event.kind}`);
      keep?.();
    });
  }

  setLink(state: LinkState): void {
    this.link = state;
    this.#linkListener(state);
  }

  swipe(reading: Reading, reader = 'counter-1'): Promise<void> {
    return this.enquiries.take(reading, reader, monotonic(this.clock.monotonic()));
  }

  /** The centre has these numbers recorded. */
  records(...numbers: string[]): void {
    this.answer = ({ lookup }) => {
      const candidates = numbers.map((number) => ({ number, record: stolen }));
      return Promise.resolve(ok({ lookup, source, time: '2026-01-15T08:00:00.000Z', candidates }));
    };
  }

  close(): void {
    this.store.close();
    rmSync(this.folder, { recursive: true });
  }

  last(): LookupView {
    const view = this.shown.at(-1);
    if (view === undefined) throw new Error('nothing was shown');
    return view;
  }
}

const unreachable = () => Promise.resolve(fail('CENTRAL_UNREACHABLE', 'refused'));

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => {
  bench.close();
});

describe('the way of a document', () => {
  test('a local hit is final at once and recorded before it is shown; the centre is asked to confirm', async () => {
    bench.edition?.set('UTO|L898902C3', [stolen]);
    let confirm: (value: Result<LookupResponse>) => void = () => {};
    bench.answer = () => new Promise((resolve) => (confirm = resolve));
    await bench.swipe(specimen('L898902C3'));
    expect(bench.order).toEqual(['record lookup', 'show final hit']);
    expect(bench.last()).toMatchObject({
      verdict: { kind: 'hit', basis: 'edition', recorded: true },
      confirmation: 'asked',
    });
    expect(bench.owed).toMatchObject([
      { kind: 'hit', document: { documentNumber: 'L898902C3' }, late: false },
    ]);
    confirm(
      ok({
        lookup: bench.last().lookup,
        source,
        time: '2026-01-15T08:00:00.000Z',
        candidates: [{ number: 'L898902C3', record: stolen }],
      }),
    );
    await bench.clock.advance(1);
    expect(bench.last().confirmation).toBe('agrees');
  });

  test('while the centre is asked the look is searching, then no-record with basis central', async () => {
    await bench.swipe(specimen('L898902C3'));
    expect(bench.order).toEqual(['show searching', 'record lookup', 'show final no-record']);
    expect(bench.last().verdict).toMatchObject({
      kind: 'no-record',
      basis: 'central',
      age: { seconds: 7200 },
    });
  });

  test('with the link known to be down the edition answers at once and the centre is not asked', async () => {
    bench.link = 'down';
    await bench.swipe(specimen('L898902C3'));
    expect(bench.order).toEqual(['record lookup', 'show final no-record']);
    expect(bench.asked).toEqual([]);
    expect(bench.last().verdict).toMatchObject({
      kind: 'no-record',
      basis: 'edition',
      age: { seconds: 7200, bound: 'exact' },
    });
  });

  test('with neither centre nor edition the document is unresolved, never no-record', async () => {
    bench.answer = unreachable;
    bench.edition = undefined;
    await bench.swipe(specimen('L898902C3'));
    expect(bench.last().verdict).toMatchObject({ kind: 'unresolved', reason: 'no-basis' });
  });

  test('until the time is verified in this boot, no-record from the edition is unresolved', async () => {
    bench.close();
    bench = new Bench(false);
    bench.link = 'down';
    await bench.swipe(specimen('L898902C3'));
    expect(bench.last().verdict).toMatchObject({
      kind: 'unresolved',
      reason: 'clock-unverified',
      age: { bound: 'at-least' },
    });
  });

  test('a look-alike in the collection is possible, with the number that matched', async () => {
    bench.link = 'down';
    bench.edition?.set('UTO|L898902G3', [stolen]);
    await bench.swipe(specimen('L898902C3', ['L898902G3']));
    expect(bench.last().verdict).toMatchObject({
      kind: 'possible',
      matches: [{ kind: 'variant', number: 'L898902G3' }],
    });
  });

  test('a frame that is no document is unreadable and on record, without a number', async () => {
    await bench.swipe({ kind: 'unreadable', reason: 'line-count', spots: [] });
    expect(bench.order).toEqual(['record lookup', 'show final unreadable']);
    expect(bench.recorded[0]).not.toHaveProperty('document');
  });

  test('the record holds a digest and never the number or a name', async () => {
    await bench.swipe(specimen('L898902C3'));
    const text = JSON.stringify(bench.recorded);
    expect(text).toMatch(/"digest":"1:[0-9a-f]{32}"/);
    expect(text).not.toMatch(/L898902C3|ERIKSSON/);
  });

  test('no name and no date leaves for the centre: only state, numbers and type', async () => {
    await bench.swipe(specimen('L898902C3'));
    expect(bench.asked).toEqual([
      {
        lookup: expect.any(String),
        collection: 'sltd',
        issuingState: 'UTO',
        numbers: ['L898902C3'],
        documentType: 'passport',
        purpose: 'first',
        training: false,
      },
    ]);
  });
});

describe('a number whose check digit does not hold', () => {
  test('is unresolved where the centre has no record of it, and is not asked for again', async () => {
    await bench.swipe(doubtful('L898902C3', [2]));
    expect(bench.last()).toMatchObject({
      document: { documentNumber: 'L898902C3', doubtful: [2] },
      verdict: { kind: 'unresolved', reason: 'number-doubtful', age: { seconds: 7200 }, recorded: true },
    });
    expect(bench.recorded).toMatchObject([{ verdict: 'unresolved', reason: 'number-doubtful' }]);
    bench.setLink('up');
    await bench.clock.advance(60_000);
    expect(bench.asked).toHaveLength(1);
  });

  test('is unresolved at once where the edition has no record of it', async () => {
    bench.link = 'down';
    await bench.swipe(doubtful('L898902C3', []));
    expect(bench.order).toEqual(['record lookup', 'show final unresolved']);
    expect(bench.last().verdict).toMatchObject({ reason: 'number-doubtful' });
  });

  test('stays unresolved when the link is back and the centre has no record either, and is asked once', async () => {
    bench.link = 'down';
    await bench.swipe(doubtful('L898902C3', [2]));
    bench.build();
    bench.setLink('up');
    await bench.clock.advance(1);
    expect(bench.last()).toMatchObject({
      late: false,
      verdict: { kind: 'unresolved', reason: 'number-doubtful' },
    });
    bench.setLink('up');
    await bench.clock.advance(60_000);
    expect(bench.asked).toMatchObject([{ purpose: 'recheck' }]);
    expect(bench.owed).toEqual([]);
  });

  test('is a late hit where the centre has a record of it when the link is back', async () => {
    bench.link = 'down';
    await bench.swipe(doubtful('L898902C3', [2]));
    bench.records('L898902C3');
    bench.setLink('up');
    await bench.clock.advance(1);
    expect(bench.last()).toMatchObject({ late: true, verdict: { kind: 'hit', basis: 'central' } });
    expect(bench.owed).toMatchObject([{ kind: 'hit', late: true }]);
  });

  test('is a hit where it is recorded all the same', async () => {
    bench.edition?.set('UTO|L898902C3', [stolen]);
    await bench.swipe(doubtful('L898902C3', [2]));
    expect(bench.shown[0]?.verdict).toMatchObject({ kind: 'hit' });
  });

  test('does not hide the better read that follows within three seconds', async () => {
    await bench.swipe(doubtful('L898902C3', [2]));
    await bench.clock.advance(1000);
    await bench.swipe(specimen('L898902C3'));
    expect(bench.last().verdict).toMatchObject({ kind: 'no-record', basis: 'central' });
    expect(bench.asked).toHaveLength(2);
  });
});

describe('what an officer types', () => {
  test('is searched and recorded like what a reader read, under the reader "typed"', async () => {
    bench.records('L898902C3');
    await bench.swipe(specimen('L898902C3'), typedReader);
    expect(bench.last()).toMatchObject({ reader: 'typed', verdict: { kind: 'hit' } });
    expect(bench.recorded).toMatchObject([{ kind: 'lookup', reader: 'typed' }]);
    expect(bench.owed).toMatchObject([{ kind: 'hit', reader: 'typed' }]);
  });

  test('is a lookup of its own beside a swipe of the same document, but typing it twice is one', async () => {
    await bench.swipe(specimen('L898902C3'));
    await bench.swipe(specimen('L898902C3'), typedReader);
    await bench.swipe(specimen('L898902C3'), typedReader);
    const readers = new Map(bench.shown.map(({ lookup, reader }) => [lookup, reader]));
    expect([...readers.values()]).toEqual(['counter-1', 'typed']);
  });
});

describe('what was read of an unreadable document', () => {
  const partial = {
    line: 2,
    text: `L898902C36UTO74081${'_'.repeat(26)}`,
    issuingState: 'UTO',
    documentType: 'passport',
  } as const;

  test('is shown, and neither recorded nor owed nor kept on disk', async () => {
    const spots = [{ line: 2, from: 19, to: 44 }];
    await bench.swipe({ kind: 'unreadable', reason: 'line-length', spots, partial });
    expect(bench.last()).toMatchObject({ partial, verdict: { kind: 'unreadable', spots } });
    expect(JSON.stringify([bench.recorded, bench.owed])).not.toContain('L898902C3');
    expect(bench.store.all('SELECT * FROM recheck UNION ALL SELECT * FROM open_hits')).toEqual([]);
  });
});

test('How many characters were put right is shown, and which number is in doubt only where one is', async () => {
  const reading = specimen('L898902C3');
  if (reading.kind !== 'document') throw new TypeError('a specimen is a document');
  const repairs = [{ line: 2, column: 14, from: 'O', to: '0' }];
  await bench.swipe({ ...reading, document: { ...reading.document, repairs }, warnings: ['repaired'] });
  expect(bench.last().document).toMatchObject({ repairs: 1 });
  expect(bench.last().document).not.toHaveProperty('doubtful');
  await bench.swipe(specimen('D23145890'));
  expect(bench.last().document).not.toHaveProperty('repairs');
});

describe('recording that fails', () => {
  beforeEach(() => {
    bench.recording = fail('STORE_FULL', 'disk full');
  });

  test('turns no-record into unresolved', async () => {
    await bench.swipe(specimen('L898902C3'));
    expect(bench.last().verdict).toMatchObject({
      kind: 'unresolved',
      reason: 'not-recorded',
      recorded: false,
    });
    expect(bench.enquiries.recordingFails).toBe(true);
  });

  test('shows a hit all the same, marked as not recorded, and records it when recording works again', async () => {
    bench.link = 'down';
    bench.edition?.set('UTO|L898902C3', [stolen]);
    bench.answer = unreachable;
    await bench.swipe(specimen('L898902C3'));
    expect(bench.shown[0]?.verdict).toMatchObject({ kind: 'hit', recorded: false });
    bench.recording = ok(undefined);
    await bench.swipe({ kind: 'unreadable', reason: 'empty', spots: [] });
    expect(bench.recorded.map(({ kind }) => kind)).toContain('lookup');
    expect(bench.owed.filter(({ kind }) => kind === 'hit')).toHaveLength(1);
    expect(bench.enquiries.recordingFails).toBe(false);
  });
});

describe('two frames of one document', () => {
  test('within three seconds are one lookup, shown again', async () => {
    await bench.swipe(specimen('L898902C3'));
    await bench.clock.advance(2900);
    await bench.swipe(specimen('L898902C3'));
    expect(bench.asked).toHaveLength(1);
    expect(new Set(bench.shown.map(({ lookup }) => lookup)).size).toBe(1);
  });

  test('the second is shown as the one that is on the reader now, and its own reader is told of it', async () => {
    await bench.swipe(specimen('L898902C3'));
    await bench.enquiries.take(specimen('L898902C3'), 'booth-2', monotonic(bench.clock.monotonic()));
    expect(bench.last()).toMatchObject({ presented: 2, reader: 'counter-1' });
    expect(bench.concluded.map(({ reader }) => reader)).toEqual(['counter-1', 'booth-2']);
  });

  test('the moments count from the first: a document that is swiped every two seconds for an hour is asked for again and again', async () => {
    bench.link = 'down';
    for (let swipe = 0; swipe < 10; swipe++) {
      await bench.swipe(specimen('L898902C3'));
      await bench.clock.advance(2000);
    }
    expect(bench.recorded.filter(({ kind }) => kind === 'lookup')).toHaveLength(5);
  });

  test('a better read with other look-alikes is a lookup of its own, and its possible hit is not lost', async () => {
    bench.link = 'down';
    bench.edition?.set('UTO|L898902C3', [stolen]);
    await bench.swipe(specimen('L8989O2C3'));
    await bench.clock.advance(1500);
    await bench.swipe(specimen('L8989O2C3', ['L898902C3']));
    expect(bench.last().verdict).toMatchObject({ kind: 'possible' });
  });

  test('a document that nobody could answer, or whose answer is not on record, is never a repeat', async () => {
    bench.answer = unreachable;
    bench.edition = undefined;
    await bench.swipe(specimen('L898902C3'));
    bench.edition = new Map([['UTO|L898902C3', [stolen]]]);
    bench.recording = fail('STORE_FULL', 'disk full');
    await bench.swipe(specimen('L898902C3'));
    expect(bench.last().verdict).toMatchObject({ kind: 'hit', recorded: false });
    bench.recording = ok(undefined);
    await bench.swipe(specimen('L898902C3'));
    expect(bench.last().verdict).toMatchObject({ kind: 'hit', recorded: true });
  });

  test('further apart are two lookups, and another document is always its own', async () => {
    await bench.swipe(specimen('L898902C3'));
    await bench.swipe(specimen('D23145890'));
    await bench.clock.advance(3100);
    await bench.swipe(specimen('L898902C3'));
    expect(bench.asked).toHaveLength(3);
  });
});

describe('when the link comes back', () => {
  test('a no-record of the edition is asked again, and a hit found then is a late hit, owed once', async () => {
    bench.link = 'down';
    await bench.swipe(specimen('L898902C3'));
    bench.answer = (request) =>
      Promise.resolve(
        ok({
          lookup: request.lookup,
          source,
          time: '2026-01-15T08:00:00.000Z',
          candidates: [{ number: 'L898902C3', record: stolen }],
        }),
      );
    bench.setLink('up');
    await bench.clock.advance(1);
    expect(bench.asked).toMatchObject([{ purpose: 'recheck' }]);
    expect(bench.last()).toMatchObject({ late: true, verdict: { kind: 'hit', basis: 'central' } });
    expect(bench.owed).toMatchObject([{ kind: 'hit', late: true }]);
    bench.setLink('up');
    await bench.clock.advance(60_000);
    expect(bench.asked).toHaveLength(1);
  });

  test('a restart in between loses no question', async () => {
    bench.link = 'down';
    await bench.swipe(specimen('L898902C3'));
    bench.build();
    bench.setLink('up');
    await bench.clock.advance(1);
    expect(bench.asked).toMatchObject([{ purpose: 'recheck', numbers: ['L898902C3'] }]);
  });

  test('a local hit that the centre does not have stays a hit, and both sides know of the disagreement', async () => {
    bench.edition?.set('UTO|L898902C3', [stolen]);
    await bench.swipe(specimen('L898902C3'));
    await bench.clock.advance(1);
    expect(bench.last()).toMatchObject({ confirmation: 'disagrees', verdict: { kind: 'hit' } });
    expect(bench.owed).toMatchObject([{ kind: 'hit' }, { kind: 'confirmation', result: 'disagrees' }]);
  });

  test('an answer that timed out while the link stays up is asked for again', async () => {
    bench.answer = () => Promise.resolve(fail('CENTRAL_TIMEOUT', 'late'));
    await bench.swipe(specimen('L898902C3'));
    expect(bench.last().verdict).toMatchObject({ kind: 'no-record', basis: 'edition' });
    await bench.clock.advance(10_000);
    expect(bench.asked.map(({ purpose }) => purpose)).toEqual(['first', 'recheck']);
  });
});

describe('a hit', () => {
  test('stays open until it is acknowledged, also over a restart, and is acknowledged once', async () => {
    bench.edition?.set('UTO|L898902C3', [stolen]);
    bench.answer = unreachable;
    await bench.swipe(specimen('L898902C3'));
    const again = bench.build();
    const [open] = again.views();
    expect(open?.verdict?.kind).toBe('hit');
    const lookup = open?.lookup ?? '';
    expect(again.acknowledge(lookup, 'document-held')).toMatchObject({
      ok: true,
      value: { acknowledged: { outcome: 'document-held' } },
    });
    expect(again.acknowledge(lookup, 'false-alarm')).toMatchObject({
      ok: true,
      value: { acknowledged: { outcome: 'document-held' } },
    });
    expect(bench.owed.filter(({ kind }) => kind === 'hit-acknowledged')).toHaveLength(1);
    expect(bench.build().views()).toEqual([]);
  });

  test('cannot be acknowledged where there is none', () => {
    expect(
      bench.enquiries.acknowledge('019bc000-0000-7000-8000-0000000000ff', 'document-held'),
    ).toMatchObject({ ok: false, fault: { code: 'NOT_FOUND' } });
  });

  test('a recent answer of the centre serves for the minutes after the link has gone, as cache', async () => {
    await bench.swipe(specimen('L898902C3'));
    await bench.clock.advance(5000);
    bench.link = 'down';
    await bench.swipe(specimen('L898902C3'));
    expect(bench.last().verdict).toMatchObject({ kind: 'no-record', basis: 'cache' });
    await bench.clock.advance(600_000);
    await bench.swipe(specimen('L898902C3'));
    expect(bench.last().verdict).toMatchObject({ kind: 'no-record', basis: 'edition' });
  });
});

test('A reader that sends nothing but noise fills neither the record nor the page; a document that it reads then is answered', async () => {
  for (let read = 0; read < 200; read++) {
    await bench.swipe({ kind: 'unreadable', reason: 'characters', spots: [] });
    await bench.clock.advance(50);
  }
  expect(bench.recorded.length).toBeLessThanOrEqual(10);
  await bench.swipe(specimen('L898902C3'));
  expect(bench.last().verdict).toMatchObject({ kind: 'no-record' });
});

test('What was read of a line is forgotten when the next document is there', async () => {
  const partial = { line: 2, text: 'L898902C36UTO7408'.padEnd(44, '_'), documentType: 'passport' } as const;
  await bench.swipe({ kind: 'unreadable', reason: 'line-length', spots: [], partial });
  expect(bench.enquiries.views()).toMatchObject([{ partial }]);
  await bench.swipe(specimen('L898902C3'));
  for (const view of bench.enquiries.views()) expect(view).not.toHaveProperty('partial');
});
