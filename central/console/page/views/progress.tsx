import { useFleet } from '../data/context.ts';
import { hashOf } from '../data/place.ts';

/** How what was sent went: who runs what is wanted, who is on the way, who went back. */
export function Progress() {
  const data = useFleet();
  const rows = [...data.terminals.values()].filter(({ configuration }) => configuration.wanted > 0);
  const done = rows.filter(
    ({ configuration }) =>
      configuration.running === configuration.wanted && configuration.state === 'current',
  );
  const bad = rows.filter(({ configuration }) => ['undone', 'refused'].includes(configuration.state));
  const probation = rows.filter(({ configuration }) => configuration.state === 'probation');
  const waiting = rows.length - done.length - bad.length - probation.length;
  return (
    <section aria-label="How it went">
      <h3>How it went</h3>
      {rows.length === 0 ? (
        <p class="small">The centre wants nothing of any terminal yet.</p>
      ) : (
        <>
          <p role="status">
            {done.length} of {rows.length} run what is wanted of them, {probation.length} on probation,{' '}
            {waiting} have not answered yet, {bad.length} went back or refused.
          </p>
          <ul class="asked">
            {bad.slice(0, 50).map((row) => (
              <li key={row.terminal}>
                <a href={hashOf('terminal', row.terminal, { tab: 'configuration' })}>{row.terminal}</a>{' '}
                {row.configuration.state}, runs version {row.configuration.running}
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}
