import type { LookupView } from '#contracts/officer.ts';
import { cleanPassport, passport, stolenPassport } from '#test/rigs/documents.ts';
import { eventually } from '#test/rigs/eventually.ts';
import type { Stack } from '#test/rigs/stack.ts';

/** What the demo can show, each by doing it to real parts. */
export interface Scene {
  readonly key: string;
  readonly title: string;
  play(stack: Stack): Promise<void> | void;
}

/** Puts a document on the reader once it reads: told to by the terminal, or by the officer where it waits for one. */
const swipe = async (
  { reader, officerUrl, terminalView }: Stack,
  lines: readonly string[],
): Promise<void> => {
  const { protocol } = reader.profile;
  const waits = protocol.kind === 'listen' && protocol.trigger?.mode === 'on-demand';
  await eventually(
    async () => {
      if (reader.listening) return true;
      const [one] = waits ? (await terminalView()).readers : [];
      if (one !== undefined) await fetch(`${officerUrl}/api/readers/${one.id}/trigger`, { method: 'POST' });
      return reader.listening;
    },
    { what: 'the reader being told to read', everyMs: 100 },
  );
  await reader.present(lines);
};

export const scenes: readonly Scene[] = [
  {
    key: '1',
    title: 'swipe a passport that is recorded as stolen',
    play: (stack) => swipe(stack, stolenPassport),
  },
  {
    key: '2',
    title: 'swipe a passport that is not recorded',
    play: (stack) => swipe(stack, cleanPassport),
  },
  {
    key: '3',
    title: 'swipe a passport whose number looks like a recorded one',
    play: (stack) => swipe(stack, lookAlikePassport),
  },
  {
    key: '4',
    title: 'swipe badly: half a line is missing',
    play: (stack) => swipe(stack, [stolenPassport[0], stolenPassport[1].slice(0, 17)]),
  },
  {
    key: '5',
    title: 'swipe a passport whose number was misread: its check digit does not hold',
    play: (stack) => swipe(stack, misreadPassport),
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
  { key: 'e', title: 'remove the offline copy', play: (stack) => stack.removeEdition() },
  { key: 'p', title: 'publish the offline copy again', play: (stack) => stack.publishEdition() },
  { key: 'u', title: 'unplug the reader', play: (stack) => stack.reader.unplug() },
  { key: 'r', title: 'plug the reader in again', play: (stack) => stack.reader.replug() },
];

/** A number that the check digit cannot tell from one in the specimen collection. */
export const lookAlikePassport = passport('SPECLOOK6');

/** The unrecorded one, a 2 of its number read as Z: nobody can tell what was searched. */
const misreadPassport = [cleanPassport[0], cleanPassport[1].replace('X734211K5', 'X734Z11K5')];

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
