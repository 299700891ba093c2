import { conditionNote } from '#contracts/conditions.ts';
import type { Condition } from '#contracts/health.ts';

/** The conditions that no other one explains, gravest and then oldest first. */
export function causes(conditions: readonly Condition[]): Condition[] {
  const codes = new Set(conditions.map(({ code }) => code));
  const isExplained = ({ code }: Condition): boolean =>
    conditionNote(code)?.dependsOn.some((other) => other !== code && codes.has(other)) ?? false;
  const grave = ({ code }: Condition): number => (conditionNote(code)?.severity === 'error' ? 0 : 1);
  return conditions
    .filter((one) => !isExplained(one))
    .toSorted((a, b) => grave(a) - grave(b) || (a.since < b.since ? -1 : a.since > b.since ? 1 : 0));
}
