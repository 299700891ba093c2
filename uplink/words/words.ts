import { errors } from '#contracts/errors.ts';
import type { WallTime } from '#contracts/units.ts';
import { type UplinkFault, type UplinkStatus, uplinkStates } from '#contracts/uplink.ts';
import { ageWords } from '#runtime/page-words.ts';
import { describeHub, describeLine } from './line-words.ts';
import { wrap } from './wrap.ts';

/**
 * The status for whoever stands at the terminal: lines of at most 80 columns in plain words. The first answers the one
 * question, whether it is connected. `now` is only for the age of the keys; every other age comes with the status.
 */
export function describeUplink(status: UplinkStatus, now: WallTime): string[] {
  return [
    ...headline(status),
    ...section('Uplinks (> carries)', status.uplinks.flatMap(describeLine)),
    ...section(
      'Hubs (> carries)',
      status.hubs.flatMap((hub) => describeHub(hub, now)),
    ),
    ...section('This terminal', [
      ...wrap(firewallWords(status), '  ', 4),
      ...innerWords(status),
      ...wrap(configurationWords(status), '  ', 4),
      ...wrap(clockWords(status), '  ', 4),
    ]),
    ...section('Faults', status.faults.flatMap(faultWords)),
    ...section(
      'Tried lately',
      status.events.flatMap(({ at, text }) => wrap(text, `${`${ageWords(at)} ago`.padStart(13)}  `)),
    ),
  ];
}

/** The same status so many seconds later, if nothing has happened since. */
export function agedStatus(status: UplinkStatus, seconds: number): UplinkStatus {
  const by = Math.max(0, Math.floor(seconds));
  const older = <T extends { readonly since: number }>(one: T): T => ({ ...one, since: one.since + by });
  return {
    ...older(status),
    carrying: status.carrying === null ? null : older(status.carrying),
    uplinks: status.uplinks.map(older),
    hubs: status.hubs.map(older),
    faults: status.faults.map(older),
    events: status.events.map(({ at, text }) => ({ at: at + by, text })),
  };
}

function headline({ state, carrying, evidence, since }: UplinkStatus): string[] {
  if (state !== 'up') {
    const seen = evidence === '' ? [] : wrap(`Seen: ${evidence}`, '', 2);
    return [...wrap(`NOT CONNECTED: ${uplinkStates[state].title}, for ${ageWords(since)}.`, '', 2), ...seen];
  }
  if (carrying === null) return [`Connected for ${ageWords(since)}.`];
  const { uplink, hub, why } = carrying;
  return [
    ...wrap(`Connected through ${uplink} and ${hub} for ${ageWords(carrying.since)}.`, '', 2),
    ...(why === '' ? [] : wrap(`Why: ${why}`, '', 2)),
  ];
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines];
}

function firewallWords({ firewall, routing }: UplinkStatus): string {
  const states = {
    held: 'only the closed list passes',
    open:
      firewall.mode === 'enrolment'
        ? 'open to the servers of the enrolment, for a time'
        : 'open to the page that shows a portal, for a moment',
    failed: 'THE CLOSED LIST COULD NOT BE LOADED',
    off: 'switched off in the settings',
  } as const;
  return `Firewall: ${states[firewall.state]}${again(firewall.restored)}${
    routing.restored === 0 ? '' : `; routes put back ${times(routing.restored)}`
  }`;
}

function again(restored: number): string {
  return restored === 0 ? '' : `; put back ${times(restored)} since the start`;
}

function times(n: number): string {
  return n === 1 ? 'once' : `${n} times`;
}

function innerWords({ inner }: UplinkStatus): string[] {
  if (inner === 'applied') return [];
  return wrap(
    inner === 'waiting'
      ? 'Inner half: has not yet applied what it was told'
      : 'Inner half: IS NOT THERE; see systemctl status checkpost-tunnel',
    '  ',
    4,
  );
}

function configurationWords({ configuration: { version, state, detail } }: UplinkStatus): string {
  const which = version === 0 ? 'the file of the terminal' : `version ${version}`;
  const states = {
    current: 'in force',
    probation: 'on probation until a hub is reached',
    undone: 'in force again, since a newer one was undone',
  } as const;
  return `Configuration: ${which}, ${states[state]}${detail === '' ? '' : `: ${detail}`}`;
}

function clockWords({ clock: { floor, hubOffsetMillis } }: UplinkStatus): string {
  const last = floor === null ? 'never verified' : `last verified ${minuteWords(floor)}`;
  if (hubOffsetMillis === null) return `Clock: ${last}`;
  const off = Math.abs(hubOffsetMillis);
  return `Clock: ${last}; differs from the hub’s by ${off < 1000 ? `${off} ms` : ageWords(off / 1000)}`;
}

/** `2026-11-25 03:00 UTC`. */
function minuteWords(instant: string): string {
  return `${instant.slice(0, 10)} ${instant.slice(11, 16)} UTC`;
}

function faultWords({ code, detail, since }: UplinkFault): string[] {
  const known = Object.hasOwn(errors, code) ? errors[code as keyof typeof errors] : undefined;
  return [
    ...wrap(`${code}, for ${ageWords(since)}${known === undefined ? '' : `: ${known.what}`}`, '  ', 4),
    ...(detail === '' ? [] : wrap(detail, '    ')),
    ...(known === undefined ? [] : wrap(`What to do: ${known.remedy}`, '    ')),
  ];
}
