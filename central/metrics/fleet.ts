import { conditionNote } from '#contracts/conditions.ts';
import { namedBureaus, other } from './bounded.ts';
import type { Make } from './make.ts';
import type { CountedTerminal } from './sources.ts';

const states = ['online', 'suspect', 'offline', 'never'] as const;
const configurationStates = ['current', 'probation', 'undone', 'refused'] as const;

/** Counts over all terminals; the answer counts them anew. */
export function fleetMetrics(make: Make): (terminals: Iterable<CountedTerminal>) => void {
  const byState = make.gauge('terminals', 'Registered terminals by state', ['state']);
  const byBureau = make.gauge('bureau_terminals', 'Registered terminals by bureau and state', [
    'bureau',
    'state',
  ]);
  const conditions = make.gauge('conditions', 'Terminals on which a condition stands, by its code', [
    'code',
    'severity',
  ]);
  const owed = make.gauge('outbox_items_owed', 'Items that terminals owed when they last said, all together');
  const mostOwed = make.gauge('outbox_items_owed_max', 'Items that the terminal owes that owes most');
  const configurations = make.gauge(
    'configurations',
    'Terminals by the state of their configuration; behind: another version is wanted than the one that runs',
    ['state'],
  );
  const maintenance = make.gauge(
    'terminals_in_maintenance',
    'Terminals that a planned maintenance covers now',
  );

  return (terminals) => {
    const all = [...terminals];
    const named = namedBureaus(all.map(({ bureau }) => bureau));
    for (const one of [byState, byBureau, conditions, configurations]) one.reset();
    for (const state of states) byState.set({ state }, 0);
    for (const state of [...configurationStates, 'behind']) configurations.set({ state }, 0);
    let sum = 0;
    let most = 0;
    let covered = 0;
    for (const row of all) {
      byState.inc({ state: row.state });
      byBureau.inc({ bureau: named.has(row.bureau) ? row.bureau : other, state: row.state });
      countConditions(row, (labels) => conditions.inc(labels));
      const { running, wanted, state } = row.configuration;
      const known = configurationStates.find((one) => one === state);
      if (row.state !== 'never') configurations.inc({ state: known ?? other });
      if (wanted > running) configurations.inc({ state: 'behind' });
      sum += row.owed;
      most = Math.max(most, row.owed);
      if (row.maintenance) covered++;
    }
    owed.set(sum);
    mostOwed.set(most);
    maintenance.set(covered);
  };
}

/** A terminal may say a code that this release does not know: all of those are one. */
function countConditions(
  { conditions }: CountedTerminal,
  count: (labels: { code: string; severity: string }) => void,
): void {
  for (const code of new Set(
    conditions.map((one) => (conditionNote(one.code) === undefined ? other : one.code)),
  ))
    count({ code, severity: conditionNote(code)?.severity ?? 'warning' });
}
