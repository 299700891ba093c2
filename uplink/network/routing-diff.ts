import { isIP } from 'node:net';
import { type NetworkState, type RouteState, type RuleState, tables } from '../tools/network-state.ts';
import type { Family } from '../tools/prefix.ts';
import {
  type PlannedRoute,
  type PlannedRule,
  type RoutingPlan,
  rulePriorities,
  tableCount,
} from './routing.ts';

/** Arguments of `ip`. */
export type IpCommand = readonly string[];

/**
 * What `ip` has to be told so that the kernel has what is planned; pure. Nothing but our own tables and the rules of
 * our own priorities is touched, except that the kernel's three own rules come back where somebody flushed them. Routes
 * come before the rules that lead to them, and what is stale goes last, so that at no moment a packet finds less than
 * before. A route over a device that is not there or is down is left out: the kernel would refuse it.
 */
export function diffRouting(plan: RoutingPlan, actual: NetworkState): IpCommand[] {
  const { families } = actual;
  const up = new Set(actual.devices.filter((device) => device.up).map(({ name }) => name));
  const routes = plan.routes.filter(
    ({ family, device }) => families.includes(family) && (device === undefined || up.has(device)),
  );
  const rules = plan.rules.filter(({ family }) => families.includes(family));
  const ourRoutes = actual.routes.filter(({ table }) => table >= plan.mark && table < plan.mark + tableCount);
  const ourRules = actual.rules.filter(
    ({ priority }) => priority >= rulePriorities.first && priority <= rulePriorities.last,
  );
  const newRoutes = routes.filter((route) => !ourRoutes.some((one) => isRoute(route, one)));
  // The new one takes its place. Where it should not have, as kernels differ there for IPv6, the next look finds it.
  const replaced = (one: RouteState): boolean =>
    !one.shared && newRoutes.some((route) => sameSlot(route, one));
  return [
    ...newRoutes.map((route) => [flag(route.family), 'route', 'replace', ...routeArguments(route)]),
    ...rules
      .filter((rule) => !ourRules.some((one) => isRule(rule, one)))
      .map((rule) => [flag(rule.family), 'rule', 'add', ...ruleArguments(rule)]),
    ...missingDefaults(actual),
    ...ourRules
      .filter((one) => !rules.some((rule) => isRule(rule, one)))
      .map((one) => [flag(one.family), 'rule', 'delete', ...ruleArguments(one)]),
    ...ourRoutes
      .filter((one) => !routes.some((route) => isRoute(route, one)) && !replaced(one))
      .map((one) => [flag(one.family), 'route', 'delete', ...routeArguments(one)]),
  ];
}

const flag = (family: Family): string => `-${family}`;

function isRoute(route: PlannedRoute, one: RouteState): boolean {
  return (
    sameSlot(route, one) &&
    !one.shared &&
    route.type === one.type &&
    // The kernel hangs an unreachable route of IPv6 on the loopback device.
    (route.type === 'unreachable' || (route.device === one.device && route.gateway === one.gateway))
  );
}

/** What the kernel keeps one route for. */
function sameSlot(route: PlannedRoute, one: RouteState): boolean {
  return (
    route.family === one.family &&
    route.table === one.table &&
    route.destination === one.destination &&
    route.metric === one.metric
  );
}

function routeArguments(route: PlannedRoute | RouteState): string[] {
  const { family, type, destination, device, gateway, metric, table } = route;
  const shared = 'shared' in route && route.shared;
  const way: string[] = [];
  if (type === 'unicast' && !shared) {
    // `onlink`: the router need not be in a network of the device (many a modem's is not), nor, while somebody has
    // flushed the main table, is there anything that the kernel could look it up in.
    if (gateway !== undefined)
      way.push('via', ...(family === 4 && isIP(gateway) === 6 ? ['inet6'] : []), gateway);
    if (device !== undefined) way.push('dev', device);
    if (gateway !== undefined) way.push('onlink');
  }
  const kind = type === 'unicast' ? [] : [type];
  return [...kind, destination, ...way, 'metric', String(metric), 'table', String(table)];
}

function isRule(rule: PlannedRule, one: RuleState): boolean {
  return (
    !one.special &&
    rule.family === one.family &&
    rule.priority === one.priority &&
    rule.fwmark === one.fwmark &&
    rule.from === one.from &&
    rule.table === one.table
  );
}

function ruleArguments({ priority, fwmark, from, table }: PlannedRule | RuleState): string[] {
  return [
    'priority',
    String(priority),
    ...(from === undefined ? [] : ['from', from]),
    ...(fwmark === undefined ? [] : ['fwmark', String(fwmark)]),
    ...(table === 0 ? [] : ['table', String(table)]),
  ];
}

/**
 * The rules that every kernel starts with (ip-rule(8)): without them the machine reaches nothing, not even its own
 * router by DHCP. Where another program has put one at another priority, it stays as that program wants it.
 */
function missingDefaults({ families, rules }: NetworkState): IpCommand[] {
  return families.flatMap((family) =>
    (
      [
        [0, tables.local],
        [32_766, tables.main],
        [32_767, tables.default],
      ] as const
    )
      // IPv6 has no table `default`.
      .filter(([, table]) => family === 4 || table !== tables.default)
      .filter(
        ([, table]) =>
          !rules.some(
            (rule) =>
              rule.family === family &&
              rule.table === table &&
              !rule.special &&
              rule.fwmark === undefined &&
              rule.from === undefined,
          ),
      )
      .map(([priority, table]) => [
        flag(family),
        'rule',
        'add',
        ...ruleArguments({ family, priority, table }),
      ]),
  );
}
