import { useState } from 'preact/hooks';
import type { Maintenance } from '#contracts/api/alerts.ts';
import type { LayerScope } from '#contracts/configuration.ts';
import type { ApiFault } from '../data/api.ts';
import { mayOperate, useAsked, useFleet, useNow, useParts } from '../data/context.ts';
import { FaultNote } from '../parts/fault.tsx';
import { ScopePicker, scopeWords } from '../parts/scope.tsx';
import { whenWords } from '../words.ts';

/** Planned work: nobody is told of what happens to these terminals meanwhile. */
export function MaintenanceView() {
  const { identity } = useParts();
  const data = useFleet();
  const now = useNow(10_000);
  const { answer } = useAsked<Maintenance[]>('/maintenance');
  const all = new Map(
    [...(answer?.ok === true ? answer.value : []), ...data.maintenance.values()].map((one) => [one.id, one]),
  );
  const rows = [...all.values()].sort((a, b) => b.id - a.id);
  return (
    <article class="detail">
      {mayOperate(identity) && <Plan />}
      <section aria-label="Maintenance">
        <h3>Planned and past</h3>
        {answer?.ok === false && <FaultNote fault={answer.fault} />}
        {rows.length === 0 && <p class="small">None is planned.</p>}
        <ul class="asked">
          {rows.map((one) => (
            <Row key={one.id} one={one} now={now} />
          ))}
        </ul>
      </section>
    </article>
  );
}

function Row({ one, now }: { readonly one: Maintenance; readonly now: number }) {
  const { api, identity } = useParts();
  const data = useFleet();
  const over = one.endedAt !== null || Date.parse(one.until) <= now;
  const end = async (): Promise<void> => {
    const answer = await api.ask('DELETE', `/maintenance/${one.id}`);
    if (answer.ok) data.take('maintenance', { ...one, endedAt: new Date(now).toISOString() });
  };
  return (
    <li>
      <b>{scopeWords(one.scope)}</b> {whenWords(one.from, now)} to {whenWords(one.endedAt ?? one.until, now)}{' '}
      <span class="mark">{over ? 'over' : Date.parse(one.from) <= now ? 'under way' : 'planned'}</span>{' '}
      <span class="small">
        by {one.by}
        {one.note !== '' && `: ${one.note}`}
      </span>{' '}
      {!over && mayOperate(identity) && (
        <button type="button" onClick={() => void end()}>
          End it now
        </button>
      )}
    </li>
  );
}

function Plan() {
  const { api, now } = useParts();
  const data = useFleet();
  const [scope, setScope] = useState<LayerScope>({ layer: 'site', key: '' });
  const [hours, setHours] = useState(2);
  const [inMinutes, setInMinutes] = useState(0);
  const [note, setNote] = useState('');
  const [fault, setFault] = useState<ApiFault | undefined>(undefined);
  const plan = async (): Promise<void> => {
    const from = now() + inMinutes * 60_000;
    const answer = await api.ask<Maintenance>('POST', '/maintenance', {
      scope,
      from: new Date(from).toISOString(),
      until: new Date(from + hours * 3_600_000).toISOString(),
      note,
    });
    setFault(answer.ok ? undefined : answer.fault);
    if (answer.ok) data.take('maintenance', answer.value);
  };
  return (
    <section aria-label="Plan maintenance" class="no-print">
      <h3>Plan maintenance</h3>
      <form
        class="buttons"
        onSubmit={(event) => {
          event.preventDefault();
          void plan();
        }}
      >
        <ScopePicker scope={scope} change={setScope} />
        <label>
          begins in{' '}
          <input
            type="number"
            min={0}
            max={43_200}
            value={inMinutes}
            onInput={(event) => setInMinutes(event.currentTarget.valueAsNumber || 0)}
          />{' '}
          min
        </label>
        <label>
          for{' '}
          <input
            type="number"
            min={1}
            max={720}
            value={hours}
            onInput={(event) => setHours(event.currentTarget.valueAsNumber || 1)}
          />{' '}
          h
        </label>
        <label>
          <span class="hidden">Note</span>
          <input
            value={note}
            placeholder="what is done"
            onInput={(event) => setNote(event.currentTarget.value)}
          />
        </label>
        <button type="submit">Plan it</button>
      </form>
      {fault !== undefined && <FaultNote fault={fault} />}
    </section>
  );
}
