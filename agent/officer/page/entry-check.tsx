import { useEffect, useState } from 'preact/hooks';
import type { EntryCheck } from '#contracts/entry.ts';
import { checkEntry } from './api.ts';
import { type Draft, isBlank, requestOf } from './draft.ts';
import { holdsWords, partWords, stillWanted } from './entry-words.ts';

/** How what is typed stands, as far as the terminal has said so. */
export interface CheckState {
  /** Of exactly what stands in the form now; undefined until it is known. */
  readonly answer: EntryCheck | undefined;
  /** The last answer, of what stood there before: for the places of the rows only. */
  readonly before: EntryCheck | undefined;
  readonly failed: boolean;
}

/** Asks the terminal with each change. An answer about what was typed before is thrown away, however late it comes. */
export function useEntryCheck(draft: Draft): CheckState {
  const key = JSON.stringify(requestOf(draft));
  const blank = isBlank(draft);
  const [known, setKnown] = useState<{ readonly key: string; readonly answer: EntryCheck | undefined }>();
  useEffect(() => {
    if (blank) return undefined;
    const asked = new AbortController();
    void checkEntry(requestOf(draft), asked.signal).then((answer) => {
      if (!asked.signal.aborted) setKnown({ key, answer });
    });
    return () => asked.abort();
    // The key says all of the draft that is asked.
  }, [key, blank]);
  if (blank) return { answer: undefined, before: undefined, failed: false };
  const isNow = known?.key === key;
  const answer = isNow ? known.answer : undefined;
  return { answer, before: known?.answer, failed: isNow && known.answer === undefined };
}

interface ListProps {
  readonly draft: Draft;
  readonly check: CheckState;
}

/** Each part with its digit: signs and words in ink, since a digit that holds is no pass. */
export function CheckList({ draft, check: { answer, before, failed } }: ListProps) {
  if (failed) {
    return (
      <p class="checks-failed" role="status">
        The check digits cannot be looked at now: the terminal does not answer.
      </p>
    );
  }
  const rows = (answer ?? before)?.parts ?? [];
  const wanted = answer === undefined ? [] : stillWanted(answer);
  return (
    <div class="checks" aria-busy={answer === undefined}>
      <p class="heard" role="status">
        {answer?.parts.map(({ part, holds }) => `${partWords[part]}: ${holdsWords(holds, draft, answer)}. `)}
      </p>
      {rows.length > 0 && (
        <table aria-label="Check digits">
          <tbody>
            {rows.map(({ part, value, holds }) => (
              <tr key={part} class={answer !== undefined && holds === false ? 'fails' : ''} data-part={part}>
                <th scope="row">{partWords[part]}</th>
                <td class="value">{answer === undefined ? '…' : value.replace(/^_+$/, '')}</td>
                <td class="mark" aria-hidden="true">
                  {answer === undefined || holds === null ? '·' : holds ? '✓' : '✗'}
                </td>
                <td>{answer === undefined ? '…' : holdsWords(holds, draft, answer)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {wanted.length > 0 && <p class="wanted">{wanted.join(' ')}</p>}
    </div>
  );
}
