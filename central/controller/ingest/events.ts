import { conditionNote } from '#contracts/conditions.ts';
import type { Condition } from '#contracts/health.ts';
import type { OutboxEntry } from '#contracts/outbox.ts';
import type { RegisteredTerminal } from '#contracts/registry.ts';
import type { WriteTx } from '../../store/index.ts';
import { addEvent, type NewEvent } from '../history/timeline.ts';
import type { Presence } from './presence.ts';

type Words = Pick<NewEvent, 'kind' | 'text' | 'severity'>;

/** Tells an event of a terminal, at the controller's time. */
export function tell(
  tx: WriteTx,
  { terminal, site, bureau }: RegisteredTerminal,
  now: string,
  words: Words & { readonly deviceAt?: string },
): Promise<void> {
  return addEvent(tx, { at: now, terminal, site, bureau, ...words });
}

/** Conditions that the controller finds about a terminal, beside those that it reports itself. */
export function standing(presence: Presence | undefined): Condition[] {
  if (presence === undefined) return [];
  const found: Condition[] = [...(presence.health.conditions ?? [])];
  if (presence.clonedAt !== null) found.push({ code: 'identity-cloned', since: presence.clonedAt });
  if (presence.lost !== null) found.push({ code: 'items-lost', since: presence.lost.since });
  if (presence.flooding !== null) found.push({ code: 'flooding', since: presence.flooding.since });
  return found;
}

/** Another state, or the first one that was ever heard of. */
export function isMove(before: Presence, after: Presence): boolean {
  return before.state !== after.state || (before.session === 0 && after.session !== 0);
}

/** What is worth telling of a change: state, boot, conditions that came and went. */
export function changes(before: Presence, after: Presence, why: Words['text'] | undefined): Words[] {
  const told: Words[] = [];
  if (isMove(before, after)) told.push(stateWords(after, why));
  if (before.boot !== '' && after.boot !== '' && before.boot !== after.boot)
    told.push({ kind: 'state', text: 'The machine was started again', severity: 'info' });
  const had = new Map(standing(before).map((one) => [keyOf(one), one]));
  const has = new Map(standing(after).map((one) => [keyOf(one), one]));
  for (const [key, one] of has) if (!had.has(key)) told.push(conditionWords(one, false));
  for (const [key, one] of had) if (!has.has(key)) told.push(conditionWords(one, true));
  return told;
}

function keyOf({ code, subject }: Condition): string {
  return `${code} ${subject ?? ''}`;
}

function stateWords({ state }: Presence, why: string | undefined): Words {
  if (state === 'online') return { kind: 'state', text: 'Online', severity: 'info' };
  if (state === 'suspect')
    return { kind: 'state', text: why ?? 'Silent for longer than it should be', severity: 'warning' };
  return { kind: 'state', text: why ?? 'Offline', severity: 'error' };
}

function conditionWords({ code, subject }: Condition, isOver: boolean): Words {
  const note = conditionNote(code);
  const title = note?.title ?? code;
  const text = `${isOver ? 'Over: ' : ''}${title}${subject === undefined ? '' : ` (${subject})`}`;
  return { kind: 'condition', text, severity: isOver ? 'info' : (note?.severity ?? 'warning') };
}

/** What is worth telling of an item that a terminal owed; never the document. */
export function itemWords({ item }: OutboxEntry): Words | undefined {
  switch (item.kind) {
    case 'hit':
      return hitWords(item);
    case 'hit-acknowledged':
      return { kind: 'hit', text: `The officer acknowledged a hit: ${item.outcome}`, severity: 'info' };
    case 'confirmation':
      return item.result === 'agrees'
        ? { kind: 'hit', text: 'The centre agrees with a hit', severity: 'info' }
        : { kind: 'hit', text: 'The centre disagrees with a hit', severity: 'warning' };
    case 'edition-in-use':
      return { kind: 'edition', text: `Edition ${item.edition} is in use`, severity: 'info' };
    case 'edition-refused':
      return { kind: 'edition', text: `An edition was refused: ${item.code}`, severity: 'warning' };
    case 'edition-damaged':
      return { kind: 'edition', text: `Edition ${item.edition} was damaged`, severity: 'warning' };
    case 'configuration':
      return configurationWords(item.version, item.state, item.code);
    case 'command':
      return {
        kind: 'command',
        text: `A command ended: ${item.state}${item.code === undefined ? '' : ` (${item.code})`}`,
        severity: item.state === 'done' ? 'info' : 'warning',
      };
    case 'store-replaced':
      return { kind: 'record', text: 'The database was damaged and replaced', severity: 'error' };
    case 'item-damaged':
      return { kind: 'record', text: 'An item that was owed can no longer be read', severity: 'error' };
    default:
      return undefined;
  }
}

function hitWords(item: OutboxEntry['item'] & { readonly kind: 'hit' }): Words {
  const what = item.verdict === 'hit' ? 'Hit' : 'Possible hit';
  const notes = [
    ...(item.late ? ['found late'] : []),
    ...(item.training ? ['training'] : []),
    ...(item.recorded ? [] : ['not recorded at the terminal']),
  ];
  const text = notes.length === 0 ? what : `${what} (${notes.join(', ')})`;
  if (item.training) return { kind: 'hit', text, severity: 'info' };
  return { kind: 'hit', text, severity: item.verdict === 'hit' ? 'error' : 'warning' };
}

function configurationWords(version: number, state: string, code: string | undefined): Words {
  const reason = code === undefined ? '' : `: ${code}`;
  const words: Readonly<Record<string, string>> = {
    probation: `Configuration ${version} is on probation`,
    current: `Configuration ${version} is in force`,
    undone: `Configuration ${version} was undone${reason}`,
    refused: `Configuration ${version} was refused${reason}`,
  };
  const failed = state === 'undone' || state === 'refused';
  return {
    kind: 'configuration',
    text: words[state] ?? `Configuration ${version}: ${state}`,
    severity: failed ? 'warning' : 'info',
  };
}
