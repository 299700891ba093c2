import { useState } from 'preact/hooks';
import type { Wave } from '#contracts/api/orders.ts';
import { type CommandKind, commandKinds, commands } from '#contracts/command.ts';
import type { ApiFault } from '../data/api.ts';
import { mayAdminister, useFleet, useParts, usePlace } from '../data/context.ts';
import { filtered, filterFrom } from '../data/filter.ts';
import { hashOf } from '../data/place.ts';
import { FaultNote } from '../parts/fault.tsx';

/** A probe needs the name of a reader, which differs from site to site. */
const offered = commandKinds.filter((kind) => kind !== 'reader-probe');

/** Something for all terminals that the filter of the fleet shows, in waves that stop by themselves. */
export function BulkView() {
  const { api, identity } = useParts();
  const data = useFleet();
  const { query } = usePlace();
  const terminals = filtered(data.terminals.values(), data.sites, filterFrom(query)).map(
    (row) => row.terminal,
  );
  const [kind, setKind] = useState<CommandKind | 'configuration'>('report-now');
  const [values, setValues] = useState('{\n  "log": { "level": "info" }\n}');
  const [title, setTitle] = useState('');
  const [first, setFirst] = useState(5);
  const [pauseMinutes, setPauseMinutes] = useState(5);
  const [stopAfter, setStopAfter] = useState(2);
  const [fault, setFault] = useState<ApiFault | undefined>(undefined);
  if (!mayAdminister(identity)) return <p class="empty">Bulk actions are for administrators.</p>;
  const begin = async (): Promise<void> => {
    const action = actionOf(kind, values);
    if (action === undefined)
      return setFault({
        code: 'JSON',
        what: 'The configuration is not JSON.',
        detail: '',
        remedy: 'Correct it.',
      });
    const answer = await api.ask<Wave>('POST', '/waves', {
      title: title === '' ? (kind === 'configuration' ? 'Configuration' : commands[kind].title) : title,
      terminals,
      action,
      first,
      pauseSeconds: pauseMinutes * 60,
      stopAfter,
      timeoutSeconds: 900,
    });
    if (!answer.ok) return setFault(answer.fault);
    data.take('wave', answer.value);
    location.hash = hashOf('waves');
  };
  return (
    <article class="detail">
      <section aria-label="Bulk action">
        <h3>
          {terminals.length === 1 ? 'For one terminal' : `For ${terminals.length} terminals`}{' '}
          <a class="small" href={hashOf('fleet', '', Object.fromEntries(query))}>
            choose others
          </a>
        </h3>
        <form
          class="editor"
          onSubmit={(event) => {
            event.preventDefault();
            void begin();
          }}
        >
          <label>
            What{' '}
            <select value={kind} onChange={(event) => setKind(event.currentTarget.value as CommandKind)}>
              {offered.map((one) => (
                <option key={one} value={one}>
                  {commands[one].title}
                </option>
              ))}
              <option value="configuration">Set configuration of each terminal</option>
            </select>
          </label>
          <p class="small">
            {kind === 'configuration' ? 'Values as JSON, for example:' : commands[kind].text}
          </p>
          {kind === 'configuration' && (
            <label>
              <span class="hidden">Values</span>
              <textarea rows={6} value={values} onInput={(event) => setValues(event.currentTarget.value)} />
            </label>
          )}
          <div class="buttons">
            <label>
              Title{' '}
              <input value={title} maxLength={100} onInput={(event) => setTitle(event.currentTarget.value)} />
            </label>
            <NumberField label="first wave" value={first} change={setFirst} max={1000} />
            <NumberField
              label="minutes between waves"
              value={pauseMinutes}
              change={setPauseMinutes}
              min={0}
              max={1440}
            />
            <NumberField label="failures that stop it" value={stopAfter} change={setStopAfter} max={1000} />
          </div>
          <p class="small">
            Each wave is twice as large as the one before; it begins only when the one before has ended well.
          </p>
          <button type="submit" disabled={terminals.length === 0}>
            Begin
          </button>
        </form>
        {fault !== undefined && <FaultNote fault={fault} />}
      </section>
    </article>
  );
}

function NumberField(props: {
  readonly label: string;
  readonly value: number;
  readonly change: (value: number) => void;
  readonly min?: number;
  readonly max: number;
}) {
  const { label, value, change, min = 1, max } = props;
  return (
    <label>
      {label}{' '}
      <input
        type="number"
        min={min}
        max={max}
        required
        value={value}
        onInput={(event) => change(event.currentTarget.valueAsNumber)}
      />
    </label>
  );
}

function actionOf(kind: CommandKind | 'configuration', values: string): object | undefined {
  if (kind !== 'configuration') return { kind: 'command', command: { kind } };
  try {
    return { kind: 'configuration', values: JSON.parse(values) as unknown };
  } catch {
    return undefined;
  }
}
