import type { AlertSettings } from '#contracts/settings/alerting.ts';
import { instant } from '#runtime/clock.ts';
import { wall } from '#contracts/units.ts';
import type { AlertRecord } from './record.ts';
import type { Routing } from './routing.ts';

export const text = (at: number): string => instant(wall(at));

/** So long an alert stands before anybody is told, in milliseconds. */
export function tellDelay(severity: 'warning' | 'error', settings: AlertSettings): number {
  return (severity === 'error' ? settings.errorDelaySeconds : settings.warningDelaySeconds) * 1000;
}

/**
 * When somebody is told next of an alert that has just changed; null where nobody is. Told already: the next step of
 * escalation, counted from when it was told first, but never at once: it may just have come back.
 */
export function nextDue(
  record: Omit<AlertRecord, 'id'>,
  now: number,
  parts: { readonly settings: AlertSettings; readonly routing: Routing },
  atLeast = 0,
): string | null {
  if (record.state !== 'open' || record.acknowledged_at !== null) return null;
  let due = now + Math.max(tellDelay(record.severity, parts.settings), atLeast);
  if (record.told_at !== null) {
    const step = parts.routing.steps(record.severity)[record.escalation];
    if (step === undefined) return null;
    due = Math.max(due, Date.parse(record.told_at) + step.afterMinutes * 60_000);
  }
  return text(due);
}

export function isSilenced(record: Pick<AlertRecord, 'silenced_until'>, now: number): boolean {
  return record.silenced_until !== null && Date.parse(record.silenced_until) > now;
}
