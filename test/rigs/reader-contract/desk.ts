import { createLocator, openReader, type Reader } from '#agent/readers/index.ts';
import { readDocument } from '#agent/documents/index.ts';
import type { Reading, TravelDocument } from '#contracts/documents.ts';
import type { Feedback, ReaderProfile } from '#contracts/readers.ts';
import { systemClock } from '#runtime/clock.ts';
import { createLog } from '#runtime/log.ts';
import { eventually } from '../eventually.ts';
import type { Lines } from '../reader-simulator/encode.ts';

/** What the terminal has of one frame. */
export interface Seen {
  readonly reader: string;
  readonly damaged: boolean;
  readonly reading: Reading;
}

/** The terminal's side of a reader: the real one, opened on a device, and all that came of it. */
export interface Desk {
  readonly reader: Reader;
  readonly seen: readonly Seen[];
  /** Documents that an officer would be shown: of whole frames, in the order in which they came. */
  documents(): readonly TravelDocument[];
  /** Codes of the faults that it told. */
  readonly faults: readonly string[];
  /** Its log, at level trace. */
  readonly log: readonly string[];
  becomes(state: ReturnType<Reader['state']>): Promise<void>;
  close(): Promise<void>;
}

export interface DeskOptions {
  readonly profile: ReaderProfile;
  /** Path of the device. */
  readonly device: string;
  readonly id?: string;
  readonly feedback?: Feedback;
}

const today = { year: 2026, month: 11, day: 24 };

export function openDesk({ profile, device, id = 'counter-1', feedback = 'discreet' }: DeskOptions): Desk {
  const seen: Seen[] = [];
  const faults: string[] = [];
  const log: string[] = [];
  const reader = openReader(
    { id, profile, feedback },
    {
      clock: systemClock,
      random: () => 0.5,
      log: createLog('trace', 'test', { write: (line) => log.push(line) }),
      locator: createLocator({
        wanted: [{ id, device, kind: profile.link.kind, replacement: 'refuse' }],
        scan: () => [],
      }),
      listener: {
        frame: (frame) => {
          const { bytes, damaged } = frame;
          seen.push({ reader: frame.reader, damaged, reading: readDocument(bytes, today) });
        },
        state: () => {},
        fault: (fault) => faults.push(fault.code),
      },
    },
  );
  return {
    reader,
    seen,
    faults,
    log,
    documents: () =>
      seen.flatMap(({ reading, damaged }) =>
        reading.kind === 'document' && !damaged ? [reading.document] : [],
      ),
    async becomes(state) {
      await eventually(() => reader.state() === state, {
        what: `the state ${state} (it is ${reader.state()})`,
      });
    },
    close: () => reader.close(),
  };
}

/** Whether the reader reads when an officer asks for it, and not before. */
export function waitsForOfficer({ protocol }: ReaderProfile): boolean {
  return protocol.kind === 'listen' && protocol.trigger?.mode === 'on-demand';
}

/** What these lines say, where they are read without a reader between. */
export function documentOf(lines: Lines): TravelDocument {
  const reading = readDocument(Buffer.from(lines.join('\r')), today);
  if (reading.kind === 'document') return reading.document;
  throw new Error(`the specimen is unreadable: ${reading.reason}`);
}
