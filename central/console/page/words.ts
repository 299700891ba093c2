import { errors } from '#contracts/errors.ts';
import type { AlertRow, TerminalRow } from '#contracts/console.ts';
import { conditions } from '#contracts/health.ts';
import type { ReaderState, UplinkHealth } from '#contracts/health.ts';
import { lineStates, uplinkStates } from '#contracts/uplink.ts';
import type { HitItem, HitOutcome } from '#contracts/outbox.ts';
import { ageWords, boundWords, maskNumber } from '#runtime/page-words.ts';

/** A condition's texts; one that this release does not know is shown by its code, and as an error. */
export function conditionOf(code: string): {
  readonly severity: 'warning' | 'error';
  readonly title: string;
  readonly remedy: string;
} {
  const known: Readonly<Record<string, (typeof conditions)[keyof typeof conditions]>> = conditions;
  return (
    (Object.hasOwn(known, code) ? known[code] : undefined) ?? {
      severity: 'error',
      title: code,
      remedy: 'This page is older than the terminal; update the centre.',
    }
  );
}

export const stateWords: Record<TerminalRow['state'], string> = {
  online: 'Online',
  offline: 'Offline',
  never: 'Never seen',
};

export const readerWords: Record<ReaderState, string> = {
  ready: 'ready',
  absent: 'not plugged in',
  refused: 'cannot be opened',
  silent: 'does not answer',
  noise: 'sends noise',
};

export const outcomeWords: Record<HitOutcome, string> = {
  'document-held': 'Document held',
  'passed-to-bureau': 'Passed to the bureau',
  'false-alarm': 'False alarm',
};

/** How long ago an instant was, by the centre's clock. */
export function agoWords(instant: string | null, now: number): string {
  if (instant === null) return 'never';
  return `${ageWords(Math.max(0, (now - Date.parse(instant)) / 1000))} ago`;
}

/** How old a terminal's copy is by now. */
export function copyWords(row: TerminalRow, now: number): string {
  const { edition } = row.health;
  if (edition === undefined) return 'not told';
  if (edition === null) return 'none';
  return `${ageWords(Math.max(0, (now - Date.parse(edition.date)) / 1000))} old`;
}

/** The ways out of a site: who carries, then each uplink with how good it is. Nothing where there is no helper. */
export function uplinkWords(uplink: UplinkHealth | null | undefined): readonly UplinkWords[] {
  if (uplink === null || uplink === undefined) return [];
  const { state, uplink: carrying, hub } = uplink;
  const through = [carrying, hub].filter((name) => name !== null).join(' and ');
  const whole =
    state === 'up' && through !== ''
      ? { text: `through ${through}`, amiss: false }
      : { text: uplinkStates[state].title, amiss: state !== 'up' && state !== 'starting' };
  return [whole, ...uplink.uplinks.map(lineWords)];
}

export interface UplinkWords {
  readonly text: string;
  readonly amiss: boolean;
}

function lineWords(line: UplinkHealth['uplinks'][number]): UplinkWords {
  const { title, bad } = lineStates[line.state];
  const figures = [
    ...(line.state === 'up' && line.delayMillis !== null ? [`${line.delayMillis} ms`] : []),
    ...(line.state === 'up' && line.loss !== null && line.loss >= 0.01
      ? [`loses ${Math.round(line.loss * 100)} %`]
      : []),
    ...(line.monthBytes === null ? [] : [`${Math.round(line.monthBytes / 1e6)} MB this month`]),
    ...(line.overBudget ? ['data used up'] : []),
  ];
  // The reasons in brackets stand in the conditions.
  const state = title.replace(/ \(.*\)$/, '');
  return { text: [`${line.name}: ${state}`, ...figures].join(', '), amiss: bad || line.overBudget };
}

export function basisWords({ basis, age }: HitItem): string {
  const who = {
    central: 'the centre',
    edition: 'the offline copy',
    cache: 'an earlier answer of the centre',
  }[basis];
  return `${who}, ${boundWords(age)}`;
}

/** The document of a hit, masked here too, whatever was sent. */
export function documentWords({ document }: HitItem): string {
  return `${document.issuingState} ${maskNumber(document.documentNumber)}`;
}

/** What an alert that is not a hit says. */
export function eventWords(item: Exclude<AlertRow['item'], HitItem>): {
  readonly title: string;
  readonly text: string;
} {
  switch (item.kind) {
    case 'hit-acknowledged':
      return { title: 'Hit acknowledged', text: outcomeWords[item.outcome] };
    case 'confirmation':
      return {
        title: item.result === 'agrees' ? 'Hit confirmed' : 'The centre disagrees with a hit',
        text: item.result === 'agrees' ? 'The centre agrees.' : 'It stays a hit; the bureau must look.',
      };
    case 'audit-head':
      return { title: 'Head of the record', text: `Entry ${item.entry}.` };
    case 'store-replaced':
      return {
        title: 'Database damaged and replaced',
        text: `Keep the file ${item.file} on the terminal for the bureau.`,
      };
    case 'edition-in-use':
      return { title: 'New edition in use', text: `Edition ${item.edition}, ${item.count} records.` };
    case 'edition-refused':
      return {
        title: 'An edition was refused',
        text: `${errors[item.code as keyof typeof errors]?.what ?? item.code} The one in use stays there.`,
      };
    case 'edition-damaged':
      return {
        title: 'The offline copy is damaged',
        text: `Edition ${item.edition}; the terminal fetches it again. Check its disk.`,
      };
    case 'item-damaged':
    default:
      return {
        title: 'A report on the terminal was damaged',
        text: 'Its audit record still says what happened; ask for it.',
      };
  }
}
