import {
  type Hub,
  type ListedTerminal,
  listTerminals,
  readTerminals,
  resetTerminal,
  startHub,
} from '#uplink/hub/index.ts';
import { openKey } from '#uplink/keys/index.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { HubSettings } from '#contracts/settings/hub.ts';
import { systemChildren } from '#runtime/child.ts';
import { systemClock } from '#runtime/clock.ts';
import { createLog, faultFields } from '#runtime/log.ts';
import { notifier as createNotifier } from '#runtime/sd-notify.ts';
import { loadSettings } from '#runtime/settings.ts';
import { type Command, type CommandArguments, type CommandContext, report } from '../command.ts';
import { untilStopped } from '../until-stopped.ts';
import type { Done } from '../verbs.ts';

export const command: Command = {
  summary: 'run a hub: the centre’s end of the tunnels',
  help: `
checkpost hub: run a hub, the centre's end of the tunnels of many terminals

Usage: checkpost hub --config FILE
       checkpost hub --config FILE --check-config
       checkpost hub --config FILE --public-key
       checkpost hub reset TERMINAL --config FILE
       checkpost hub terminals --config FILE

Creates the WireGuard interface (the kernel's, or the program wireguard-go where the kernel has none), or takes over
the one that an earlier run left; gives it the terminals of the terminals file and the routes to them, answers the
terminals that change their keys, and runs until SIGTERM or Ctrl-C, when it takes the interface down: terminals then
go to their other hub. SIGHUP reads the terminals file again: a terminal that was taken out of it is cut at once, and
no other is disturbed; a file that is refused changes nothing. Keys and addresses that stand twice are refused, and
both terminals are named. Its log is JSON lines on standard output; the line with "event":"ready" says that the hub
takes handshakes. No private or preshared key is ever printed or logged. Needs the capability CAP_NET_ADMIN and the
programs ip and wg. docs/hubs.md explains what else a hub needs.

  reset TERMINAL    forget what WireGuard remembers of this terminal, for one whose clock went back: its handshakes
                    would be refused as repeated ones. Works while the hub runs
  terminals         list the terminals, and how long ago each was heard of
  --config FILE     configuration, usually /etc/checkpost/hub.json; docs/settings.md explains every setting
  --check-config    only check the configuration and the terminals file: everything that is wrong is listed at once
  --public-key      print the public key of this hub, which the terminals must know; makes the key where there is none
  --json            print answers and faults as one JSON object

Exit codes: 0 stopped in order (or answered), 1 could not start or the interface is gone, 2 called wrongly.

Example: checkpost hub reset UTO-0001-1 --config /etc/checkpost/hub.json
`,
  options: {
    config: { type: 'string' },
    'check-config': { type: 'boolean' },
    'public-key': { type: 'boolean' },
  },
  async run(args, context) {
    const json = args.flag('json');
    const called = readCall(args);
    if (!called.ok) return report(called.fault, context, json);
    const { config, act } = called.value;
    const settings: Result<HubSettings> = loadSettings(HubSettings, config);
    if (!settings.ok) return report(settings.fault, context, json);
    if (act === undefined) return keepHub(settings.value, args, context);
    const done = await act(settings.value);
    if (!done.ok) return report(done.fault, context, json);
    context.stdout.write(json ? `${JSON.stringify(done.value.json)}\n` : `${done.value.words}\n`);
    return 0;
  },
};

interface Call {
  readonly config: string;
  /** undefined: run the hub. */
  readonly act: ((settings: HubSettings) => Promise<Result<Done>>) | undefined;
}

function readCall(args: CommandArguments): Result<Call> {
  const config = args.text('config');
  const [verb, terminal, ...more] = args.rest;
  const chosen = [args.flag('check-config') && 'check', args.flag('public-key') && 'key', verb].filter(
    (one) => one !== undefined && one !== false,
  );
  const usage = fail('USAGE', 'Say: checkpost hub [reset TERMINAL | terminals] --config FILE');
  if (config === undefined || chosen.length > 1 || more.length > 0) return usage;
  if ((verb === 'reset') !== (terminal !== undefined)) return usage;
  switch (chosen[0]) {
    case undefined:
      return ok({ config, act: undefined });
    case 'check':
      return ok({ config, act: (settings) => check(settings, config) });
    case 'key':
      return ok({ config, act: publicKey });
    case 'reset':
      return ok({ config, act: (settings) => reset(settings, terminal ?? '') });
    case 'terminals':
      return ok({ config, act: list });
    default:
      return usage;
  }
}

