import { rmSync } from 'node:fs';
import type { LookupView } from '#contracts/officer.ts';
import { cleanPassport, passport, stolenPassport } from '#test/rigs/documents.ts';
import type { Stack } from '#test/rigs/stack.ts';

/** What the demo can show, each by doing it to real parts. */
export interface Scene {
  readonly key: string;
  readonly title: string;
  play(stack: Stack): Promise<void> | void;
}

const asLines = (lines: readonly string[]): string => `${lines.join('\r')}\r`;

export const scenes: readonly Scene[] = [
  {
    key: '1',
    title: 'swipe a passport that is recorded as stolen',
    play: (stack) => stack.reader.send(asLines(stolenPassport)),
  },
  {
    key: '2',
    title: 'swipe a passport that is not recorded',
    play: (stack) => stack.reader.send(asLines(cleanPassport)),
  },
  {
    key: '3',
    title: 'swipe a passport whose number looks like a recorded one',
    play: (stack) => stack.reader.send(asLines(lookAlikePassport)),
  },
  {
    key: '4',
    title: 'swipe badly: half a line is missing',
    play: (stack) => stack.reader.send(`${stolenPassport[0]}\r${stolenPassport[1].slice(0, 17)}\r`),
  },
  {
    key: 'c',
    title: 'stop the centre, or start it again',
    async play(stack) {
      if (stack.central.running) await stack.central.stop();
      else await stack.central.start();
    },
  },
  {
    key: 'b',
    title: 'stop the broker, or start it again',
    async play(stack) {
      if (stack.broker.running) await stack.broker.stop();
      else await stack.broker.start();
    },
  },
  { key: 'e', title: 'remove the offline copy', play: (stack) => rmSync(stack.editionFile, { force: true }) },
  { key: 'p', title: 'publish the offline copy again', play: (stack) => stack.publishEdition() },
  { key: 'u', title: 'unplug the reader', play: (stack) => stack.reader.unplug() },
  { key: 'r', title: 'plug the reader in again', play: (stack) => stack.reader.replug() },
];

/** A number that the check digit cannot tell from one in the specimen collection. */
export const lookAlikePassport = passport('SPECLOOK6');

/** One line of `--once`: what a machine wants to know of a verdict. */
export function summary(
  view: LookupView,
  swipedAt: number,
  shownAt: number,
): Readonly<Record<string, unknown>> {
  const { verdict } = view;
  const answered = verdict !== null && 'basis' in verdict ? verdict : undefined;
  return {
    lookup: view.lookup,
    document: view.document === null ? null : `${view.document.issuingState} ${view.document.documentNumber}`,
    verdict: verdict?.kind ?? null,
    basis: answered?.basis ?? null,
    ageSeconds: answered?.age.seconds ?? null,
    ageBound: answered?.age.bound ?? null,
    ...(verdict !== null && 'reason' in verdict && { reason: verdict.reason }),
    recorded: verdict?.recorded ?? null,
    warnings: view.warnings,
    at: view.at,
    frameToVerdictMillis: Number(view.elapsedMillis.toFixed(3)),
    swipeToPageMillis: Number((shownAt - swipedAt).toFixed(3)),
  };
}
