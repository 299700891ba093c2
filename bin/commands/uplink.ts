import { checkUplink, openKey, type Part, parts, startUplink } from '#uplink/index.ts';
import type { Result } from '#contracts/result.ts';
import { UplinkSettings } from '#contracts/settings/uplink.ts';
import { systemChildren } from '#runtime/child.ts';
import { systemClock } from '#runtime/clock.ts';
import { createLog, faultFields } from '#runtime/log.ts';
import { notifier as createNotifier } from '#runtime/sd-notify.ts';
import { loadSettings } from '#runtime/settings.ts';
import { type Command, type CommandArguments, type CommandContext, report } from '../command.ts';
import { untilStopped } from '../until-stopped.ts';

export const command: Command = {
  summary: 'bring the tunnel up and keep it',
  help: `
checkpost uplink: bring the tunnel to the centre up and keep it

Usage: checkpost uplink --config FILE [--part PART]
       checkpost uplink --config FILE --check-config
       checkpost uplink --config FILE --public-key

Creates the WireGuard interface (the kernel's, or the program wireguard-go where the kernel has none), gives it this
terminal's key, the hubs, addresses and routes, and watches it until SIGTERM or Ctrl-C, when it takes the tunnel down.
Its log is JSON lines on standard output; the line with "event":"ready" says that the tunnel is configured, which is
not yet that a hub answers: the log says that for each hub. The private key is made on this machine where there is
none, and is never printed, logged or sent. Needs the capability CAP_NET_ADMIN and the programs ip and wg.

  --config FILE     configuration, usually /etc/checkpost/uplink.json; docs/settings.md explains every setting
  --part PART       whole: everything, in the network namespace that it is called in (default);
                    outer: only create the interface and move it into the namespace of the settings;
                    inner: wait for it there and configure it. The two units of a terminal are outer and inner.
  --check-config    only check the configuration: every wrong setting is listed at once
  --public-key      print the public key of this terminal, which the hubs must know; makes the key where there is none
  --json            print the answer of the two above, and faults, as one JSON object

Exit codes: 0 stopped in order (or answered), 1 could not start or the tunnel is gone, 2 called wrongly.

Example: checkpost uplink --config /etc/checkpost/uplink.json --public-key
`,
  options: {
    config: { type: 'string' },
    part: { type: 'string' },
    'check-config': { type: 'boolean' },
    'public-key': { type: 'boolean' },
  },
  async run(args, context) {
    const json = args.flag('json');
    const config = args.text('config');
    const part = parts.find((name) => name === (args.text('part') ?? 'whole'));
    const onlyOne = !(args.flag('check-config') && args.flag('public-key'));
    if (config === undefined || part === undefined || !onlyOne || args.rest.length > 0) {
      const detail = 'Say: checkpost uplink --config FILE [--part whole|outer|inner]';
      return report({ code: 'USAGE', detail }, context, json);
    }
    const settings: Result<UplinkSettings> = loadSettings(UplinkSettings, config);
    if (!settings.ok) return report(settings.fault, context, json);
    const checked = checkUplink(settings.value, part, config);
    if (!checked.ok) return report(checked.fault, context, json);
    if (args.flag('check-config')) {
      context.stdout.write(json ? '{"ok":true}\n' : `${config}: every setting is good\n`);
      return 0;
    }
    if (args.flag('public-key')) {
      const key = openKey(settings.value.privateKey);
      if (!key.ok) return report(key.fault, context, json);
      const { publicKey } = key.value;
      context.stdout.write(json ? `${JSON.stringify({ publicKey })}\n` : `${publicKey}\n`);
      return 0;
    }
    return keepTunnel(settings.value, part, args, context);
  },
};

async function keepTunnel(
  settings: UplinkSettings,
  part: Part,
  args: CommandArguments,
  context: CommandContext,
): Promise<number> {
  const log = createLog(settings.log.level, 'uplink');
  const notifier = createNotifier(context.env, systemChildren);
  // Begun first, since it keeps the process alive while it waits for the interface; ended below on every way out.
  const over = new AbortController();
  const stopped = untilStopped(AbortSignal.any([context.signal, over.signal]));
  try {
    const uplink = await startUplink(settings, part, {
      clock: systemClock,
      children: systemChildren,
      log,
      notifier,
      signal: context.signal,
    });
    if (!uplink.ok) return context.signal.aborted ? 0 : report(uplink.fault, context, args.flag('json'));
    context.stdout.write(
      `${JSON.stringify({ event: 'ready', interface: settings.interface, part, pid: process.pid })}\n`,
    );
    const end = await Promise.race([stopped, uplink.value.ended]);
    await notifier.stopping();
    log.info('Stopping');
    await uplink.value.close();
    if (end === undefined || end.ok) return 0;
    log.error('The tunnel is gone', faultFields(end.fault));
    return report(end.fault, context, args.flag('json'));
  } finally {
    over.abort();
  }
}
