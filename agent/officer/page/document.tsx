import { canonicalNumber } from '#contracts/search-key.ts';
import type { LookupView, ShownDocument } from '#contracts/officer.ts';
import type { Verdict } from '#contracts/verdict.ts';
import { dateWords } from '#runtime/page-words.ts';
import { warningOf } from './doubt-words.ts';
import { type Cell, compare, markPlaces, placesWords } from './marks.ts';
import { typeWords } from './words.ts';

interface LineProps {
  readonly document: ShownDocument;
  readonly verdict: Verdict | null;
}

/** What the document says of itself. A recorded number that looks like its own stands below it, character by character. */
export function DocumentLine({ document, verdict }: LineProps) {
  const { issuingState, documentType, format, expiry } = document;
  return (
    <dl class="document">
      <DocumentNumber document={document} recorded={lookAlikeOf(verdict)} />
      <div class="state">
        <dt>State</dt>
        <dd>{issuingState}</dd>
      </div>
      <div>
        <dt>Document</dt>
        <dd>
          {typeWords[documentType]}
          {format !== 'typed' && ` (${format})`}
        </dd>
      </div>
      <div>
        <dt>Expiry</dt>
        <dd>{expiry === undefined ? 'not known' : dateWords(expiry)}</dd>
      </div>
    </dl>
  );
}

/** The recorded number of a possible hit, where it is another one than was read. */
function lookAlikeOf(verdict: Verdict | null): string | undefined {
  return verdict?.kind === 'possible' ? verdict.matches[0]?.number : undefined;
}

interface NumberProps {
  readonly document: ShownDocument;
  readonly recorded: string | undefined;
}

function DocumentNumber({ document: { documentNumber, doubtful }, recorded }: NumberProps) {
  const size = documentNumber.length > 14 ? 'long' : '';
  if (recorded === undefined || recorded === canonicalNumber(documentNumber)) {
    return (
      <div class="number">
        <dt>Number</dt>
        <dd class={size}>
          <Marked cells={markPlaces(documentNumber, doubtful)} what="in doubt" />
        </dd>
      </div>
    );
  }
  const rows = compare(documentNumber, recorded);
  return (
    <div class={`number compared ${size}`}>
      <dt>Read</dt>
      <dd class={size}>
        <Marked cells={rows.read} what="not as recorded" />
      </dd>
      <dt>Recorded</dt>
      <dd class={size}>
        <Marked cells={rows.recorded} what="not as read" />
      </dd>
    </div>
  );
}

function Marked({ cells, what }: { readonly cells: readonly Cell[]; readonly what: string }) {
  const words = placesWords(cells, what);
  return (
    <>
      {cells.map(({ character, marked }, at) =>
        marked ? (
          <mark key={at} title={what}>
            {character}
          </mark>
        ) : (
          character
        ),
      )}
      {words !== '' && <span class="heard"> {words}</span>}
    </>
  );
}

export function Warnings({ view }: { readonly view: LookupView }) {
  if (view.warnings.length === 0) return null;
  return (
    <div class="warnings">
      <span>The document itself:</span>
      <ul>
        {view.warnings.map((warning) => (
          <li key={warning}>{warningOf(warning, view.document)}</li>
        ))}
      </ul>
    </div>
  );
}
