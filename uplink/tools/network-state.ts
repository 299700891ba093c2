import { fail, ok, type Result } from '#contracts/result.ts';
import type { Children } from '#runtime/child.ts';
import { parseDevices, parseRoutes, parseRules } from './network-parse.ts';
import type { DeviceState, NetworkState, RouteState, RuleState } from './network-types.ts';
import type { Family } from './prefix.ts';
import { ip, step, type StepCode } from './tools.ts';

export {
  type DeviceAddress,
  type DeviceState,
  type NetworkState,
  type RouteState,
  type RuleState,
  tables,
} from './network-types.ts';

/**
 * Reads all of the namespace that this process is in: five short processes. Faults: ROUTING_FAILED, also where a tool
 * prints what it never should, and TOOL_MISSING.
 */
export async function readNetwork(children: Children): Promise<Result<NetworkState>> {
  const [devices, routes4, routes6, rules4, rules6] = await Promise.all([
    readDevices(children),
    read(children, 'the routes of IPv4', ['-N', '-4', '-json', 'route', 'show', 'table', 'all']),
    read(children, 'the routes of IPv6', ['-N', '-6', '-json', 'route', 'show', 'table', 'all']),
    read(children, 'the rules of IPv4', ['-N', '-4', '-json', 'rule']),
    read(children, 'the rules of IPv6', ['-N', '-6', '-json', 'rule']),
  ]);
  if (!devices.ok) return devices;
  const four = both(parsed(routes4, 4, parseRoutes), parsed(rules4, 4, parseRules));
  if (!four.ok) return four;
  // A kernel without IPv6 refuses to be asked for its rules; routes it may still print, of the other family.
  if (isWithout(rules6)) return ok({ families: [4], devices: devices.value, ...four.value });
  const six = both(parsed(routes6, 6, parseRoutes), parsed(rules6, 6, parseRules));
  if (!six.ok) return six;
  return ok({
    families: [4, 6],
    devices: devices.value,
    routes: [...four.value.routes, ...six.value.routes],
    rules: [...four.value.rules, ...six.value.rules],
  });
}

/** Reads the interfaces alone. `code` is what a failure means to the caller. */
export async function readDevices(
  children: Children,
  code: StepCode = 'ROUTING_FAILED',
): Promise<Result<readonly DeviceState[]>> {
  const shown = await read(children, 'the interfaces', ['-json', '-details', 'address', 'show'], code);
  if (!shown.ok) return shown;
  const devices = parseDevices(shown.value);
  return devices === undefined ? nonsense('the interfaces', code) : ok(devices);
}

function read(
  children: Children,
  what: string,
  args: readonly string[],
  code: StepCode = 'ROUTING_FAILED',
): Promise<Result<string>> {
  return step(children, code, `reading ${what}`, ip, args);
}

function parsed<T>(
  shown: Result<string>,
  family: Family,
  parse: (text: string, family: Family) => T | undefined,
): Result<T> {
  if (!shown.ok) return shown;
  const value = parse(shown.value, family);
  const what = parse === (parseRules as unknown) ? 'rules' : 'routes';
  return value === undefined ? nonsense(`the ${what} of IPv${family}`, 'ROUTING_FAILED') : ok(value);
}

function both(
  routes: Result<RouteState[]>,
  rules: Result<RuleState[]>,
): Result<{ routes: RouteState[]; rules: RuleState[] }> {
  if (!routes.ok) return routes;
  if (!rules.ok) return rules;
  return ok({ routes: routes.value, rules: rules.value });
}

function isWithout(rules: Result<string>): boolean {
  return !rules.ok && /not supported/i.test(rules.fault.detail);
}

function nonsense(what: string, code: StepCode): Result<never> {
  return fail(code, `reading ${what}: ip printed something else than was asked for.`);
}
