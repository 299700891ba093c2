import { useState } from 'preact/hooks';
import type { Wave } from '#contracts/api/orders.ts';
import { commands } from '#contracts/command.ts';
import type { ApiFault } from '../data/api.ts';
import { mayAdminister, useAsked, useFleet, useNow, useParts } from '../data/context.ts';
import { hashOf } from '../data/place.ts';
import { FaultNote } from '../parts/fault.tsx';
import { whenWords } from '../words.ts';

const stateTexts: Record<Wave['state'], string> = {
  running: 'under way',
  done: 'done',
  stopped: 'stopped',
  'stopped-by-failures': 'stopped itself: too many failures',
};

/** Bulk actions, newest first, with how far each has come. */
export function WavesView() {
  const data = useFleet();
  const now = useNow(5000);
  const { answer } = useAsked<Wave[]>('/waves');
  const all = new Map(
    [...(answer?.ok === true ? answer.value : []), ...data.waves.values()].map((wave) => [wave.id, wave]),
  );
  const waves = [...all.values()].sort((a, b) => (a.id < b.id ? 1 : -1));
  return (
    <article class="detail">
      <section aria-label="Waves">
        <h3>Bulk actions</h3>
        {answer?.ok === false && <FaultNote fault={answer.fault} />}
        {waves.length === 0 && (
          <p class="small">
            None yet. Choose terminals in the <a href={hashOf('fleet')}>fleet</a> by its filter, then “Do
            something with these”.
          </p>
        )}
        <ul class="waves">
          {waves.map((wave) => (
            <WaveItem key={wave.id} wave={wave} now={now} />
          ))}
        </ul>
      </section>
    </article>
  );
}

function WaveItem({ wave, now }: { readonly wave: Wave; readonly now: number }) {
  const { api, identity } = useParts();
  const data = useFleet();
  const [fault, setFault] = useState<ApiFault | undefined>(undefined);
  const { waiting, underWay, done, failed } = wave.counts;
  const whole = waiting + underWay + done + failed;
  const stop = async (): Promise<void> => {
    const answer = await api.ask<Wave>('POST', `/waves/${wave.id}/stop`);
    setFault(answer.ok ? undefined : answer.fault);
    if (answer.ok) data.take('wave', answer.value);
  };
  return (
    <li class="wave">
      <p>
        <b>{wave.title}</b> <span class="mark">{stateTexts[wave.state]}</span>
      </p>
      <p class="small">
        {wave.action.kind === 'command' ? commands[wave.action.command.kind].title : 'Configuration'}, by{' '}
        {wave.by}, {whenWords(wave.at, now)}
        {wave.nextAt !== null && wave.state === 'running' && `, next wave ${whenWords(wave.nextAt, now)}`}
      </p>
      <div
        class="bar"
        role="img"
        aria-label={`${done} done, ${failed} failed, ${underWay} under way, ${waiting} waiting, of ${whole}`}
      >
        {(
          [
            ['done', done],
            ['failed', failed],
            ['under-way', underWay],
          ] as const
        ).map(([name, count]) => (
          <span key={name} class={name} style={{ width: `${(100 * count) / Math.max(1, whole)}%` }} />
        ))}
      </div>
      <p class="small">
        {done} done, {failed} failed, {underWay} under way, {waiting} waiting
      </p>
      {wave.failures.length > 0 && (
        <details>
          <summary>What failed</summary>
          <ul>
            {wave.failures.map(({ terminal, reason }) => (
              <li key={terminal}>
                <a href={hashOf('terminal', terminal)}>{terminal}</a> {reason}
              </li>
            ))}
          </ul>
        </details>
      )}
      {wave.state === 'running' && mayAdminister(identity) && (
        <button type="button" onClick={() => void stop()}>
          Stop it
        </button>
      )}
      {fault !== undefined && <FaultNote fault={fault} />}
    </li>
  );
}
