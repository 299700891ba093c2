import type { TerminalConfiguration } from '#contracts/api/orders.ts';
import type { SettingSource } from '#contracts/configuration.ts';
import { useAsked, useNow } from '../data/context.ts';
import { hashOf } from '../data/place.ts';
import { FaultNote } from '../parts/fault.tsx';
import { whenWords } from '../words.ts';

const sourceWords: Record<SettingSource, string> = {
  default: 'default',
  enrolled: 'set at enrolment',
  fleet: 'set for the whole fleet',
  bureau: 'set for the bureau',
  site: 'set for the site',
  terminal: 'set for this terminal',
  limits: 'limit signed by the bureau',
};
const stateTexts = {
  current: 'It runs what is wanted of it.',
  probation: 'It runs a new configuration on probation, until it has reached the centre with it.',
  undone: 'It went back by itself: the new configuration cut it off or left a reader away.',
  refused: 'It refused the new configuration and runs the one before.',
} as const;

/** What a terminal runs and why: which layer set which value. */
export function Running({ terminal }: { readonly terminal: string }) {
  const now = useNow(30_000);
  const { answer } = useAsked<TerminalConfiguration>(
    `/terminals/${encodeURIComponent(terminal)}/configuration`,
  );
  if (answer === undefined) return <p class="small">Asking.</p>;
  if (!answer.ok) return <FaultNote fault={answer.fault} />;
  const { wanted, reported } = answer.value;
  return (
    <section aria-label="Configuration">
      <p>
        {wanted === null
          ? 'The centre wants nothing of it beyond what enrolment set.'
          : `Wanted: version ${wanted.version}.`}{' '}
        {reported === null
          ? 'It has not said yet what it runs.'
          : `Runs: version ${reported.running}. ${stateTexts[reported.state]}`}{' '}
        <a href={hashOf('configuration', terminal)}>Change it</a>
      </p>
      {reported?.refused !== null && reported?.refused !== undefined && (
        <p class="fault">
          Version {reported.refused.version}: <code>{reported.refused.code}</code> {reported.refused.detail}
        </p>
      )}
      {reported !== null && (
        <>
          <p class="small">
            Every setting that is not a default, as it said {whenWords(reported.since, now)}:
          </p>
          <table class="plain">
            <thead>
              <tr>
                <th scope="col">Setting</th>
                <th scope="col">Value</th>
                <th scope="col">From</th>
              </tr>
            </thead>
            <tbody>
              {reported.settings.map(({ path, value, source }) => (
                <tr key={path}>
                  <th scope="row">
                    <code>{path}</code>
                  </th>
                  <td>
                    <code>{JSON.stringify(value)}</code>
                  </td>
                  <td>{sourceWords[source]}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </>
      )}
    </section>
  );
}
