import { fail, type Result } from '#contracts/result.ts';
import { hurts } from '#test/rigs/fleet/health.ts';
import type { FleetOrder } from '#test/rigs/fleet/orders.ts';
import { type CommandArguments, type CommandContext, report } from '../command.ts';
import { defaultControl, order } from './control.ts';

/** What can be done to a terminal of a simulated fleet, each with its words for the help. */
export const harms: Readonly<Record<string, string>> = {
  ...hurts,
  stop: 'its power is cut',
  start: 'its power is back',
  heal: 'nothing is wrong with it any more',
};

/** `checkpost simulate hurt`; the answer is the exit code. */
export async function simulateHurt(args: CommandArguments, context: CommandContext): Promise<number> {
  const json = args.flag('json');
  const [, terminal = '', what = ''] = args.rest;
  const wanted = orderOf(terminal, what);
  if (!wanted.ok) return report(wanted.fault, context, json);
  const done = await order(args.text('control') ?? defaultControl(context.env), wanted.value);
  if (!done.ok) return report(done.fault, context, json);
  const words = `${terminal}: ${harms[what]}`;
  context.stdout.write(json ? `${JSON.stringify({ terminal, what })}\n` : `${words}\n`);
  return 0;
}

function orderOf(terminal: string, what: string): Result<FleetOrder> {
  if (what === 'stop' || what === 'start' || what === 'heal')
    return { ok: true, value: { do: what, terminal } };
  if (isHurt(what)) return { ok: true, value: { do: 'hurt', terminal, what } };
  return fail('USAGE', `There is no ${what}; there are ${Object.keys(harms).join(', ')}.`);
}

function isHurt(what: string): what is keyof typeof hurts {
  return Object.hasOwn(hurts, what);
}
