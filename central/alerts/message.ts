import type { AlertEvent, AlertNotice } from '#contracts/api/alerts.ts';

/** Words of a mail about alerts: one line of subject, plain text beneath. */
export interface Message {
  readonly subject: string;
  readonly text: string;
}

const words: Readonly<Record<AlertEvent, string>> = {
  opened: 'opened',
  escalated: 'still open, nobody has acknowledged it',
  flapping: 'comes and goes',
  closed: 'over',
};

/** One mail of several notices: what opened before what is over, the gravest first. */
export function writeMessage(notices: readonly AlertNotice[]): Message {
  const ordered = notices.toSorted((a, b) => rank(a) - rank(b));
  const [first] = ordered;
  if (first === undefined) return { subject: 'Checkpost', text: '' };
  const more = ordered.length === 1 ? '' : ` and ${ordered.length - 1} more`;
  const over = first.event === 'closed' ? 'over: ' : '';
  return {
    subject: `[${first.alert.severity}] ${where(first)}: ${over}${what(first)}${more}`,
    text: ordered.map(paragraph).join('\n'),
  };
}

function rank({ event, alert }: AlertNotice): number {
  return (event === 'closed' ? 2 : 0) + (alert.severity === 'error' ? 0 : 1);
}

function where({ alert }: AlertNotice): string {
  return alert.site ?? 'centre';
}

function what({ title, alert }: AlertNotice): string {
  return alert.subject === null ? title : `${title} (${alert.subject})`;
}

function paragraph(notice: AlertNotice): string {
  const { alert, event, step } = notice;
  const lines = [
    `${alert.severity.toUpperCase()} ${what(notice)}`,
    `  ${words[event]}${step > 0 ? `, step ${step}` : ''}`,
    `  where: ${alert.terminal ?? 'the centre'}${alert.site === null ? '' : `, site ${alert.site}`}`,
    `  since: ${alert.openedAt}${alert.closedAt === null ? '' : `, until ${alert.closedAt}`}`,
    ...(alert.times > 1 ? [`  times: ${alert.times}`] : []),
    ...(event === 'closed' ? [] : [`  what to do: ${notice.remedy}`]),
    `  alert ${alert.id}, ${alert.code}`,
  ];
  return `${lines.join('\n')}\n`;
}
