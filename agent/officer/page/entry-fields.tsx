import type { TargetedInputEvent, TargetedKeyboardEvent } from 'preact';
import type { EntryCheck } from '#contracts/entry.ts';
import type { Draft } from './draft.ts';
import { countWords, isUnlisted } from './entry-words.ts';

interface FieldsProps {
  readonly draft: Draft;
  readonly edit: (change: Partial<Draft>) => void;
  readonly check: EntryCheck | undefined;
}

/** Typed as it is printed: nothing is completed, corrected or remembered by the browser. */
const plain = {
  autocomplete: 'off',
  autocapitalize: 'characters',
  // A property of the element, and the word for off would be a yes.
  autocorrect: false as unknown as string,
  spellcheck: false,
} as const;

/** State, and the number with its digit where no line is typed. */
export function CodeFields({ draft, edit, check }: FieldsProps) {
  const unlisted = check !== undefined && isUnlisted(draft, check);
  const isNumber = draft.kind === 'number';
  return (
    <>
      <div class="field state">
        <label for="entry-state">State</label>
        <input
          {...plain}
          id="entry-state"
          type="text"
          name="state"
          maxLength={8}
          value={draft.issuingState}
          data-first={isNumber && draft.issuingState === '' ? '' : undefined}
          onInput={(event) => edit({ issuingState: event.currentTarget.value })}
        />
      </div>
      {isNumber ? (
        <>
          <div class="field number">
            <label for="entry-number">Number</label>
            <span class="count" id="entry-count">
              {countWords(draft, undefined)}
            </span>
            <input
              {...plain}
              id="entry-number"
              aria-describedby="entry-count"
              type="text"
              name="number"
              maxLength={40}
              value={draft.documentNumber}
              data-first={draft.issuingState === '' ? undefined : ''}
              onInput={(event) => edit({ documentNumber: event.currentTarget.value })}
            />
          </div>
          <div class="field digit">
            <label for="entry-digit">Check digit</label>
            <input
              {...plain}
              id="entry-digit"
              type="text"
              name="digit"
              maxLength={2}
              inputMode="numeric"
              value={draft.checkDigit}
              onInput={(event) => edit({ checkDigit: event.currentTarget.value })}
            />
          </div>
        </>
      ) : (
        !unlisted && <p class="aside">From the other line; a card with three lines has it in this one.</p>
      )}
      {unlisted && (
        <p class="aside" role="status">
          <b>This state is not in the list of states.</b> Look at its code again.
        </p>
      )}
    </>
  );
}

interface LineProps extends FieldsProps {
  readonly onEnter: () => void;
}

/** The line that holds the number, on as many rows as it needs; Enter searches. */
export function LineField({ draft, edit, check, onEnter }: LineProps) {
  const onKeyDown = (event: TargetedKeyboardEvent<HTMLTextAreaElement>): void => {
    if (event.key !== 'Enter' || event.isComposing) return;
    event.preventDefault();
    onEnter();
  };
  return (
    <div class="field line">
      <label for="entry-line">Line with the number</label>
      <span class="count" id="entry-count">
        {countWords(draft, check)}
      </span>
      <textarea
        {...plain}
        id="entry-line"
        name="line"
        rows={1}
        maxLength={64}
        aria-describedby="entry-count"
        data-first=""
        value={draft.line}
        onKeyDown={onKeyDown}
        onBeforeInput={overtype}
        onInput={(event) => edit({ line: event.currentTarget.value.replace(/[\r\n]+/g, '') })}
      />
    </div>
  );
}

/** A character typed at a gap takes the place of its `_`, so that those behind stay where they belong. */
function overtype(event: TargetedInputEvent<HTMLTextAreaElement>): void {
  const field = event.currentTarget;
  const { selectionStart: at, selectionEnd: to } = field;
  const isOne = (event as unknown as InputEvent).data?.length === 1;
  if (isOne && at === to && field.value.charAt(at) === '_') field.setSelectionRange(at, at + 1);
}
