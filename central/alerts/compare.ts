import type { AlertEvent } from '#contracts/api/alerts.ts';
import type { AlertSettings } from '#contracts/settings/alerting.ts';
import { isSilenced, nextDue, text } from './due.ts';
import type { AlertRecord } from './record.ts';
import type { Routing } from './routing.ts';
import type { Trouble } from './troubles.ts';

/** One thing to tell, and to whom: the channels that the rules name, those of a step, or all that were told before. */
export interface Telling {
  readonly event: AlertEvent;
  readonly step: number;
  readonly to: readonly string[] | 'told before';
}

/** What becomes of one alert: a new one has no id yet. */
export interface Change {
  readonly before: AlertRecord | undefined;
  readonly after: Omit<AlertRecord, 'id'>;
  /** The trouble that explains it. */
  readonly cause: string | undefined;
  readonly tellings: readonly Telling[];
}

export interface CompareParts {
  readonly settings: AlertSettings;
  readonly routing: Routing;
}

const hour = 3_600_000;
/** After a cause at the centre itself is gone, terminals are given so long to come back before anybody is told of each. */
const settle = 180_000;

/**
 * What must change so that the alerts say what is found. Whoever asks again after the changes were made gets none: a
 * restart or another leader tells nobody twice.
 */
export function compare(
  found: ReadonlyMap<string, Trouble>,
  rows: readonly AlertRecord[],
  now: number,
  parts: CompareParts,
): Change[] {
  const known = new Map<string, AlertRecord>();
  const byId = new Map(rows.map((row) => [row.id, row]));
  for (const row of rows) {
    // Of a trouble that is over for good there may be a newer row.
    if (row.state !== 'closed' || (row.over_at ?? '') > text(now)) known.set(row.trouble, row);
  }
  const changes: Change[] = [];
  for (const trouble of found.values()) {
    const before = known.get(trouble.trouble);
    const change =
      before === undefined ? opened(trouble, now, parts) : kept(before, trouble, known, byId, now, parts);
    if (change === undefined) continue;
    // What was told already goes on being told: only news waits until it is clear whether the terminal is there.
    const isNews = change.after.told_at === null;
    const told = trouble.held && isNews ? change : tellDue(change, now, parts);
    if (told.after !== before) changes.push(told);
  }
  for (const row of rows) {
    const current = known.get(row.trouble) === row;
    if (current && found.has(row.trouble)) continue;
    const after = row.state === 'closed' ? row : closed(row, now, parts);
    const change = tellDue({ before: row, after, cause: undefined, tellings: [] }, now, parts);
    if (change.after !== row) changes.push(change);
  }
  return changes;
}

function opened(trouble: Trouble, now: number, parts: CompareParts): Change {
  const { place, code, severity, subject, cause } = trouble;
  const record: Omit<AlertRecord, 'id'> = {
    trouble: trouble.trouble,
    code,
    severity,
    terminal: place?.terminal ?? null,
    site: place?.site ?? null,
    bureau: place?.bureau ?? null,
    subject,
    state: trouble.planned || cause !== undefined ? 'suppressed' : 'open',
    cause: null,
    opened_at: text(now),
    closed_at: null,
    over_at: null,
    times: 1,
    returns: '[]',
    flapping: 0,
    told_at: null,
    due_at: null,
    acknowledged_at: null,
    acknowledged_by: null,
    acknowledged_note: null,
    silenced_until: null,
    escalation: 0,
  };
  const after = { ...record, due_at: nextDue(record, now, parts) };
  return { before: undefined, after, cause: trouble.planned ? undefined : cause, tellings: [] };
}

function kept(
  before: AlertRecord,
  trouble: Trouble,
  known: ReadonlyMap<string, AlertRecord>,
  byId: ReadonlyMap<number, AlertRecord>,
  now: number,
  parts: CompareParts,
): Change | undefined {
  const cause = trouble.planned ? undefined : trouble.cause;
  const state = trouble.planned || cause !== undefined ? 'suppressed' : 'open';
  const causeId = cause === undefined ? null : known.get(cause)?.id;
  const { site = null, bureau = null } = trouble.place ?? {};
  const { severity } = trouble;
  const moved = site !== before.site || bureau !== before.bureau || severity !== before.severity;
  const back = before.state === 'closed';
  if (state === before.state && causeId === before.cause && !moved) {
    const due = before.due_at !== null && before.due_at <= text(now);
    return due ? { before, after: before, cause, tellings: [] } : undefined;
  }
  let after: AlertRecord = { ...before, state, severity, site, bureau, cause: causeId ?? null };
  const tellings: Telling[] = [];
  if (back) {
    const returns = [...(JSON.parse(before.returns) as string[]), text(now)].filter(
      (at) => Date.parse(at) > now - hour,
    );
    after = {
      ...after,
      closed_at: null,
      over_at: null,
      times: before.times + 1,
      returns: JSON.stringify(returns),
    };
    if (before.flapping === 0 && returns.length >= parts.settings.flappingTimes) {
      after = { ...after, flapping: 1 };
      if (state === 'open' && after.acknowledged_at === null && !isSilenced(after, now)) {
        after = { ...after, told_at: after.told_at ?? text(now) };
        tellings.push({ event: 'flapping', step: 0, to: parts.routing.opened(severity, bureau) });
      }
    }
  }
  if (back || state !== before.state) {
    const atCentre = before.cause !== null && isOfCentre(byId.get(before.cause));
    after = { ...after, due_at: nextDue(after, now, parts, atCentre ? settle : 0) };
  }
  return { before, after, cause, tellings };
}

function isOfCentre(cause: AlertRecord | undefined): boolean {
  return cause !== undefined && cause.terminal === null;
}

function closed(row: AlertRecord, now: number, { settings }: CompareParts): AlertRecord {
  // What flaps is over only when it has been calm for as long as flapping is counted over.
  const same = Math.max(settings.returnSeconds * 1000, row.flapping === 1 ? hour : 0);
  const over = text(now + same);
  const tell = row.told_at !== null && !isSilenced(row, now);
  return { ...row, state: 'closed', closed_at: text(now), over_at: over, due_at: tell ? over : null };
}

/** Takes the steps that are due. */
function tellDue(change: Change, now: number, parts: CompareParts): Change {
  let { after } = change;
  const tellings = [...change.tellings];
  const { routing } = parts;
  while (after.due_at !== null && after.due_at <= text(now)) {
    if (after.state === 'closed') {
      tellings.push({ event: 'closed', step: 0, to: 'told before' });
      after = { ...after, due_at: null };
    } else if (isSilenced(after, now)) {
      after = { ...after, due_at: after.silenced_until };
    } else if (after.told_at === null) {
      tellings.push({ event: 'opened', step: 0, to: routing.opened(after.severity, after.bureau) });
      after = withNext({ ...after, told_at: text(now) }, routing);
    } else {
      const step = routing.steps(after.severity)[after.escalation];
      if (step === undefined) {
        after = { ...after, due_at: null };
      } else {
        tellings.push({ event: 'escalated', step: after.escalation + 1, to: step.to });
        after = withNext({ ...after, escalation: after.escalation + 1 }, routing);
      }
    }
  }
  return { ...change, after, tellings };
}

function withNext(record: Omit<AlertRecord, 'id'>, routing: Routing): Omit<AlertRecord, 'id'> {
  const step = routing.steps(record.severity)[record.escalation];
  const told = Date.parse(record.told_at ?? record.opened_at);
  return { ...record, due_at: step === undefined ? null : text(told + step.afterMinutes * 60_000) };
}
