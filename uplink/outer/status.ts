import type { UplinkSettings } from '#contracts/settings/uplink.ts';
import type { HubStatus, LineStatus, UplinkStatus } from '#contracts/uplink.ts';
import { type MonotonicTime, ms, wall } from '#contracts/units.ts';
import { type Clock, instant } from '#runtime/clock.ts';
import { overall } from '../diagnosis/index.ts';
import type { FirewallState } from '../firewall/index.ts';
import { tunnelSlot } from '../keys/slots.ts';
import { endpointText } from '../resolve/index.ts';
import type { PathMeter } from '../probes/path-meter.ts';
import type { TimeFloor } from '../time/index.ts';
import type { Events } from './events.ts';
import type { StandingFaults } from './faults.ts';
import type { Meters } from './meters.ts';
import type { Session } from './session.ts';

export interface StatusInput {
  /** Undefined where the configuration could not be opened; the faults say why. */
  readonly session: Session | undefined;
  readonly settings: UplinkSettings;
  readonly configuration: UplinkStatus['configuration'];
  readonly firewall: FirewallState;
  readonly startedAt: MonotonicTime;
  /** Since when the state is what it is: kept by the caller. */
  readonly since: (what: string, value: string) => number;
  readonly clock: Clock;
  readonly floor: TimeFloor;
  readonly faults: StandingFaults;
  readonly events: Events;
  readonly meters: Meters;
}

/** The status as it is told to whoever asks. */
export function statusOf(input: StatusInput): UplinkStatus {
  const { session, settings, configuration, firewall, startedAt, since } = input;
  const { clock, floor, faults, events } = input;
  const now = clock.monotonic();
  const whole = overall(session?.diagnoser.all ?? [], ms(now - startedAt));
  const choice = session?.choice;
  const isUp = choice !== undefined && choice.state === 'up';
  return {
    v: 1,
    terminal: settings.terminal,
    state: whole.state,
    evidence: whole.evidence.slice(0, 300),
    since: since('state', whole.state),
    carrying: isUp
      ? {
          uplink: choice.uplink,
          hub: choice.hub,
          since: secondsSince(choice.since, now),
          why: choice.why.slice(0, 300),
        }
      : null,
    uplinks: settings.uplinks.map((line) => lineStatus(line, input, now)),
    hubs: settings.hubs.map((hub) => hubStatus(hub, input)),
    firewall: {
      state: settings.firewall ? firewall.state : 'off',
      mode: firewall.mode,
      restored: firewall.restored,
    },
    routing: { restored: session?.network.restored ?? 0 },
    inner: session?.orders.state ?? 'absent',
    configuration,
    clock: {
      floor: instant(floor.floor),
      hubOffsetMillis: session?.contact.offset ?? null,
    },
    faults: faults.list(),
    events: events.list(),
  };
}

function lineStatus(
  line: UplinkSettings['uplinks'][number],
  { session, meters }: StatusInput,
  now: MonotonicTime,
): LineStatus {
  const view = session?.prober.view(line.name);
  const diagnosed = session?.diagnoser.of(line.name);
  const isMeasured = line.metered || line.monthlyMegabytes > 0;
  const mtu = view?.mtu;
  return {
    name: line.name,
    device: line.device,
    kind: line.kind,
    metered: line.metered,
    state: diagnosed?.state ?? 'untested',
    evidence: diagnosed?.evidence ?? '',
    since: diagnosed === undefined ? 0 : secondsSince(diagnosed.since, now),
    carries: session?.choice?.uplink === line.name && session.choice.state === 'up',
    mtu: mtu === undefined || mtu.state !== 'good' ? null : mtu.size,
    monthBytes: isMeasured ? meters.bytes(line.name) : null,
    overBudget: meters.isOver(line),
    detectSeconds: view?.detectSeconds ?? 0,
    paths:
      view?.paths.map(({ hub, meter }) => ({
        hub,
        state: meter.state,
        loss: meter.loss === undefined ? null : Math.round(meter.loss * 1000) / 1000,
        delayMillis: meter.delayMillis === undefined ? null : Math.round(meter.delayMillis * 10) / 10,
      })) ?? [],
  };
}

function hubStatus(
  { name }: UplinkSettings['hubs'][number],
  { session, settings, since }: StatusInput,
): HubStatus {
  const meters = settings.uplinks.flatMap(
    (line): PathMeter[] =>
      session?.prober
        .view(line.name)
        ?.paths.filter((path) => path.hub === name)
        .map(({ meter }) => meter) ?? [],
  );
  const state = meters.some((one) => one.state === 'up')
    ? 'up'
    : meters.some((one) => one.state === 'down')
      ? 'silent'
      : 'untested';
  const endpoint = session?.resolver.endpoints.get(name);
  const slot = tunnelSlot(name);
  const view = session?.parts.keys.view(slot);
  const rotation = session?.keyChanges.state(slot) ?? { state: 'current' as const, detail: '' };
  const rotatedAt = view?.ok === true ? view.value.since : null;
  return {
    name,
    state,
    since: since(`hub ${name}`, state),
    endpoint: endpoint === undefined ? null : endpointText(endpoint),
    carries: session?.choice?.hub === name && session.choice.state === 'up',
    key: {
      state: rotation.state,
      rotatedAt: rotatedAt === null ? null : instant(wall(rotatedAt)),
      detail: rotation.detail.slice(0, 300),
    },
  };
}

function secondsSince(at: MonotonicTime, now: MonotonicTime): number {
  return Math.max(0, Math.round((now - at) / 1000));
}
