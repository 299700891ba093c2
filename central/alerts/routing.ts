import { fail, ok, type Result } from '#contracts/result.ts';
import type { NotificationSettings } from '#contracts/settings/alerting.ts';

export type Severity = 'warning' | 'error';
export type ChannelSettings = NotificationSettings['channels'][number];

export interface EscalationStep {
  readonly afterMinutes: number;
  readonly to: readonly string[];
}

/** Who is told of what. */
export interface Routing {
  readonly channels: readonly ChannelSettings[];
  /** Channels that are told when an alert opens; `bureau` null for the centre's own. */
  opened(severity: Severity, bureau: string | null): readonly string[];
  /** Steps that an alert takes while nobody acknowledges it, in order of time. */
  steps(severity: Severity): readonly EscalationStep[];
}

const loopback = new Set(['localhost', '127.0.0.1', '::1']);

/** Faults: SETTINGS_INVALID where a rule names a channel that there is not, or a password would travel in clear. */
export function createRouting(settings: NotificationSettings): Result<Routing> {
  const { channels, rules, escalation } = settings;
  const names = new Set(channels.map(({ name }) => name));
  const wrong: string[] = [];
  if (names.size < channels.length) wrong.push('notifications.channels: two channels have the same name');
  const check = (where: string, to: readonly string[]): void => {
    for (const name of to) if (!names.has(name)) wrong.push(`${where}: there is no channel ${name}`);
  };
  rules.forEach(({ to }, at) => check(`notifications.rules.${at}.to`, to));
  escalation.forEach(({ to }, at) => check(`notifications.escalation.${at}.to`, to));
  channels.forEach((channel, at) => {
    if (channel.kind !== 'email') return;
    const where = `notifications.channels.${at}`;
    if (channel.tls === 'none' && !loopback.has(channel.host))
      wrong.push(`${where}.tls: without TLS mail goes only to this machine itself`);
    if ((channel.user === undefined) !== (channel.passwordFile === undefined))
      wrong.push(`${where}: user and passwordFile belong together`);
  });
  if (wrong.length > 0) return fail('SETTINGS_INVALID', wrong.join('\n'));

  const fits = (least: Severity, severity: Severity): boolean => least === 'warning' || severity === 'error';
  const steps = escalation.toSorted((a, b) => a.afterMinutes - b.afterMinutes);
  return ok({
    channels,
    opened(severity, bureau) {
      if (rules.length === 0) return [...names];
      const fitting = rules.filter(
        (rule) => fits(rule.severity, severity) && (rule.bureau === undefined || rule.bureau === bureau),
      );
      return [...new Set(fitting.flatMap(({ to }) => to))];
    },
    steps: (severity) => steps.filter((step) => fits(step.severity, severity)),
  });
}
