import { alertNote } from '#contracts/api/alerts.ts';
import { causes } from '#contracts/conditions.ts';
import type { Condition } from '#contracts/health.ts';
import type { AlertSettings } from '#contracts/settings/alerting.ts';
import { massOutage, type OfflineTerminal } from './outage.ts';
import type { Place, TerminalTroubles } from './places.ts';
import type { AlertRecord } from './record.ts';

/** Something that is an alert now. */
export interface Trouble {
  /** What tells it from every other trouble: code, terminal and subject. */
  readonly trouble: string;
  readonly code: string;
  readonly severity: 'warning' | 'error';
  readonly place: Place | undefined;
  readonly subject: string | null;
  /** The trouble that explains it. */
  readonly cause: string | undefined;
  /** A planned maintenance covers it. */
  readonly planned: boolean;
  /** Its terminal is silent, but not yet for so long that this is an alert: it may soon be explained, so nobody is told yet. */
  readonly held: boolean;
}

export interface TroubleInput {
  readonly fleet: Iterable<TerminalTroubles>;
  /** Conditions of the centre itself. */
  readonly centre: readonly Condition[];
  /** Alerts that stand now, by their trouble. */
  readonly standing: ReadonlyMap<string, AlertRecord>;
  readonly inMaintenance: (place: Place | undefined) => boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly settings: AlertSettings;
}

interface Why {
  readonly cause?: string | undefined;
  readonly planned: boolean;
  readonly held?: boolean;
}

/** A broker that is gone is noticed a little after the terminals have begun to be silent for it. */
const brokerSlack = 60_000;

const nameOf = (code: string, terminal?: string, subject?: string): string =>
  `${code}|${terminal ?? ''}|${subject ?? ''}`;

/** All that should be an alert now, each with what explains it: causes are never in a circle. */
export function findTroubles(input: TroubleInput): Map<string, Trouble> {
  const found = new Map<string, Trouble>();
  const add = (code: string, subject: string | undefined, place: Place | undefined, why: Why): string => {
    const trouble = nameOf(code, place?.terminal, subject);
    const { severity } = alertNote(code);
    const { cause, planned, held = false } = why;
    found.set(trouble, { trouble, code, severity, place, subject: subject ?? null, cause, planned, held });
    return trouble;
  };

  const planned = input.inMaintenance(undefined);
  for (const { code, subject } of input.centre) add(code, subject, undefined, { planned });
  const broker = input.centre.find(({ code }) => code === 'broker-unreachable');

  const offline: (OfflineTerminal & { readonly at: TerminalTroubles })[] = [];
  const onlineSites = new Set<string>();
  const troubled: TerminalTroubles[] = [];
  for (const at of input.fleet) {
    if (at.state === 'online') onlineSites.add(at.site);
    if (at.conditions.length > 0) troubled.push(at);
    if (at.state === 'offline' || at.state === 'suspect') {
      const { terminal, site } = at;
      if (!input.inMaintenance(at))
        offline.push({ terminal, site, since: Date.parse(at.since ?? '') || 0, at });
      else if (isOffline(at, input)) add('terminal-offline', undefined, at, { planned: true });
    }
  }

  const mass = nameOf('mass-outage');
  const together = massOutage(
    offline.filter(({ at }) => at.state === 'offline'),
    onlineSites,
    input.settings,
    input.standing.has(mass),
  );
  const brokerName = broker === undefined ? undefined : nameOf(broker.code, undefined, broker.subject);
  const brokerSince = broker === undefined ? Infinity : Date.parse(broker.since) - brokerSlack;
  if (together.size > 0) add('mass-outage', undefined, undefined, { cause: brokerName, planned });

  const bySite = new Map<string, (typeof offline)[number][]>();
  for (const one of offline) {
    if (!isOffline(one.at, input)) continue;
    const cause = one.since >= brokerSince ? brokerName : together.has(one.terminal) ? mass : undefined;
    if (cause !== undefined) add('terminal-offline', undefined, one.at, { cause, planned: false });
    else bySite.set(one.site, [...(bySite.get(one.site) ?? []), one]);
  }
  for (const group of bySite.values()) {
    // The one that opened first explains the others.
    const [first, ...others] = group.toSorted((a, b) => order(a, b, input.standing));
    if (first === undefined) continue;
    const cause = add('terminal-offline', undefined, first.at, { planned: false });
    for (const { at } of others) add('terminal-offline', undefined, at, { cause, planned: false });
  }
  for (const at of troubled) addConditions(at, input, found, add);
  return found;
}

/** Silent for longer than it is given; once that is an alert, until it is back. */
function isOffline(at: TerminalTroubles, { standing, now, settings }: TroubleInput): boolean {
  if (standing.has(nameOf('terminal-offline', at.terminal))) return true;
  if (at.state !== 'offline') return false;
  const tolerance = at.metered ? settings.meteredOfflineSeconds : settings.offlineSeconds;
  return now - (Date.parse(at.since ?? '') || 0) >= tolerance * 1000;
}

function order(a: OfflineTerminal, b: OfflineTerminal, standing: TroubleInput['standing']): number {
  const id = ({ terminal }: OfflineTerminal): number =>
    standing.get(nameOf('terminal-offline', terminal))?.id ?? Number.MAX_SAFE_INTEGER;
  return id(a) - id(b) || a.since - b.since || (a.terminal < b.terminal ? -1 : 1);
}

function addConditions(
  at: TerminalTroubles,
  input: TroubleInput,
  found: Map<string, Trouble>,
  add: (code: string, subject: string | undefined, place: Place, why: Why) => string,
): void {
  const offline = found.get(nameOf('terminal-offline', at.terminal));
  const planned = input.inMaintenance(at);
  const held = offline === undefined && (at.state === 'offline' || at.state === 'suspect');
  // Two reports of one thing are one thing. Whether it is offline is told by its state alone.
  const conditions = new Map(
    at.conditions
      .filter(({ code }) => code !== 'terminal-offline')
      .map((one) => [nameOf(one.code, at.terminal, one.subject), one] as const),
  );
  const explained = new Map<string, string>();
  for (const [trouble, condition] of conditions) {
    const cause = offline?.trouble ?? explanation(trouble, condition, conditions, explained);
    if (cause !== undefined) explained.set(trouble, cause);
    add(condition.code, condition.subject, at, { cause, planned, held });
  }
}

/** The first standing condition that explains this one and is not explained by it itself. */
function explanation(
  trouble: string,
  condition: Condition,
  conditions: ReadonlyMap<string, Condition>,
  explained: ReadonlyMap<string, string>,
): string | undefined {
  for (const [name, other] of conditions) {
    // One by one, by the rule that terminals and pages use too.
    if (name === trouble || causes([condition, other]).includes(condition)) continue;
    let at: string | undefined = name;
    while (at !== undefined && at !== trouble) at = explained.get(at);
    if (at === undefined) return name;
  }
  return undefined;
}
