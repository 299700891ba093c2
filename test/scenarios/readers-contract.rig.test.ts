import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { builtInProfiles } from '#agent/readers/index.ts';
import { systemClock } from '#runtime/clock.ts';
import { passport } from '#test/rigs/documents.ts';
import { eventually } from '#test/rigs/eventually.ts';
import { readerContract } from '#test/rigs/reader-contract/contract.ts';
import { documentOf, openDesk } from '#test/rigs/reader-contract/desk.ts';
import { readerContractByHand } from '#test/rigs/reader-contract/by-hand.ts';
import { startReaderSimulator } from '#test/rigs/reader-simulator/simulator.ts';

// What every family of readers keeps. A pseudo-terminal plays serial readers only; HID readers and keyboards have their
// own ways (umockdev, the virtual machine).
//
// On real hardware, with a person who swipes a specimen when asked to:
//
//     CHECKPOST_READER_PORT=/dev/serial/by-id/… CHECKPOST_READER_PROFILE=elyctis-idbox \
//       vitest run --project integration test/scenarios/readers-contract.rig.test.ts

const port = process.env['CHECKPOST_READER_PORT'];

if (port === undefined) {
  for (const profile of builtInProfiles) if (profile.link.kind === 'serial') readerContract(profile);

  describe('Three readers of different families at one terminal', () => {
    test('read 100 documents each at the same time: none is lost, none is another reader’s', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'checkpost-three-'));
      const names = ['swipe', 'access-is-ocr31x-serial', 'elyctis-idbox'];
      const counters = await Promise.all(
        names.map(async (name, counter) => {
          const profile = builtInProfiles.find((one) => one.name === name);
          if (profile === undefined) throw new Error(`no profile ${name}`);
          const link = join(folder, name);
          const simulator = await startReaderSimulator({ profile, link, clock: systemClock, seed: counter });
          const desk = openDesk({ profile, device: link, id: `counter-${counter}` });
          const all = Array.from({ length: 100 }, (_, at) => passport(`SPEC${counter}${1000 + at}`));
          return { simulator, desk, all, counter };
        }),
      );
      try {
        await Promise.all(
          counters.map(async ({ simulator, desk, all }) => {
            await desk.becomes('ready');
            for (const lines of all) {
              await eventually(() => simulator.listening, { what: 'the reader being armed', everyMs: 2 });
              await simulator.present(lines);
            }
            await eventually(() => desk.seen.length >= 100, { what: '100 frames' });
          }),
        );
        for (const { desk, all, counter } of counters) {
          expect(desk.documents()).toEqual(all.map(documentOf));
          expect(desk.seen.every(({ reader }) => reader === `counter-${counter}`)).toBe(true);
          expect(desk.seen).toHaveLength(100);
          expect(desk.faults).toEqual([]);
        }
      } finally {
        for (const { simulator, desk } of counters) {
          await desk.close();
          await simulator.close();
        }
        rmSync(folder, { recursive: true });
      }
    });
  });
} else {
  const name = process.env['CHECKPOST_READER_PROFILE'] ?? 'swipe';
  const profile = builtInProfiles.find((one) => one.name === name);
  if (profile === undefined) throw new Error(`CHECKPOST_READER_PROFILE: ${name} is no profile that ships`);
  readerContractByHand(profile, port);
}
