import { statSync } from 'node:fs';
import { fail, ok, type Result } from '#contracts/result.ts';
import { UplinkSettings } from '#contracts/settings/uplink.ts';
import { builtAt } from '#runtime/built-at.ts';
import { systemChildren } from '#runtime/child.ts';
import { systemClock } from '#runtime/clock.ts';
import { createLog, faultFields } from '#runtime/log.ts';
import { notifier as createNotifier } from '#runtime/sd-notify.ts';
import { loadSettings } from '#runtime/settings.ts';
import type { Part, Running, UplinkParts } from '#uplink/index.ts';
import { type CommandArguments, type CommandContext, report } from '../command.ts';
import { untilStopped } from '../until-stopped.ts';
import { version } from '../version.ts';

export const runUsage =
  'Say: checkpost uplink --config FILE and one of --part outer, --part inner, --check-config, --public-key; or a verb: status, probe, rotate, prefer, apply, enrolment';

/** One half of the uplink, or what can be asked of its configuration. The exit code. */
export async function runUplink(args: CommandArguments, context: CommandContext): Promise<number> {
  const json = args.flag('json');
  const called = readCall(args);
  if (!called.ok) return report(called.fault, context, json);
  const { config, task } = called.value;
  const settings: Result<UplinkSettings> = loadSettings(UplinkSettings, config);
  if (!settings.ok) return report(settings.fault, context, json);
  // By its own file, and so is each half below: whatever a half does not need costs the terminal memory for years.
  const { checkUplink } = await import('#uplink/check.ts');
  const checked = checkUplink(settings.value, config);
  if (!checked.ok) return report(checked.fault, context, json);
  if (task === 'check-config') {
    context.stdout.write(json ? '{"ok":true}\n' : `${config}: every setting is good\n`);
    return 0;
  }
  if (task === 'public-key') {
    const { publicKeys } = await import('#uplink/keys/index.ts');
    becomeOwner(settings.value.state);
    const keys = await publicKeys(settings.value);
    if (!keys.ok) return report(keys.fault, context, json);
    const lines = keys.value.map(({ slot, publicKey }) => `${slot.padEnd(22)} ${publicKey}\n`);
    context.stdout.write(json ? `${JSON.stringify({ keys: keys.value })}\n` : lines.join(''));
    return 0;
  }
  return keepTunnel(settings.value, task, args, context);
}

interface Call {
  readonly config: string;
  readonly task: Part | 'check-config' | 'public-key';
}

function readCall(args: CommandArguments): Result<Call> {
  const config = args.text('config');
  const part = args.text('part');
  const tasks = (['check-config', 'public-key'] as const).filter((name) => args.flag(name));
  const [task] = tasks;
  const usage = fail('USAGE', runUsage);
  if (config === undefined || tasks.length > 1) return usage;
  if (part !== undefined && part !== 'outer' && part !== 'inner') return usage;
  if (task !== undefined) return ok({ config, task });
  return part === undefined ? usage : ok({ config, task: part });
}

async function keepTunnel(
  settings: UplinkSettings,
  part: Part,
  args: CommandArguments,
  context: CommandContext,
): Promise<number> {
  const built = builtAt(process.argv[1] ?? process.execPath);
  if (!built.ok) return report(built.fault, context, args.flag('json'));
  const log = createLog(settings.log.level, 'uplink');
  const notifier = createNotifier(context.env, systemChildren);
  const parts = {
    clock: systemClock,
    random: Math.random,
    children: systemChildren,
    log,
    notifier,
    version,
    builtAt: built.value,
    signal: context.signal,
  };
  // Begun first, since it keeps the process alive meanwhile; ended below on every way out.
  const over = new AbortController();
  const stopped = untilStopped(AbortSignal.any([context.signal, over.signal]));
  try {
    const uplink = part === 'outer' ? await outer(settings, parts) : ok(await inner(settings, parts));
    if (!uplink.ok) return context.signal.aborted ? 0 : report(uplink.fault, context, args.flag('json'));
    context.stdout.write(
      `${JSON.stringify({ event: 'ready', interface: settings.interface, part, pid: process.pid })}\n`,
    );
    const end = await Promise.race([stopped, uplink.value.ended]);
    await notifier.stopping();
    log.info('Stopping');
    await uplink.value.close();
    if (end === undefined || end.ok) return 0;
    log.error('The uplink cannot go on', faultFields(end.fault));
    return report(end.fault, context, args.flag('json'));
  } finally {
    over.abort();
  }
}

async function outer(settings: UplinkSettings, parts: UplinkParts): Promise<Result<Running>> {
  return (await import('#uplink/outer/index.ts')).startOuter(settings, parts);
}

async function inner(settings: UplinkSettings, parts: UplinkParts): Promise<Running> {
  return (await import('#uplink/inner/index.ts')).startInner(settings, parts);
}

/** Keys that root makes for the service must be the service's: what follows is done as the owner of its folder. */
function becomeOwner(folder: string): void {
  const owner = statSync(folder, { throwIfNoEntry: false });
  if (owner === undefined || owner.uid === 0 || process.getuid?.() !== 0) return;
  process.setgroups?.([]);
  process.setgid?.(owner.gid);
  process.setuid?.(owner.uid);
}
