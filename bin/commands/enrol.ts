import { resolve } from 'node:path';
import { ok } from '#contracts/result.ts';
import { publicKeys } from '#uplink/keys/index.ts';
import { enrol, type Enrolment } from '#provisioning/index.ts';
import { type Command, report } from '../command.ts';
import { askSecret } from '../secrets.ts';
import { machineParts } from '../verbs.ts';

export const command: Command = {
  summary: 'enrol this terminal from a bundle',
  help: `
checkpost enrol: enrol this terminal from the bundle on the stick

Usage: checkpost enrol STICK --state DIR [--uplink DIR] [--code CODE] [--json]

Run it twice. The first time it asks for the enrolment code, makes the keys of this terminal and writes request.json
onto the stick: bring that to the bureau, where \`checkpost authority sign\` writes answer.json beside it. The second time
it installs the answer, and the agent can be started. Interrupted, it goes on where it stopped when it is run again.
The private keys never leave this machine; the stick holds nothing secret.

  STICK            folder of the bundle
  --state DIR      folder that the agent keeps everything in, usually /var/lib/checkpost
  --uplink DIR     folder that the uplink keeps everything in (default: that of --state with -uplink behind it). What is
                   written belongs to whoever owns the two folders
  --code CODE      the enrolment code, for tests: other users of the machine can see arguments. Without it the code is
                   asked for and not shown, or read from standard input
  --json           print {"state", "terminal", "site", "expiresAt", "config", "uplink", "repeated"}, or {"error"}

Exit codes: 0 done ("state" says which half: requested or enrolled), 1 could not be done, 2 called wrongly.

Example: checkpost enrol /media/stick --state /var/lib/checkpost
`,
  options: { state: { type: 'string' }, uplink: { type: 'string' }, code: { type: 'string' } },
  async run(args, context) {
    const json = args.flag('json');
    const [stick, ...more] = args.rest;
    const state = args.text('state');
    if (stick === undefined || more.length > 0 || state === undefined) {
      return report({ code: 'USAGE', detail: 'Say: checkpost enrol STICK --state DIR' }, context, json);
    }
    const code = args.text('code');
    const askCode = async () => (code === undefined ? askSecret('Enrolment code: ', context) : ok(code));
    const tunnel = { folder: args.text('uplink') ?? `${resolve(state)}-uplink`, publicKeys };
    const done = await enrol({ stick, state, tunnel, askCode }, machineParts);
    if (!done.ok) return report(done.fault, context, json);
    context.stdout.write(json ? `${JSON.stringify(done.value)}\n` : words(done.value, stick));
    return 0;
  },
};

function words(
  { state, terminal, site, expiresAt, config, uplink, repeated }: Enrolment,
  stick: string,
): string {
  if (state === 'enrolled') {
    return `${terminal} at site ${site} is enrolled${repeated ? ' already; nothing was changed' : ''}.
${uplink === undefined ? '' : `Start the uplink with: checkpost uplink --config ${uplink}\n`}Start the agent with: checkpost agent --config ${config ?? ''}
`;
  }
  return `${repeated ? 'The request is on the stick already; there is no answer yet' : 'The request is on the stick'}.
Bring the stick to the bureau before ${expiresAt}. There: checkpost authority sign ${stick} --dir AUTHORITY
Then run this command here again.
`;
}
