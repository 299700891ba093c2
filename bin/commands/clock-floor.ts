import { raiseClock, type Raised } from '#uplink/time/index.ts';
import { builtAt } from '#runtime/built-at.ts';
import { systemChildren } from '#runtime/child.ts';
import { instant, systemClock } from '#runtime/clock.ts';
import { describeFault } from '#runtime/errors.ts';
import { type Command, report } from '../command.ts';

export const command: Command = {
  summary: 'set the clock up to the last verified time',
  help: `
checkpost clock-floor: set the clock up to the last verified time

Usage: checkpost clock-floor --state FOLDER [--check]

The hubs refuse a terminal whose clock went back: WireGuard takes its packets for old ones. This runs once at boot,
before the uplink. Where the clock stands below the last time that a hub or NTS has authenticated, or below the time
at which this program was built, it is set to that; it is never set back. Setting it needs the capability CAP_SYS_TIME
and the program date.

  --state FOLDER   folder of the state of the uplink, usually /var/lib/checkpost-uplink
  --check          only say what would be done
  --json           print the answer, and faults, as one JSON object

Exit codes: 0 the clock stands at the floor or above it now (with --check: it was looked), 1 it could not be set,
2 called wrongly.

Example: checkpost clock-floor --state /var/lib/checkpost-uplink --check
`,
  options: { state: { type: 'string' }, check: { type: 'boolean' } },
  async run(args, context) {
    const json = args.flag('json');
    const state = args.text('state');
    if (state === undefined || args.rest.length > 0)
      return report(
        { code: 'USAGE', detail: 'Say: checkpost clock-floor --state FOLDER [--check]' },
        context,
        json,
      );
    const built = builtAt(process.argv[1] ?? process.execPath);
    if (!built.ok) return report(built.fault, context, json);
    const raised = await raiseClock({
      state,
      built: built.value,
      clock: systemClock,
      children: systemChildren,
      onlyCheck: args.flag('check'),
    });
    if (!raised.ok) return report(raised.fault, context, json);
    const { floor, clock, result, fault } = raised.value;
    if (json) {
      const damaged = fault === undefined ? null : { code: fault.code, detail: fault.detail };
      const answer = { result, floor: instant(floor), clock: instant(clock), fault: damaged };
      context.stdout.write(`${JSON.stringify(answer)}\n`);
      return 0;
    }
    // The floor is the time of building then: worth knowing, and no reason not to start.
    if (fault !== undefined) context.stderr.write(`${describeFault(fault)}\n`);
    context.stdout.write(`${words(raised.value)}\n`);
    return 0;
  },
};

function words({ result, floor, clock }: Raised): string {
  const done = {
    stands: `The clock says ${instant(clock)}, not below the floor of ${instant(floor)}: nothing was done.`,
    below: `The clock says ${instant(clock)}, below the floor of ${instant(floor)}: it would be set to that.`,
    raised: `The clock said ${instant(clock)}, below the floor: it was set to ${instant(floor)}.`,
  };
  return done[result];
}
