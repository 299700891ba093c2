import { existsSync, readFileSync } from 'node:fs';
import { authorityFiles, needsPassphrase } from '#provisioning/index.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { ms } from '#contracts/units.ts';
import { instant, pause, systemClock } from '#runtime/clock.ts';
import { toFault } from '#runtime/errors.ts';
import { PlayedFleet, type PlayedFleetOrder } from '#test/rigs/fleet/fleet.ts';
import type { FleetHands } from '#test/rigs/fleet/orders.ts';
import { type CommandArguments, type CommandContext, report } from '../command.ts';
import { untilStopped } from '../until-stopped.ts';
import { readWhole } from '../verbs.ts';
import { defaultControl, listenForOrders } from './control.ts';
import { obeyParent, startParts } from './parts.ts';

/** How often it is told how they are, in milliseconds. */
const tellEvery = ms(5000);

interface Order {
  readonly fleet: PlayedFleetOrder;
  readonly perSecond: number;
  readonly processes: number;
  readonly control: string;
}

/** `checkpost simulate fleet`; the answer is the exit code. */
export async function simulateFleet(args: CommandArguments, context: CommandContext): Promise<number> {
  const json = args.flag('json');
  const order = readOrder(args, context);
  if (!order.ok) return report(order.fault, context, json);
  const { fleet: of, perSecond, processes } = order.value;
  if (of.part !== undefined) return playPart(of, perSecond, context);
  context.stderr.write(`simulate: making ${of.terminals} terminals at ${of.sites} sites\n`);
  let fleet: PlayedFleet;
  try {
    fleet = await PlayedFleet.prepare(of);
  } catch (thrown) {
    return report(toFault(thrown), context, json);
  }
  if (args.flag('prepare')) {
    context.stdout.write(
      json
        ? `${JSON.stringify({ event: 'prepared', registry: of.registry })}\n`
        : `written: ${of.registry}\n`,
    );
    return 0;
  }
  const hands = processes > 1 ? startParts(processes) : fleet;
  try {
    const socket = await listenForOrders(order.value.control, hands);
    if (!socket.ok) return report(socket.fault, context, json);
    context.stdout.write(
      json
        ? `${JSON.stringify({ event: 'ready', terminals: of.terminals, control: order.value.control, pid: process.pid })}\n`
        : `orders at ${order.value.control}\n`,
    );
    if (hands === fleet) void fleet.start(perSecond).then(() => fleet.load.start());
    await tellUntilStopped(hands, context);
    await socket.value.close();
  } finally {
    await hands.close();
  }
  return 0;
}

async function tellUntilStopped(hands: FleetHands, context: CommandContext): Promise<void> {
  const stopped = untilStopped(context.signal);
  while (!context.signal.aborted) {
    await pause(systemClock, tellEvery, context.signal);
    const told = context.signal.aborted ? undefined : await hands.obey({ do: 'count' });
    if (told?.ok !== true || told.counts === undefined) continue;
    const at = instant(systemClock.wall());
    context.stdout.write(`${JSON.stringify({ event: 'counts', at, ...told.counts })}\n`);
  }
  await stopped;
}

/** One of several processes: it is told what to do by the one that started it. */
async function playPart(
  order: PlayedFleetOrder,
  perSecond: number,
  context: CommandContext,
): Promise<number> {
  const fleet = await PlayedFleet.prepare(order);
  const gone = obeyParent(fleet);
  void fleet.start(perSecond).then(() => fleet.load.start());
  await untilStopped(AbortSignal.any([context.signal, gone]));
  await fleet.close();
  return 0;
}

function readOrder(args: CommandArguments, context: CommandContext): Result<Order> {
  const numbers: Record<keyof typeof defaults, number> = { ...defaults };
  for (const name of Object.keys(ranges) as (keyof typeof defaults)[]) {
    const given = readWhole(args, name, ...ranges[name]);
    if (!given.ok) return given;
    numbers[name] = given.value ?? numbers[name];
  }
  const authority = args.text('authority') ?? '';
  const { root } = authorityFiles(authority);
  if (!existsSync(root)) return fail('FILE_REFUSED', `${authority}: there is no authority.`);
  if (needsPassphrase(authority))
    return fail(
      'USAGE',
      `${authority}: an authority of a real fleet; make one with --no-passphrase to play with.`,
    );
  const url = args.text('url') ?? '';
  if (!/^mqtts:\/\/[^/]+$/.test(url)) return fail('USAGE', '--url takes mqtts://HOST:PORT.');
  if (numbers.terminals < numbers.sites)
    return fail('USAGE', `There are ${numbers.sites} sites: --terminals takes at least as many.`);
  const [at, of] = (args.text('part') ?? '').split('/').map(Number);
  const processes = numbers.processes;
  return ok({
    fleet: {
      authority,
      registry: args.text('registry') ?? '',
      root: readFileSync(root, 'utf8'),
      url,
      sites: numbers.sites,
      terminals: numbers.terminals,
      seed: numbers.seed,
      settings: { sampleMillis: numbers['sample-seconds'] * 1000 },
      load: { itemSeconds: numbers['item-seconds'], hurtsPerMinute: numbers['hurts-per-minute'] },
      ...(args.flag('quick') && { longestDelaySeconds: 2 }),
      ...(at !== undefined && of !== undefined && { part: { at, of } }),
    },
    perSecond: Math.max(1, Math.round(numbers['per-second'] / processes)),
    processes,
    control: args.text('control') ?? defaultControl(context.env),
  });
}

const ranges: Readonly<Record<keyof typeof defaults, readonly [least: number, most: number]>> = {
  sites: [1, 49_000],
  terminals: [1, 100_000],
  seed: [0, 0xffff_ffff],
  'sample-seconds': [1, 600],
  'item-seconds': [0, 86_400],
  'hurts-per-minute': [0, 60_000],
  'per-second': [1, 10_000],
  processes: [1, 16],
};

export const defaults = {
  sites: 50,
  terminals: 60,
  seed: 1,
  'sample-seconds': 60,
  'item-seconds': 0,
  'hurts-per-minute': 0,
  'per-second': 200,
  processes: 1,
} as const;
