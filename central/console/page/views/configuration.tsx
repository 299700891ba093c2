import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Layer, LayerPreview } from '#contracts/api/orders.ts';
import type { LayerScope } from '#contracts/configuration.ts';
import type { ApiFault } from '../data/api.ts';
import { mayAdminister, useAsked, useNow, useParts } from '../data/context.ts';
import { hashOf } from '../data/place.ts';
import {
  allowedWords,
  fieldsOf,
  type SettingField,
  type SettingSchema,
  valueAt,
  type Values,
  withValue,
} from '../data/schema.ts';
import { FaultNote } from '../parts/fault.tsx';
import { Marked } from '../parts/marked.tsx';
import { ScopePicker, scopeFrom, scopeText, scopeWords } from '../parts/scope.tsx';
import { whenWords } from '../words.ts';
import { Progress } from './progress.tsx';
import { SignedUpload } from './signed-upload.tsx';

/** The layers of the configuration: what is set for whom, and an editor that shows first what a change would do. */
export function ConfigurationView({ id }: { readonly id: string }) {
  const { identity } = useParts();
  const layers = useAsked<Layer[]>('/layers');
  const schema = useAsked<SettingSchema>('/layers/schema');
  const scope = scopeFrom(id);
  if (layers.answer?.ok === false) return <FaultNote fault={layers.answer.fault} />;
  if (schema.answer?.ok === false) return <FaultNote fault={schema.answer.fault} />;
  if (layers.answer === undefined || schema.answer === undefined) return <p class="small">Asking.</p>;
  return (
    <article class="detail">
      <section aria-label="Layers">
        <h3>What is set</h3>
        <p class="small">
          A terminal takes the fleet's values first, then those of its bureau, its site, and its own; the
          later one wins.
        </p>
        <div class="chips">
          {layers.answer.value.map((layer) => (
            <a
              key={scopeText(layer.scope)}
              class="chip"
              href={hashOf('configuration', scopeText(layer.scope))}
              {...(scopeText(layer.scope) === scopeText(scope) && { 'aria-current': 'true' as const })}
            >
              {scopeWords(layer.scope)}
            </a>
          ))}
        </div>
        <div class="buttons">
          <ScopePicker
            scope={scope}
            change={(next) => {
              location.hash = hashOf('configuration', scopeText(next));
            }}
          />
        </div>
      </section>
      <Editor
        key={scopeText(scope)}
        scope={scope}
        layer={layers.answer.value.find((one) => scopeText(one.scope) === scopeText(scope))}
        schema={schema.answer.value}
        changed={layers.again}
      />
      {mayAdminister(identity) && <SignedUpload />}
      <Progress />
    </article>
  );
}

interface EditorProps {
  readonly scope: LayerScope;
  readonly layer: Layer | undefined;
  readonly schema: SettingSchema;
  readonly changed: () => void;
}

function Editor({ scope, layer, schema, changed }: EditorProps) {
  const { api, identity } = useParts();
  const now = useNow(30_000);
  const [values, setValues] = useState<Values>(layer?.values ?? {});
  const [note, setNote] = useState('');
  const [preview, setPreview] = useState<LayerPreview | undefined>(undefined);
  const [fault, setFault] = useState<ApiFault | undefined>(undefined);
  const fields = useMemo(() => fieldsOf(schema), [schema]);
  const groups = useMemo(() => Map.groupBy(fields, ({ group }) => group), [fields]);
  useEffect(() => setValues(layer?.values ?? {}), [layer?.version]);
  const may = mayAdminister(identity);
  const body = { scope, base: layer?.version ?? 0, values, note };
  const dirty = JSON.stringify(values) !== JSON.stringify(layer?.values ?? {});
  const ready = scope.layer === 'fleet' || scope.key !== '';
  const look = async (): Promise<void> => {
    const answer = await api.ask<LayerPreview>('POST', '/layers/preview', body);
    setFault(answer.ok ? undefined : answer.fault);
    setPreview(answer.ok ? answer.value : undefined);
  };
  const send = async (): Promise<void> => {
    const answer = await api.ask<Layer>('PUT', '/layers', body);
    setFault(answer.ok ? undefined : answer.fault);
    if (!answer.ok) return;
    setPreview(undefined);
    setNote('');
    changed();
  };
  return (
    <section aria-label={`Configuration of ${scopeWords(scope)}`}>
      <h3>{scopeWords(scope)}</h3>
      <p class="small">
        {layer === undefined || layer.at === null
          ? 'Nothing is set here yet.'
          : `Version ${layer.version}, set ${whenWords(layer.at, now)} by ${layer.by ?? 'somebody'}${layer.note === '' ? '' : `: ${layer.note}`}`}
      </p>
      <form
        class="editor"
        onSubmit={(event) => {
          event.preventDefault();
          void look();
        }}
      >
        {[...groups].map(([group, inside]) => (
          <fieldset key={group}>
            <legend>{group === '' ? 'readers' : group}</legend>
            {inside.map((field) => (
              <Field
                key={field.path}
                field={field}
                value={valueAt(values, field.path)}
                disabled={!may}
                change={(value) => {
                  setPreview(undefined);
                  setValues((before) => withValue(before, field, value));
                }}
              />
            ))}
          </fieldset>
        ))}
        {may && (
          <div class="buttons">
            <label>
              <span class="hidden">Note</span>
              <input value={note} placeholder="why" onInput={(event) => setNote(event.currentTarget.value)} />
            </label>
            <button type="submit" disabled={!dirty || !ready}>
              Show what will change
            </button>
            <button type="button" disabled={!dirty} onClick={() => setValues(layer?.values ?? {})}>
              Undo
            </button>
          </div>
        )}
      </form>
      {fault !== undefined && <FaultNote fault={fault} />}
      {preview !== undefined && <Preview preview={preview} send={() => void send()} />}
    </section>
  );
}

