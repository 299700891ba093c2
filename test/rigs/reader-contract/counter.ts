import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { ReaderProfile } from '#contracts/readers.ts';
import { ms } from '#contracts/units.ts';
import { pause, systemClock } from '#runtime/clock.ts';
import { eventually } from '../eventually.ts';
import type { Lines } from '../reader-simulator/encode.ts';
import type { FaultName } from '../reader-simulator/faults.ts';
import { type ReaderSimulator, startReaderSimulator } from '../reader-simulator/simulator.ts';
import { type Desk, documentOf, openDesk, waitsForOfficer } from './desk.ts';

export interface CounterOptions {
  readonly faults?: readonly FaultName[];
  readonly seed?: number;
  /** Of the profile; a loaded machine makes silences of its own, which the shortest of the shipped ones do not bear. */
  readonly idleMillis?: number;
}

/** A simulated reader and the terminal that it stands at, connected by a real pseudo-terminal. */
export interface Counter {
  readonly simulator: ReaderSimulator;
  readonly desk: Desk;
  /** Puts a document on the reader when it reads: told to by the terminal, or by the officer where it waits for one. */
  readonly swipe: (lines: Lines, faults?: readonly FaultName[]) => Promise<void>;
  /** So many documents have arrived. */
  readonly shows: (count: number) => Promise<void>;
  /** All that could still come has come: twice the silence that ends a frame. */
  readonly quiet: () => Promise<void>;
  /** These documents arrive, in this order, and no others. */
  readonly expectAll: (all: readonly Lines[]) => Promise<void>;
}

/** Plays something at a counter of its own, and takes it down; no document of it may be in the terminal's log. */
export async function withCounter(
  shipped: ReaderProfile,
  { faults = [], seed = 1, idleMillis = 300 }: CounterOptions,
  play: (counter: Counter) => Promise<void>,
): Promise<void> {
  const profile = { ...shipped, idleMillis };
  const folder = mkdtempSync(join(tmpdir(), 'checkpost-contract-'));
  const link = join(folder, 'reader');
  const simulator = await startReaderSimulator({ profile, link, clock: systemClock, faults, seed });
  const desk = openDesk({ profile, device: link, feedback: 'full' });
  try {
    await eventually(() => desk.reader.state() !== 'absent', { what: 'the reader being opened' });
    await play(counterOf(profile, simulator, desk));
    expect(desk.log.length).toBeGreaterThan(0);
    expect(desk.log.join('')).not.toMatch(/ERIKSSON|L8989|D2314|SPEC\d/);
  } finally {
    await desk.close();
    await simulator.close();
    rmSync(folder, { recursive: true });
  }
}

function counterOf(profile: ReaderProfile, simulator: ReaderSimulator, desk: Desk): Counter {
  const quiet = async (): Promise<void> => {
    await simulator.idle();
    await pause(systemClock, ms(2 * profile.idleMillis));
  };
  const shows = async (count: number): Promise<void> => {
    await eventually(() => desk.documents().length >= count, { what: `${count} documents` }).catch(
      (thrown: Error) => {
        const frames = desk.seen.map(
          ({ reading, damaged }) => `${reading.kind}${damaged ? ', damaged' : ''}`,
        );
        throw new Error(`${thrown.message}; frames: [${frames.join('; ')}], faults: [${desk.faults.join()}]`);
      },
    );
  };
  return {
    simulator,
    desk,
    quiet,
    shows,
    async swipe(lines, faults = []) {
      await eventually(
        () => {
          if (!simulator.listening && waitsForOfficer(profile)) desk.reader.trigger();
          return simulator.listening;
        },
        { what: 'the reader being told to read', everyMs: 50 },
      );
      expect(await simulator.present(lines, faults)).toBe(true);
    },
    async expectAll(all) {
      await shows(all.length);
      await quiet();
      expect(desk.documents()).toEqual(all.map(documentOf));
    },
  };
}
