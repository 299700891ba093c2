import type { LookupView, ShownDocument, TerminalView } from '#contracts/officer.ts';
import { boundWords, dateWords, timeWords } from '#runtime/page-words.ts';
import { HitDetails } from './hit.tsx';
import { Icon } from './icons.tsx';
import {
  agoWords,
  basisWords,
  lookOf,
  spoken,
  titleOf,
  typeWords,
  unreadableReasons,
  unresolvedReasons,
  warningWords,
} from './words.ts';

interface PanelProps {
  readonly view: LookupView | undefined;
  readonly terminal: TerminalView;
  /** The terminal's time. */
  readonly now: Date;
}

/** The one big verdict: colour, shape and words, and a layout of its own for each. */
export function VerdictPanel({ view, terminal, now }: PanelProps) {
  if (view === undefined) return <Ready terminal={terminal} />;
  const look = lookOf(view);
  return (
    <article class={`verdict look-${look}`} data-look={look} aria-label="Verdict">
      <p class="heard" role="status" aria-live="assertive">
        {spoken(view, now)}
      </p>
      {view.training && <p class="training">TRAINING, not a real check</p>}
      <div class="top">
        <Icon look={look} />
        <div class="head">
          <h1>{titleOf(view)}</h1>
          <Sub view={view} />
        </div>
        <p class="when">
          <b>{timeWords(view.at, true)}</b> <br />
          {agoWords(view.at, now.getTime())}
        </p>
      </div>
      {view.document !== null && <DocumentLine document={view.document} />}
      <Warnings view={view} />
      {view.verdict?.recorded === false && (
        <p class="unrecorded">
          <b>Not recorded on this terminal.</b> Note time and number on paper and call the bureau.
        </p>
      )}
      <Details view={view} />
      {basisWords(view.verdict, now) !== undefined && <p class="basis">{basisWords(view.verdict, now)}</p>}
    </article>
  );
}

function Ready({ terminal }: { readonly terminal: TerminalView }) {
  const ready = terminal.readers.some((reader) => reader.state === 'ready');
  return (
    <article class="verdict look-ready" data-look="ready" aria-label="Verdict">
      <h1>{ready ? 'Put a document on the reader' : 'No reader is ready'}</h1>
      <p>
        {ready
          ? 'The answer stands here.'
          : 'Plug the reader in and check its cable. Documents cannot be checked until then.'}
      </p>
    </article>
  );
}

/** What the title alone does not say. */
function Sub({ view }: { readonly view: LookupView }) {
  const { verdict } = view;
  if (verdict === null) return <p class="sub">Wait: the centre is being asked.</p>;
  switch (verdict.kind) {
    case 'hit':
      return (
        <p class="sub">{view.late ? 'Found late: the traveller may have left.' : 'Do not hand it back.'}</p>
      );
    case 'possible':
      return (
        <p class="sub">
          {verdict.matches[0]?.kind === 'other-type'
            ? 'The number is recorded for another type of document.'
            : 'A number that looks like this one is recorded.'}
        </p>
      );
    case 'no-record':
      return verdict.basis === 'central' ? (
        <p class="sub">The collection has no such document.</p>
      ) : (
        <p class="sub copy-age">
          {verdict.basis === 'edition' ? 'Offline copy' : 'The centre’s earlier answer'},{' '}
          <b>{boundWords(verdict.age)}</b>
        </p>
      );
    case 'unreadable':
      return <p class="sub">Nothing was checked. Clean the document and swipe it again.</p>;
    case 'unresolved':
    default:
      return <p class="sub">Nobody could answer. This is not a “no record”.</p>;
  }
}

function DocumentLine({ document }: { readonly document: ShownDocument }) {
  const { documentNumber, issuingState, documentType, format, expiry } = document;
  return (
    <dl class="document">
      <div class="number">
        <dt>Number</dt>
        <dd class={documentNumber.length > 14 ? 'long' : ''}>{documentNumber}</dd>
      </div>
      <div class="state">
        <dt>State</dt>
        <dd>{issuingState}</dd>
      </div>
      <div>
        <dt>Document</dt>
        <dd>
          {typeWords[documentType]} ({format})
        </dd>
      </div>
      <div>
        <dt>Expiry</dt>
        <dd>{expiry === undefined ? 'not known' : dateWords(expiry)}</dd>
      </div>
    </dl>
  );
}

function Warnings({ view }: { readonly view: LookupView }) {
  if (view.warnings.length === 0) return null;
  return (
    <div class="warnings">
      <span>The document itself:</span>
      <ul>
        {view.warnings.map((warning) => (
          <li key={warning}>{warningWords[warning]}</li>
        ))}
      </ul>
    </div>
  );
}

function Details({ view }: { readonly view: LookupView }) {
  const { verdict } = view;
  if (verdict === null) return <div class="running" aria-hidden="true" />;
  switch (verdict.kind) {
    case 'hit':
    case 'possible':
      return <HitDetails view={view} verdict={verdict} />;
    case 'unreadable':
      return (
        <div class="explain">
          <p>{unreadableReasons[verdict.reason]}</p>
          {verdict.spots.slice(0, 3).map(({ line, from, to }) => (
            <p key={`${line} ${from}`}>
              Line {line}, {from === to ? `character ${from}` : `characters ${from} to ${to}`}.
            </p>
          ))}
          <p>
            <b>If it fails three times, check the document by hand and ask the bureau.</b>
          </p>
        </div>
      );
    case 'no-record':
      return verdict.basis === 'edition' ? (
        <p class="explain">
          The centre was out of reach. It is asked again when the link is back; a hit found then is shown
          here.
        </p>
      ) : null;
    case 'unresolved':
    default: {
      const { why, todo } = unresolvedReasons[verdict.reason];
      return (
        <div class="explain">
          <p>{why}</p>
          {verdict.age !== undefined && <p>The copy is {boundWords(verdict.age)}.</p>}
          <p>
            <b>{todo}</b>
          </p>
        </div>
      );
    }
  }
}