function Preview({ preview, send }: { readonly preview: LayerPreview; readonly send: () => void }) {
  return (
    <div class="panel" role="region" aria-label="What will change">
      <h3>
        {preview.changes.length === 0
          ? 'Nothing will change at any terminal.'
          : preview.terminals === 1
            ? 'One terminal changes'
            : `${preview.terminals} terminals change`}
      </h3>
      <table class="plain">
        <tbody>
          {preview.changes.map((change) => (
            <tr key={`${change.path} ${JSON.stringify(change.before)} ${JSON.stringify(change.after)}`}>
              <th scope="row">
                <code>{change.path}</code>
              </th>
              <td>
                <del>{shown(change.before)}</del> → <ins>{shown(change.after)}</ins>
              </td>
              <td class="small">
                {change.terminals} terminals, for example {change.examples.slice(0, 3).join(', ')}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="small">
        Each terminal takes it on probation and goes back by itself where it can no longer reach the centre
        with it.
      </p>
      <button type="button" onClick={send}>
        Send it
      </button>
    </div>
  );
}

function shown(value: unknown): string {
  return value === null || value === undefined ? 'its own value' : JSON.stringify(value);
}

interface FieldProps {
  readonly field: SettingField;
  readonly value: unknown;
  readonly disabled: boolean;
  readonly change: (value: unknown) => void;
}

/** One setting; empty is not set here. */
function Field({ field, value, disabled, change }: FieldProps) {
  const { schema, path, name } = field;
  const [text, setText] = useState<string | undefined>(undefined);
  const [wrong, setWrong] = useState(false);
  const allowed = allowedWords(field);
  const common = { id: `field-${path}`, disabled, 'aria-describedby': `about-${path}` };
  return (
    <div class="field">
      <label for={`field-${path}`}>
        <code>{name}</code>
      </label>
      {schema.enum !== undefined ? (
        <select
          {...common}
          value={typeof value === 'string' ? value : ''}
          onChange={(event) =>
            change(event.currentTarget.value === '' ? undefined : event.currentTarget.value)
          }
        >
          <option value="">not set here</option>
          {schema.enum.map((one) => (
            <option key={String(one)}>{String(one)}</option>
          ))}
        </select>
      ) : schema.type === 'integer' ? (
        <input
          {...common}
          type="number"
          min={schema.minimum}
          max={schema.maximum}
          placeholder="not set here"
          value={typeof value === 'number' ? value : ''}
          onInput={(event) =>
            change(event.currentTarget.value === '' ? undefined : event.currentTarget.valueAsNumber)
          }
        />
      ) : schema.type === 'array' ? (
        <textarea
          {...common}
          rows={3}
          placeholder="not set here"
          aria-invalid={wrong}
          value={text ?? (value === undefined ? '' : JSON.stringify(value, null, 2))}
          onInput={(event) => {
            const typed = event.currentTarget.value;
            setText(typed);
            try {
              change(typed.trim() === '' ? undefined : (JSON.parse(typed) as unknown));
              setWrong(false);
            } catch {
              setWrong(true);
            }
          }}
        />
      ) : (
        <input
          {...common}
          placeholder="not set here"
          value={typeof value === 'string' ? value : ''}
          onInput={(event) =>
            change(event.currentTarget.value === '' ? undefined : event.currentTarget.value)
          }
        />
      )}
      <p class="small" id={`about-${path}`}>
        {wrong && <b>This is not JSON. </b>}
        <Marked text={schema.description ?? ''} />
        {allowed !== '' && ` (${allowed})`}
      </p>
    </div>
  );
}
