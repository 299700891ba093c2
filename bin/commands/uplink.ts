import { type Command, report } from '../command.ts';

const options = {
  config: { type: 'string' },
  part: { type: 'string' },
  'check-config': { type: 'boolean' },
  'public-key': { type: 'boolean' },
  socket: { type: 'string' },
  follow: { type: 'boolean' },
  uplink: { type: 'string' },
  hub: { type: 'string' },
  auto: { type: 'boolean' },
  seconds: { type: 'string' },
} as const;

export const command: Command = {
  summary: 'bring the tunnel up and keep it',
  help: `
checkpost uplink: bring the tunnel to the centre up and keep it; say how it is

Usage: checkpost uplink --config FILE --part outer|inner
       checkpost uplink --config FILE --check-config
       checkpost uplink --config FILE --public-key
       checkpost uplink status [--follow]
       checkpost uplink probe
       checkpost uplink rotate [--hub NAME]
       checkpost uplink prefer [--uplink NAME] [--hub NAME] | --auto
       checkpost uplink apply FILE
       checkpost uplink enrolment --seconds N

Without a verb it is the uplink itself, one half of it: it makes the tunnels to the hubs, measures every uplink of the
site and moves the traffic to one that works, until SIGTERM or Ctrl-C. Its log is JSON lines on standard output; the
line with "event":"ready" says that it has begun. Private keys are made on this machine where there are none, and are
never printed, logged or sent. Needs the capability CAP_NET_ADMIN and the programs ip, wg and nft.

  --config FILE     configuration, usually /var/lib/checkpost-uplink/uplink.json; docs/settings.md explains every setting
  --part PART       outer: where the physical interfaces are; inner: in the network namespace of the agent
  --check-config    only check the configuration: every wrong setting is listed at once
  --public-key      print the public keys of this terminal, of the tunnel and of the probes of each uplink, which the
                    hubs must know; makes the keys where there are none

With a verb it speaks to the uplink that runs on this machine:

  status            which uplink and which hub carry, how good each is, since when, and what was tried;
                    --follow goes on until Ctrl-C: redrawn on a terminal, else a new block after each change
  probe             probe every path now, metered ones too
  rotate            new keys with the hub named, or with each; ends when they are in force
  prefer            this uplink, this hub or both carry from now on, until they fail; --auto takes it back
  apply FILE        a configuration signed by the bureau; it is in force at once, on probation
  enrolment         open the way to the servers of the enrolment for N seconds (0 to 3600); 0 closes it
  --socket PATH     control socket of the uplink, or --config FILE to take it from there; without either
                    /run/checkpost-uplink/control.sock
  --json            print answers and faults as JSON objects; status: as the uplink says it, and with --follow one a line

prefer and enrolment are for root; everything else is for the user of the agent too.

Exit codes: 0 stopped in order (or done), 1 could not start, could not be done or is gone, 2 called wrongly.
status: 0 the tunnel is up, 1 it is not, or nothing answers; with --follow as it was at the end.

Example: checkpost uplink status --follow
`,
  options,
  async run(args, context) {
    // Each loaded only when called: a half of the uplink stays for years and needs no verb in memory.
    if (args.rest.length > 0)
      return (await import('../uplink/verbs.ts')).askVerb(Object.keys(options), args, context);
    const { runUplink, runUsage } = await import('../uplink/run.ts');
    const foreign = ['socket', 'uplink', 'hub', 'seconds'].some((name) => args.text(name) !== undefined);
    if (foreign || args.flag('follow') || args.flag('auto'))
      return report({ code: 'USAGE', detail: runUsage }, context, args.flag('json'));
    return runUplink(args, context);
  },
};