async function check(settings: HubSettings, config: string): Promise<Result<Done>> {
  const known = readTerminals(settings);
  if (!known.ok) return known;
  const [left] = known.value.leftOut.values();
  if (left !== undefined) return { ok: false, fault: left };
  const terminals = known.value.registry.terminals.length;
  return ok({
    json: { ok: true, terminals },
    words: `${config}: every setting is good; ${terminals} terminals`,
  });
}

async function publicKey(settings: HubSettings): Promise<Result<Done>> {
  const key = openKey(settings.privateKey);
  return key.ok ? ok({ json: { publicKey: key.value.publicKey }, words: key.value.publicKey }) : key;
}

async function reset(settings: HubSettings, terminal: string): Promise<Result<Done>> {
  const done = await resetTerminal(settings, terminal, { children: systemChildren });
  if (!done.ok) return done;
  return ok({
    json: { terminal, peers: done.value },
    words: `${terminal}: forgotten; it is heard of again at its next handshake, within half a minute`,
  });
}

async function list(settings: HubSettings): Promise<Result<Done>> {
  const listed = await listTerminals(settings, { children: systemChildren, clock: systemClock });
  if (!listed.ok) return listed;
  return ok({ json: { terminals: listed.value }, words: listed.value.map(row).join('\n') || 'No terminals' });
}

function row({ terminal, address, handshakeAge, probes, changing, leftOut }: ListedTerminal): string {
  if (leftOut !== null) return `${terminal.padEnd(20)} left out: ${leftOut}`;
  const lines = probes.map((probe) => `${probe.uplink} ${age(probe.handshakeAge)}`).join(', ');
  const news = changing.length === 0 ? '' : `  new key awaited: ${changing.join(', ')}`;
  return `${terminal.padEnd(20)} ${address.padEnd(15)}  heard ${age(handshakeAge)}  (probes: ${lines || 'none'})${news}`;
}

function age(seconds: number | null): string {
  if (seconds === null) return 'never';
  if (seconds < 120) return `${seconds} s ago`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min ago`;
  return `${Math.round(seconds / 3600)} h ago`;
}

async function keepHub(
  settings: HubSettings,
  args: CommandArguments,
  context: CommandContext,
): Promise<number> {
  const log = createLog(settings.log.level, 'hub');
  const notifier = createNotifier(context.env, systemChildren);
  // Begun first, since it keeps the process alive while it starts; ended below on every way out.
  const over = new AbortController();
  const stopped = untilStopped(AbortSignal.any([context.signal, over.signal]));
  let hub: Hub | undefined;
  let early = false;
  // From the beginning: a SIGHUP that comes before the hub is up must not end it, nor be forgotten.
  const hangup = (): void => {
    early = hub === undefined;
    void hub?.reload();
  };
  process.on('SIGHUP', hangup);
  try {
    const parts = { clock: systemClock, children: systemChildren, log, notifier, signal: context.signal };
    const started = await startHub(settings, parts);
    if (!started.ok) return context.signal.aborted ? 0 : report(started.fault, context, args.flag('json'));
    hub = started.value;
    if (early) await hub.reload();
    const { interface: name } = settings;
    context.stdout.write(
      `${JSON.stringify({ event: 'ready', interface: name, terminals: hub.terminals, pid: process.pid })}\n`,
    );
    const end = await Promise.race([stopped, hub.ended]);
    await notifier.stopping();
    log.info('Stopping');
    await hub.close();
    if (end === undefined || end.ok) return 0;
    log.error('The interface is gone', faultFields(end.fault));
    return report(end.fault, context, args.flag('json'));
  } finally {
    process.off('SIGHUP', hangup);
    over.abort();
  }
}
