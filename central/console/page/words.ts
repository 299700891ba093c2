import type { HitRow, TerminalRow, TimelineEvent } from '#contracts/api/fleet.ts';
import { centreConditions } from '#contracts/api/fleet.ts';
import { conditionNote } from '#contracts/conditions.ts';
import type { ReaderState, UplinkHealth } from '#contracts/health.ts';
import type { HitItem, HitOutcome } from '#contracts/outbox.ts';
import { lineStates, uplinkStates } from '#contracts/uplink.ts';
import { ageWords, boundWords, dayWords, maskNumber, sameDay, timeWords } from '#runtime/page-words.ts';

export interface ConditionWords {
  readonly severity: 'warning' | 'error';
  readonly title: string;
  readonly text: string;
  readonly remedy: string;
}

/** A condition's texts, of a terminal or the centre; one that this release does not know is shown by its code, as an error. */
export function conditionOf(code: string): ConditionWords {
  const note = conditionNote(code);
  if (note !== undefined) return note;
  const known: Readonly<Record<string, Omit<ConditionWords, 'text'>>> = centreConditions;
  const own = Object.hasOwn(known, code) ? known[code] : undefined;
  if (own !== undefined) return { text: '', ...own };
  return {
    severity: 'error',
    title: code,
    text: '',
    remedy: 'This page is older than the terminal; update the centre.',
  };
}

export const stateWords: Record<TerminalRow['state'], string> = {
  online: 'Online',
  suspect: 'Silent',
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

/** For how long something has been so. */
export function forWords(instant: string, now: number): string {
  return `for ${ageWords(Math.max(0, (now - Date.parse(instant)) / 1000))}`;
}

/** The time of a day that is today, else the day with it. */
export function whenWords(instant: string, now: number): string {
  const today = new Date(now);
  return sameDay(instant, today)
    ? timeWords(instant, true)
    : `${dayWords(instant, today)}, ${timeWords(instant)}`;
}

/** How old a terminal's copy is by now. */
export function copyWords(row: TerminalRow, now: number): string {
  if (row.editionDate === null) return row.state === 'never' ? '' : 'no copy';
  return `copy ${ageWords(Math.max(0, (now - Date.parse(row.editionDate)) / 1000))} old`;
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

export const eventMarks: Record<TimelineEvent['severity'], string> = { info: '·', warning: '!', error: '✕' };

/** Where a hit came from and what became of it. */
export function outcomeOf(row: HitRow): string {
  if (row.acknowledged === null) return row.hit.training ? 'Training, no outcome yet' : 'No outcome yet';
  return `${outcomeWords[row.acknowledged.outcome]}, officer ${row.acknowledged.officer}`;
}

/** `12.3 MB`: decimal units, as lines and SIM cards are sold. */
export function bytesWords(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
