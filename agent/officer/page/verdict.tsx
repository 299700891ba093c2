import { typedReader } from '#contracts/names.ts';
import type { LookupView, TerminalView } from '#contracts/officer.ts';
import type { Verdict } from '#contracts/verdict.ts';
import { boundWords, timeWords } from '#runtime/page-words.ts';
import { DocumentLine, Warnings } from './document.tsx';
import { spotWords, unreadableReasons, unresolvedReasons } from './doubt-words.ts';
import { HitDetails } from './hit.tsx';
import { Icon } from './icons.tsx';
import { agoWords, basisWords, lookOf, spoken, titleOf } from './words.ts';

interface PanelProps {
  readonly view: LookupView | undefined;
  readonly terminal: TerminalView;
  /** The terminal's time. */
  readonly now: Date;
  /** Opens the form for typing, with what the verdict gives to begin with. */
  readonly onType: () => void;
  readonly onTrigger: (reader: string) => void;
}

/** The one big verdict: colour, shape and words, and a layout of its own for each. */
export function VerdictPanel({ view, terminal, now, onType, onTrigger }: PanelProps) {
  if (view === undefined) return <Ready terminal={terminal} onTrigger={onTrigger} />;
  const look = lookOf(view);
  return (
    <article
      class={`verdict look-${look} ${isDoubtful(view) ? 'doubtful' : ''}`}
      data-look={look}
      aria-label="Verdict"
    >
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
          {view.reader === typedReader && (
            <>
              {' '}
              <br />
              <b>typed by hand</b>
            </>
          )}
        </p>
      </div>
      {view.document !== null && <DocumentLine document={view.document} verdict={view.verdict} />}
      <Warnings view={view} />
      {view.verdict?.recorded === false && (
        <p class="unrecorded">
          <b>Not recorded on this terminal.</b> Note time and number on paper and call the bureau.
        </p>
      )}
      <Details view={view} onType={onType} />
      {basisWords(view.verdict, now) !== undefined && <p class="basis">{basisWords(view.verdict, now)}</p>}
    </article>
  );
}

interface ReadyProps {
  readonly terminal: TerminalView;
  readonly onTrigger: (reader: string) => void;
}

function Ready({ terminal, onTrigger }: ReadyProps) {
  const ready = terminal.readers.filter((reader) => reader.state === 'ready');
  const told = ready.filter((reader) => reader.trigger);
  return (
    <article class="verdict look-ready" data-look="ready" aria-label="Verdict">
      <h1>{ready.length > 0 ? 'Put a document on the reader' : 'No reader is ready'}</h1>
      <p>
        {ready.length > 0
          ? 'The answer stands here.'
          : 'Plug the reader in and check its cable. Until then, documents can only be typed.'}
      </p>
      {told.length > 0 && (
        <p class="offers">
          {told.map(({ id }, at) => (
            <button key={id} type="button" class="offer" onClick={() => onTrigger(id)}>
              {at === 0 && <kbd>R</kbd>} Read now{told.length > 1 && `: ${id}`}
            </button>
          ))}
        </p>
      )}
    </article>
  );
}

/** Whether a number was searched that may be another one. */
function isDoubtful({ verdict }: LookupView): boolean {
  return verdict?.kind === 'unresolved' && verdict.reason === 'number-doubtful';
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
            ? 'Recorded as another type of document.'
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
      return (
        <p class="sub">
          {isDoubtful(view)
            ? 'This is not a “no record”.'
            : 'Nobody could answer. This is not a “no record”.'}
        </p>
      );
  }
}

interface DetailsProps {
  readonly view: LookupView;
  readonly onType: () => void;
}

function Details({ view, onType }: DetailsProps) {
  const { verdict } = view;
  if (verdict === null) return <div class="running" aria-hidden="true" />;
  switch (verdict.kind) {
    case 'hit':
    case 'possible':
      return <HitDetails view={view} verdict={verdict} />;
    case 'unreadable': {
      const what = view.partial === undefined ? 'the document' : 'the missing characters';
      return (
        <div class="explain">
          <p>{unreadableReasons[verdict.reason]}</p>
          {verdict.spots.slice(0, 3).map((spot) => (
            <p key={`${spot.line} ${spot.from}`}>
              <b>{spotWords(verdict.reason, spot)}</b>
            </p>
          ))}
          <p>If it fails three times, type it, or check the document by hand and ask the bureau.</p>
          <Offer words={`Type ${what}`} onType={onType} />
        </div>
      );
    }
    case 'no-record':
      return verdict.basis === 'edition' ? (
        <p class="explain">
          The centre was out of reach. It is asked again when the link is back; a hit found then is shown
          here.
        </p>
      ) : null;
    case 'unresolved':
    default:
      return <Unresolved verdict={verdict} onType={onType} />;
  }
}

interface UnresolvedProps {
  readonly verdict: Extract<Verdict, { kind: 'unresolved' }>;
  readonly onType: () => void;
}

function Unresolved({ verdict: { reason, age }, onType }: UnresolvedProps) {
  const { why, todo } = unresolvedReasons[reason];
  const inDoubt = reason === 'number-doubtful';
  return (
    <div class="explain">
      <p>
        {why}
        {age !== undefined && inDoubt && ` What was searched is ${boundWords(age)}.`}
      </p>
      {age !== undefined && !inDoubt && <p>The copy is {boundWords(age)}.</p>}
      <p>
        <b>{todo}</b>
      </p>
      {inDoubt && <Offer words="Type the number" onType={onType} />}
    </div>
  );
}

function Offer({ words, onType }: { readonly words: string; readonly onType: () => void }) {
  return (
    <p class="offers">
      <button type="button" class="offer" onClick={onType}>
        <kbd>T</kbd> {words}
      </button>
    </p>
  );
}
