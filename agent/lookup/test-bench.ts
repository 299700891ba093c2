import { createSecretKey } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuditEvent } from '#contracts/audit.ts';
import type { Reading, TravelDocument } from '#contracts/documents.ts';
import type { EditionRecord } from '#contracts/edition.ts';
import type { LookupRequest, LookupResponse } from '#contracts/lookup.ts';
import type { LookupView } from '#contracts/officer.ts';
import type { OwedItem } from '#contracts/outbox.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { monotonic, ms, seconds } from '#contracts/units.ts';
import { readNamedSecret } from '#formats/keyed.ts';
import { silentLog } from '#runtime/log.ts';
import { TestClock } from '#runtime/test-clock.ts';
import { TrustedTime } from '#runtime/trusted-time.ts';
import { openStore, type Store } from '../store/index.ts';
import { Enquiries } from './enquiries.ts';
import { stampOf } from './happenings.ts';
import { KeptLookups } from './kept.ts';
import type { Happening, LinkState } from './ports.ts';

const secret = readNamedSecret({ id: '1', secret: '11'.repeat(32) });
/** What the collection says of a stolen passport. */
export const stolen: EditionRecord = {
  documentType: 'passport',
  kindOfLoss: 'stolen',
  reportedOn: '2026-01-02',
  reportedBy: 'UTO',
};
/** The centre's collection, at one version of it. */
export const source = {
  collection: 'sltd',
  version: 7,
  date: '2026-01-15T06:00:00.000Z',
  count: 12,
} as const;

/** A passport of the specimen state under this number, its check digits right. */
export function specimen(documentNumber: string, variants: string[] = []): Reading {
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
export function doubtful(documentNumber: string, places: number[]): Reading {
  const reading = specimen(documentNumber);
  if (reading.kind !== 'document') throw new TypeError('a specimen is a document');
  const document = { ...reading.document, doubtful: places, checks: { number: false } };
  return { ...reading, document, warnings: ['number-check-digit'] };
}

/** A bench on which the room stands with a real store and ports that the test moves by hand. */
export class Bench {
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
  /** Of which keys the edition cannot be read. */
  unreadable: (key: string) => boolean = () => false;
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
          describe: () => ({ ...source, fingerprintKey: '1', bytes: 1 }),
          search: (key) =>
            this.unreadable(key) ? fail('EDITION_DAMAGED', 'a block') : ok(keys.get(key) ?? []),
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

/** How a centre answers that cannot be reached. */
export const unreachable = () => Promise.resolve(fail('CENTRAL_UNREACHABLE', 'refused'));
