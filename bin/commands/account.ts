import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import {
  accessSchema,
  askDesk,
  askRunning,
  type DeskAnswer,
  type DeskRequest,
} from '#central/access/index.ts';
import { type Db, openPostgres, openSqlite, sqliteName } from '#central/store/index.ts';
import { AccountName, NewAccount } from '#contracts/api/accounts.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { CentralSettings } from '#contracts/settings/central.ts';
import { systemClock } from '#runtime/clock.ts';
import { parseValue } from '#runtime/parse.ts';
import { loadSettings } from '#runtime/settings.ts';
import { type Command, type CommandArguments, type CommandContext, report } from '../command.ts';
import { askSecret } from '../secrets.ts';

export const command: Command = {
  summary: 'keep the accounts of operators',
  help: `
checkpost account: keep the accounts of operators

Usage: checkpost account add NAME [--role ROLE] [--bureau CODE] [--password] --config FILE
       checkpost account list --config FILE
       checkpost account disable NAME --config FILE
       checkpost account enable NAME --config FILE
       checkpost account password NAME [--password] --config FILE
       checkpost account verify --config FILE

add        makes an account; the first one of a centre is made so
list       name, role, bureau, state, last use
disable    ends its sessions and puts its tokens out of force; enable takes it back
password   gives a new password and ends its sessions
verify     reads the audit of operators through: whether an entry was changed or taken away

A password is made up and printed this once, unless --password says that it stands on the first line of standard input
(asked for at a keyboard); it has at least 12 characters. It works while the centre runs, and while it does not: whoever
may write the databases may keep accounts. Every change is in the audit of operators, with the user of this machine.

  --config FILE    configuration of the centre, usually /etc/checkpost/central.json
  --role ROLE      viewer, operator or administrator (default)
  --bureau CODE    sees and changes what is of this bureau alone (without it: of all)
  --password       take the password from standard input
  --json           print the answer, or the fault, as one JSON object

Exit codes: 0 it is done, 1 it could not be done, 2 called wrongly.

Example: checkpost account add duty --role operator --bureau UTO --config /etc/checkpost/central.json
`,
  options: {
    config: { type: 'string' },
    role: { type: 'string' },
    bureau: { type: 'string' },
    password: { type: 'boolean' },
  },
  async run(args, context) {
    const json = args.flag('json');
    const done = await keep(args, context);
    if (!done.ok) return report(done.fault, context, json);
    const { answer, password } = done.value;
    if (json) {
      context.stdout.write(`${JSON.stringify({ ...answer, ...(password !== undefined && { password }) })}\n`);
      return 0;
    }
    if (args.rest[0] === 'verify')
      context.stdout.write(`The audit of operators holds together: ${answer.entries} entries.\n`);
    for (const { name, role, bureau, disabled, origin, lastSeen } of answer.accounts) {
      const state = `${disabled ? 'disabled' : 'in use'}${origin === 'openid' ? ', OpenID Connect' : ''}`;
      const seen = lastSeen === null ? 'never seen' : `last seen ${lastSeen}`;
      context.stdout.write(`${name}  ${role}  ${bureau ?? 'all bureaus'}  ${state}  ${seen}\n`);
    }
    if (password !== undefined) context.stdout.write(`Password, shown this once: ${password}\n`);
    return 0;
  },
};

interface Done {
  readonly answer: DeskAnswer;
  /** Where it was made up. */
  readonly password?: string;
}

async function keep(args: CommandArguments, context: CommandContext): Promise<Result<Done>> {
  const [verb, name, ...more] = args.rest;
  const config = args.text('config');
  const alone = verb === 'list' || verb === 'verify';
  if (config === undefined || verb === undefined || more.length > 0 || alone !== (name === undefined))
    return fail(
      'USAGE',
      'Say: checkpost account add|list|disable|enable|password|verify [NAME] --config FILE',
    );
  const settings = loadSettings(CentralSettings, config);
  if (!settings.ok) return settings;
  const made = await requestOf(verb, name ?? '', args, context);
  if (!made.ok) return made;
  const { request, password } = made.value;
  const answer = await ask(settings.value, request);
  if (!answer.ok) return answer;
  return ok({ answer: answer.value, ...(password !== undefined && { password }) });
}

async function requestOf(
  verb: string,
  name: string,
  args: CommandArguments,
  context: CommandContext,
): Promise<Result<{ request: DeskRequest; password?: string }>> {
  if (verb === 'list' || verb === 'verify') return ok({ request: { verb } });
  const named = parseValue(AccountName, name, 'USAGE');
  if (!named.ok)
    return fail('USAGE', 'A name has lower-case letters, digits, dot, underscore, at sign, hyphen.');
  const by = `${userInfo().username} at the centre`;
  if (verb === 'disable' || verb === 'enable')
    return ok({ request: { verb: 'change', by, name, change: { disabled: verb === 'disable' } } });
  if (verb !== 'add' && verb !== 'password') return fail('USAGE', `There is no ${verb}.`);
  const typed = args.flag('password');
  const password = typed ? await askSecret('Password: ', context) : ok(randomBytes(15).toString('base64url'));
  if (!password.ok) return password;
  if (password.value.length < 12 || password.value.length > 256)
    return fail('USAGE', 'A password has at least 12 characters, and at most 256.');
  const shown = typed ? {} : { password: password.value };
  if (verb === 'password') {
    const change = { password: password.value };
    return ok({ request: { verb: 'change', by, name, change }, ...shown });
  }
  const account = {
    name,
    role: args.text('role') ?? 'administrator',
    bureau: args.text('bureau') ?? null,
    password: password.value,
  };
  const parsed = parseValue(NewAccount, account, 'USAGE');
  return parsed.ok ? ok({ request: { verb: 'add', by, account: parsed.value }, ...shown }) : parsed;
}

/** In the database itself, or, where the centre holds its file, through the centre. */
async function ask(settings: CentralSettings, request: DeskRequest): Promise<Result<DeskAnswer>> {
  const opened = await openDb(settings);
  if (!opened.ok) return opened.fault.code === 'STORE_LOCKED' ? askRunning(settings.state, request) : opened;
  try {
    return await askDesk(opened.value, systemClock, request);
  } finally {
    await opened.value.close();
  }
}

/** A damaged file stays where it is: to set it aside is for the centre, which says so. */
function openDb({ state, store }: CentralSettings): Promise<Result<Db>> | Result<Db> {
  const schemas = [accessSchema];
  if (store.url !== undefined)
    return openPostgres({ url: store.url, clock: systemClock, random: Math.random }, schemas);
  mkdirSync(state, { recursive: true, mode: 0o700 });
  return openSqlite(join(state, sqliteName), schemas);
}
