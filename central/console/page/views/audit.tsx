import { useState } from 'preact/hooks';
import type { OperatorAuditRow } from '#contracts/api/accounts.ts';
import { useAsked, useNow, useParts } from '../data/context.ts';
import { hashOf } from '../data/place.ts';
import { FaultNote } from '../parts/fault.tsx';
import { whenWords } from '../words.ts';

/** Who changed what, newest first. */
export function AuditView() {
  const { api } = useParts();
  const now = useNow(30_000);
  const { answer } = useAsked<OperatorAuditRow[]>('/audit?limit=200');
  const [older, setOlder] = useState<readonly OperatorAuditRow[]>([]);
  const [end, setEnd] = useState(false);
  if (answer === undefined) return <p class="small">Asking.</p>;
  if (!answer.ok) return <FaultNote fault={answer.fault} />;
  const rows = [...answer.value, ...older];
  const more = async (): Promise<void> => {
    const before = rows.at(-1)?.id;
    const next = await api.ask<OperatorAuditRow[]>('GET', `/audit?limit=200&before=${before ?? ''}`);
    if (!next.ok || next.value.length === 0) return setEnd(true);
    setOlder((kept) => [...kept, ...next.value]);
  };
  return (
    <article class="detail">
      <section aria-label="Audit">
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">When</th>
              <th scope="col">Who</th>
              <th scope="col">What</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.id}>
                <td>{whenWords(row.at, now)}</td>
                <td>{row.by}</td>
                <td>
                  <b>{row.action}</b>{' '}
                  {row.terminal !== null && <a href={hashOf('terminal', row.terminal)}>{row.terminal}</a>}{' '}
                  {row.text}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        {!end && rows.length >= 200 && <button onClick={() => void more()}>Older</button>}
      </section>
    </article>
  );
}
