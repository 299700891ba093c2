import type { Condition } from '#contracts/health.ts';
import { conditionOf, forWords } from '../words.ts';
import { Marked } from './marked.tsx';

/** A condition in full: what, since when, what it means, what to do. */
export function ConditionNote({ condition, now }: { readonly condition: Condition; readonly now: number }) {
  const { severity, title, text, remedy } = conditionOf(condition.code);
  return (
    <li class={`condition ${severity}`}>
      <b>
        {title}
        {condition.subject !== undefined && `: ${condition.subject}`}
      </b>{' '}
      <span class="small">{forWords(condition.since, now)}</span>
      <span class="small">
        <Marked text={`${text} ${remedy}`} />
      </span>
    </li>
  );
}

/** The first conditions of a row in a few words. */
export function conditionSummary(conditions: readonly Condition[]): string {
  const [first, ...more] = conditions;
  if (first === undefined) return '';
  const { title } = conditionOf(first.code);
  const subject = first.subject === undefined ? '' : `: ${first.subject}`;
  return `${title}${subject}${more.length === 0 ? '' : ` and ${more.length} more`}`;
}
