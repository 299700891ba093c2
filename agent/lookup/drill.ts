import { ms } from '#contracts/units.ts';
import type { LookupView } from '#contracts/officer.ts';
import type { Decision } from './policy.ts';
import type { AuditStamp } from './ports.ts';
import type { Question } from './question.ts';
import { isHit } from './views.ts';

/** In place of a reader's id where nothing was read: no light of a reader is lit for it. */
export const drillReader = 'training-drill';

/** The specimen of ICAO Doc 9303 part 4, of the state that does not exist. */
const number = 'L898902C3';

export const drillQuestion: Question = {
  issuingState: 'UTO',
  numbers: [number],
  documentType: 'passport',
  training: true,
};

/** Whoever has just put a document on the reader looks at its verdict for so long. */
const atTheCounter = ms(15_000);

/** Why no drill may be shown now: it would stand before a verdict that somebody has to see. */
export function drillObjection(views: readonly LookupView[], { at }: AuditStamp): string | undefined {
  const open = views.find(({ verdict, acknowledged }) => isHit(verdict) && acknowledged === null);
  if (open !== undefined)
    return open.training
      ? 'The drill before has not been acknowledged yet.'
      : 'A real hit has not been acknowledged yet.';
  const now = Date.parse(at);
  const recent = views.some((view) => !view.training && Math.abs(now - Date.parse(view.at)) < atTheCounter);
  return recent ? 'There is a document at the counter right now.' : undefined;
}

/** What is shown of a drill before its verdict. */
export function drillView(
  about: Pick<LookupView, 'lookup' | 'officer'>,
  { at, clock }: AuditStamp,
): LookupView {
  return {
    ...about,
    at,
    clock,
    reader: drillReader,
    training: true,
    phase: 'searching',
    document: {
      format: 'TD3',
      documentType: 'passport',
      documentCode: 'P',
      issuingState: drillQuestion.issuingState,
      documentNumber: number,
    },
    warnings: ['specimen'],
    verdict: null,
    confirmation: 'not-needed',
    late: false,
    acknowledged: null,
    elapsedMillis: 0,
  };
}

/** A made-up hit of a collection that has but this one record and no version. */
export function drillDecision({ at }: AuditStamp): Decision {
  return {
    kind: 'hit',
    basis: 'edition',
    source: { collection: 'sltd', version: 0, date: at, count: 1 },
    age: { seconds: 0, bound: 'exact' },
    matches: [
      {
        kind: 'exact',
        record: {
          documentType: drillQuestion.documentType,
          kindOfLoss: 'stolen',
          reportedOn: at.slice(0, 10),
          reportedBy: drillQuestion.issuingState,
          record: 'TRAINING',
          remark: 'Training drill: this record is made up',
        },
      },
    ],
  };
}
