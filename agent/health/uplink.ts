import type { ConditionCode } from '#contracts/conditions.ts';
import type { UplinkHealth } from '#contracts/health.ts';
import type { LineState, LineStatus, UplinkStatus } from '#contracts/uplink.ts';
import type { Found } from './found.ts';

/** What is known of the uplink: nothing (no helper here, or not yet), that its helper is gone, or what it says. */
export type UplinkFacts =
  | { readonly helper: 'none' }
  | { readonly helper: 'absent' }
  | {
      readonly helper: 'present';
      readonly status: UplinkStatus;
      /** Whether the firewall had to be put back within the last hour. */
      readonly firewallTouched: boolean;
    };

type BadLine = Exclude<LineState, 'up' | 'untested'>;
const lineConditions: Readonly<Record<BadLine, ConditionCode>> = {
  'no-device': 'line-no-device',
  'no-carrier': 'line-no-carrier',
  'no-address': 'line-no-address',
  'no-route': 'line-no-route',
  'gateway-silent': 'line-gateway-silent',
  'dns-dead': 'line-dns-dead',
  'captive-portal': 'line-captive-portal',
  'no-data': 'line-no-data',
  'hubs-silent': 'line-hubs-silent',
  'large-lost': 'line-large-lost',
};

/** The section of the report; null where nothing is known. */
export function uplinkHealth(facts: UplinkFacts): UplinkHealth | null {
  if (facts.helper !== 'present') return null;
  const { state, carrying, uplinks } = facts.status;
  return {
    state,
    uplink: carrying?.uplink ?? null,
    hub: carrying?.hub ?? null,
    uplinks: uplinks.map((line) => {
      const path = bestPath(line, carrying?.hub);
      return {
        name: line.name,
        state: line.state,
        loss: path?.loss ?? null,
        delayMillis: path === undefined || path.delayMillis === null ? null : Math.round(path.delayMillis),
        mtu: line.mtu,
        monthBytes: line.monthBytes,
        overBudget: line.overBudget,
      };
    }),
  };
}

/** The path to the hub that carries, while it works; else the one that loses least. */
function bestPath({ paths }: LineStatus, hub: string | undefined): LineStatus['paths'][number] | undefined {
  const rank = ({ state, loss }: LineStatus['paths'][number]): number =>
    (state === 'up' ? 0 : 2) + (loss ?? 1);
  return (
    paths.find((path) => path.hub === hub && path.state === 'up') ??
    [...paths].sort((a, b) => rank(a) - rank(b))[0]
  );
}

/** RFC 8200 section 5: every link must pass packets of this size. */
const leastMtu = 1280;
const keyDays = 90;

/**
 * The conditions of the uplink, those too that another one explains; a fault that has a condition of its own is not said
 * a second time.
 */
export function uplinkConditions(facts: UplinkFacts): Found[] {
  if (facts.helper === 'none') return [];
  if (facts.helper === 'absent') return [{ code: 'uplink-helper-absent' }];
  const { status, firewallTouched } = facts;
  const found: Found[] = [];
  const when = (holds: boolean, code: ConditionCode, subject?: string): void => {
    if (holds) found.push(subject === undefined ? { code } : { code, subject });
  };
  when(status.firewall.state === 'failed', 'firewall-failed');
  when(status.state === 'hubs-down', 'hubs-down');
  when(status.state === 'hubs-down' || status.state === 'lines-down', 'tunnel-down');
  // The half in the namespace of the agent is a service of its own.
  when(status.inner === 'absent', 'uplink-helper-absent', 'checkpost-tunnel');
  for (const { name, state, mtu, overBudget } of status.uplinks) {
    if (state !== 'up' && state !== 'untested') when(true, lineConditions[state], name);
    when(mtu !== null && mtu < leastMtu, 'mtu-low', name);
    when(overBudget, 'line-over-budget', name);
  }
  for (const { name, state, key } of status.hubs) {
    when(status.state !== 'starting' && state === 'silent', 'hub-silent', name);
    when(key.state === 'failed', 'uplink-key-failed', name);
  }
  when(firewallTouched, 'firewall-touched');
  when(status.configuration.state === 'undone', 'uplink-configuration-undone');
  const said = new Set(found.map(({ code }) => code));
  const codes = new Set(status.faults.map(({ code }) => code));
  for (const code of codes) {
    const own = ownCondition[code];
    when(code !== '' && (own === undefined || !own.some((one) => said.has(one))), 'uplink-fault', code);
  }
  return found;
}

/** Faults that another condition may already stand for. */
const ownCondition: Readonly<Record<string, readonly ConditionCode[] | undefined>> = {
  FIREWALL_FAILED: ['firewall-failed'],
  ROTATION_FAILED: ['uplink-key-failed'],
  HUB_UNREACHABLE: ['tunnel-down', 'hub-silent', 'uplink-key-failed', ...Object.values(lineConditions)],
};

/** Keys of the tunnel that should have been replaced; `now` is trusted time, in milliseconds since 1970. */
export function oldKeys(facts: UplinkFacts, now: number): Found[] {
  if (facts.helper !== 'present') return [];
  const old = facts.status.hubs.filter(
    ({ key: { rotatedAt } }) => rotatedAt !== null && now - Date.parse(rotatedAt) > keyDays * 86_400_000,
  );
  return old.map(({ name }) => ({ code: 'tunnel-key-old', subject: name }));
}
