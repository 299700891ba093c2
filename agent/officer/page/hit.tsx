import { useState } from 'preact/hooks';
import type { LookupView } from '#contracts/officer.ts';
import type { HitOutcome } from '#contracts/outbox.ts';
import type { Match, Verdict } from '#contracts/verdict.ts';
import { dateWords, referenceWords, timeWords } from '#runtime/page-words.ts';
import { acknowledge } from './api.ts';
import { confirmationWords, lossWords, outcomes, typeWords } from './words.ts';

interface HitProps {
  readonly view: LookupView;
  readonly verdict: Extract<Verdict, { kind: 'hit' | 'possible' }>;
}

/** The record, the reference, what to do, and the outcome that must be recorded. */
export function HitDetails({ view, verdict }: HitProps) {
  const confirmation = confirmationWords[view.confirmation];
  return (
    <>
      <div class="hit-body">
        <section aria-label="Record">
          {verdict.matches.slice(0, 1).map((match) => (
            <Record key="first" match={match} />
          ))}
          {verdict.matches.length > 1 && <p>{moreWords(verdict.matches.slice(1))}</p>}
          {confirmation !== undefined && (
            <p class={`confirmation ${view.confirmation}`} role="status">
              {confirmation}
            </p>
          )}
        </section>
        <section class="steps" aria-label="What to do">
          <p class="reference">
            Reference <b>{referenceWords(view.lookup)}</b>
          </p>
          <ol>
            {(view.late ? lateSteps : steps[verdict.kind]).map((step) => (
              <li key={step}>{step}</li>
            ))}
          </ol>
        </section>
      </div>
      {view.acknowledged === null ? <Outcomes lookup={view.lookup} /> : <Recorded {...view.acknowledged} />}
    </>
  );
}

const steps: Record<'hit' | 'possible', readonly string[]> = {
  hit: [
    'Keep the document and stay calm; call a second officer.',
    'Call the bureau and say the reference.',
    'Record the outcome here.',
  ],
  possible: [
    'Compare the numbers letter by letter.',
    'Call the bureau and say the reference. Keep the document until it answers.',
    'Record the outcome here.',
  ],
};
const lateSteps = [
  'This document was here before; the hit was found only now.',
  'Call the bureau at once and say the reference.',
  'Record the outcome here.',
];

/** How many more records match, and under which numbers where those are others than the one read. */
function moreWords(matches: readonly Match[]): string {
  const numbers = matches.flatMap(({ number }) => (number === undefined ? [] : [number]));
  const others = numbers.length === 0 ? '' : `, under ${[...new Set(numbers)].join(', ')}`;
  return `And ${matches.length} more ${matches.length === 1 ? 'record' : 'records'}${others}.`;
}

function Record({ match: { record } }: { readonly match: Match }) {
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['Recorded as', `${lossWords(record.kindOfLoss)} (${typeWords[record.documentType].toLowerCase()})`],
    ['Reported', `${dateWords(record.reportedOn)} by ${record.reportedBy}`],
    ['Lost on', record.lostOn === undefined ? undefined : dateWords(record.lostOn)],
    ['Record', record.record],
    ['National reference', record.reference],
    ['Remark', record.remark],
  ];
  return (
    <dl class="record">
      {rows
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

/**
 * A number key only moves to an outcome (`app.tsx`); Enter or a click records it. A reader that types like a keyboard
 * sends digits too, and one of those alone must not settle a hit.
 */
function Outcomes({ lookup }: { readonly lookup: string }) {
  const [trouble, setTrouble] = useState<string>();
  const [busy, setBusy] = useState(false);
  const record = (outcome: HitOutcome): void => {
    if (busy) return;
    setBusy(true);
    void acknowledge(lookup, outcome)
      .then(setTrouble)
      .finally(() => setBusy(false));
  };
  return (
    <div class="outcomes" role="group" aria-label="Outcome" aria-busy={busy}>
      {trouble !== undefined && (
        <p class="trouble" role="alert">
          {trouble}
        </p>
      )}
      <p class="ask">
        <b>Outcome</b>
        <br />
        then <kbd>Enter</kbd>
      </p>
      {outcomes.map(({ outcome, words }, at) => (
        <button key={outcome} type="button" onClick={() => record(outcome)}>
          <kbd>{at + 1}</kbd> {words}
        </button>
      ))}
    </div>
  );
}

function Recorded({ at, officer, outcome }: NonNullable<LookupView['acknowledged']>) {
  const words = outcomes.find((one) => one.outcome === outcome)?.words ?? outcome;
  return (
    <p class="outcome-recorded">
      Outcome recorded: <b>{words}</b>, {timeWords(at)}, officer {officer}.
    </p>
  );
}
