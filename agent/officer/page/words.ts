import type { ReaderState } from '#contracts/health.ts';
import type { Confirmation, LookupView, ShownDocument, TerminalView } from '#contracts/officer.ts';
import type { HitOutcome } from '#contracts/outbox.ts';
import type { KindOfLoss, Verdict } from '#contracts/verdict.ts';
import { ageWords, boundWords, dayWords } from '#runtime/page-words.ts';

/** How a lookup looks: one for each thing that an officer must tell apart from across the room. */
export type Look =
  | 'searching'
  | 'hit'
  | 'possible'
  | 'no-record'
  | 'no-record-copy'
  | 'unresolved'
  | 'unreadable';

/** What this page does not know is doubt, never `no-record`. */
export function lookOf({ phase, verdict }: Pick<LookupView, 'phase' | 'verdict'>): Look {
  if (verdict === null) return phase === 'searching' ? 'searching' : 'unresolved';
  switch (verdict.kind) {
    case 'hit':
    case 'possible':
    case 'unreadable':
      return verdict.kind;
    case 'no-record':
      return verdict.basis === 'central' ? 'no-record' : 'no-record-copy';
    default:
      return 'unresolved';
  }
}

const losses: Record<KindOfLoss, string> = {
  stolen: 'stolen',
  lost: 'lost',
  revoked: 'revoked',
  invalid: 'invalid',
  'stolen-blank': 'stolen blank',
};

export function lossWords(kind: KindOfLoss): string {
  return losses[kind];
}

/** The big words. */
export function titleOf(view: LookupView): string {
  const { verdict } = view;
  switch (lookOf(view)) {
    case 'searching':
      return 'Searching';
    case 'hit':
      return verdict?.kind === 'hit' && verdict.matches[0] !== undefined
        ? `Hit: recorded as ${lossWords(verdict.matches[0].record.kindOfLoss)}`
        : 'Hit';
    case 'possible':
      return 'Possible hit';
    case 'no-record':
      return 'No record';
    case 'no-record-copy':
      return verdict?.kind === 'no-record' && verdict.basis === 'cache'
        ? 'No record, said earlier'
        : 'No record in the copy';
    case 'unreadable':
      return 'Not readable';
    case 'unresolved':
    default:
      return verdict?.kind === 'unresolved' && verdict.reason === 'number-doubtful'
        ? 'Unresolved: number in doubt'
        : 'Unresolved: not checked';
  }
}

/** Who answered and how old that is, or undefined where nobody did. */
export function basisWords(verdict: Verdict | null, now: Date): string | undefined {
  if (verdict === null || !('basis' in verdict)) return undefined;
  const { basis, source, age } = verdict;
  const known = `the collection of ${dayWords(source.date, now)}, ${boundWords(age)}`;
  switch (basis) {
    case 'central':
      return `Answered by the centre, from ${known}.`;
    case 'edition':
      return `Answered by the offline copy of ${dayWords(source.date, now)}, ${boundWords(age)}.`;
    case 'cache':
    default:
      return `Answered from what the centre said a little earlier, from ${known}.`;
  }
}

export const typeWords: Record<ShownDocument['documentType'], string> = {
  passport: 'Passport',
  'identity-card': 'Identity card',
  visa: 'Visa',
  other: 'Travel document',
};

export const outcomes: readonly { readonly outcome: HitOutcome; readonly words: string }[] = [
  { outcome: 'document-held', words: 'Document held' },
  { outcome: 'passed-to-bureau', words: 'Passed to bureau' },
  { outcome: 'false-alarm', words: 'False alarm' },
];

export const confirmationWords: Record<Confirmation, string | undefined> = {
  'not-needed': undefined,
  asked: 'The centre is being asked to confirm.',
  agrees: 'The centre confirms it.',
  disagrees: 'The centre disagrees, ask the bureau. It stays a hit.',
  'no-answer': 'The centre has not confirmed it yet.',
};

export const readerWords: Record<ReaderState, string> = {
  ready: 'ready',
  absent: 'not plugged in',
  refused: 'cannot be opened',
  noise: 'sends noise',
  silent: 'does not answer',
};

/** One sentence for those who hear the page. */
export function spoken(view: LookupView, now: Date): string {
  const training = view.training ? 'Training, not a real check' : undefined;
  return [training, titleOf(view), basisWords(view.verdict, now)]
    .filter((part) => part !== undefined)
    .join('. ');
}

/** How long ago something was, for a verdict that stays on the page. */
export function agoWords(instant: string, now: number): string {
  const seconds = Math.max(0, (now - Date.parse(instant)) / 1000);
  return seconds < 60 ? 'just now' : `${ageWords(seconds)} ago`;
}

/** Date and age of the copy. The age was true at `saidAt`; shown as it was said, the copy would look younger than it is. */
export function copyWords(
  { source, age }: NonNullable<TerminalView['edition']>,
  saidAt: string,
  now: Date,
): string {
  const since = Math.max(0, Math.floor((now.getTime() - Date.parse(saidAt)) / 1000));
  return `of ${dayWords(source.date, now)}, ${boundWords({ ...age, seconds: age.seconds + since })}`;
}
