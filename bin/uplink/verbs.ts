import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { fail, ok, type Result } from '#contracts/result.ts';
import { UplinkSettings } from '#contracts/settings/uplink.ts';
import { type Millis, ms } from '#contracts/units.ts';
import { systemCode } from '#runtime/errors.ts';
import { loadSettings } from '#runtime/settings.ts';
import { askUplink, type UplinkAsk, uplinkSocket } from '#runtime/uplink-client.ts';
import { type CommandArguments, type CommandContext, report } from '../command.ts';
import { readVerb, type Verb } from '../verbs.ts';
import { followStatus, sayStatus } from './status.ts';

const where = ['config', 'socket'];
const verbs = {
  status: {
    usage: 'checkpost uplink status [--config FILE | --socket PATH] [--json] [--follow]',
    words: 0,
    required: [],
    optional: [...where, 'follow'],
  },
  probe: { usage: 'checkpost uplink probe', words: 0, required: [], optional: where },
  rotate: {
    usage: 'checkpost uplink rotate [--hub NAME]',
    words: 0,
    required: [],
    optional: [...where, 'hub'],
  },
  prefer: {
    usage: 'checkpost uplink prefer [--uplink NAME] [--hub NAME] | --auto',
    words: 0,
    required: [],
    optional: [...where, 'uplink', 'hub', 'auto'],
  },
  apply: { usage: 'checkpost uplink apply FILE', words: 1, required: [], optional: where },
  enrolment: {
    usage: 'checkpost uplink enrolment --seconds N, 0 to 3600',
    words: 0,
    required: ['seconds'],
    optional: where,
  },
} as const satisfies Record<string, Verb>;

/** What is asked, how long it may take, and what to say once it is done. */
interface Task {
  readonly ask: UplinkAsk;
  readonly timeout: Millis;
  readonly done: string;
}

/** Does one of the verbs at the control socket of this machine. The exit code. */
export async function askVerb(
  all: readonly string[],
  args: CommandArguments,
  context: CommandContext,
): Promise<number> {
  const json = args.flag('json');
  const verb = readVerb(verbs, all, args);
  if (!verb.ok) return report(verb.fault, context, json);
  const socket = socketOf(args);
  if (!socket.ok) return report(socket.fault, context, json);
  if (verb.value === 'status') {
    return args.flag('follow')
      ? followStatus(socket.value, context, json)
      : sayStatus(socket.value, context, json);
  }
  const task = taskOf(verb.value, args);
  if (!task.ok) return report(task.fault, context, json);
  const { ask, timeout, done } = task.value;
  const answer = await askUplink(socket.value, ask, { timeout, signal: context.signal });
  if (!answer.ok) return report(answer.fault, context, json);
  context.stdout.write(json ? '{"ok":true}\n' : `${done}\n`);
  return 0;
}

function socketOf(args: CommandArguments): Result<string> {
  const socket = args.text('socket');
  const config = args.text('config');
  if (config === undefined) return ok(socket ?? uplinkSocket);
  if (socket !== undefined) return fail('USAGE', 'Say --config or --socket, not both.');
  const settings: Result<UplinkSettings> = loadSettings(UplinkSettings, config);
  return settings.ok ? ok(join(settings.value.run, 'control.sock')) : settings;
}

function taskOf(verb: Exclude<keyof typeof verbs, 'status'>, args: CommandArguments): Result<Task> {
  const uplink = name(args, 'uplink');
  if (!uplink.ok) return uplink;
  const hub = name(args, 'hub');
  if (!hub.ok) return hub;
  const named = {
    ...(uplink.value !== undefined && { uplink: uplink.value }),
    ...(hub.value !== undefined && { hub: hub.value }),
  };
  switch (verb) {
    case 'probe':
      return ok({
        ask: { verb },
        timeout: ms(10_000),
        done: 'Every path is being probed; `checkpost uplink status` has the result in a moment.',
      });
    case 'rotate':
      return ok({
        ask: { verb, ...(hub.value !== undefined && { hub: hub.value }) },
        timeout: ms(120_000),
        done: `New keys are in force with ${hub.value ?? 'every hub'}.`,
      });
    case 'prefer':
      return prefer(args.flag('auto'), named);
    case 'enrolment':
      return enrolment(args.text('seconds') ?? '');
    case 'apply':
    default:
      return apply(args.rest[1] ?? '');
  }
}

/** Names of uplinks and hubs have one form; anything else is a slip of whoever calls. */
function name(args: CommandArguments, option: 'uplink' | 'hub'): Result<string | undefined> {
  const text = args.text(option);
  return text === undefined || /^[a-z0-9][a-z0-9-]{0,31}$/.test(text)
    ? ok(text)
    : fail('USAGE', `--${option} takes a name of lower-case letters, digits and hyphens.`);
}

function prefer(auto: boolean, named: { readonly uplink?: string; readonly hub?: string }): Result<Task> {
  const names = Object.values(named);
  if (auto === names.length > 0) return fail('USAGE', `Say: ${verbs.prefer.usage}`);
  const ask = auto ? ({ verb: 'prefer', auto } as const) : ({ verb: 'prefer', ...named } as const);
  const done = auto
    ? 'The uplink chooses by itself again.'
    : `${names.join(' and ')} ${names.length === 1 ? 'carries' : 'carry'} from now on, until failing; --auto takes it back.`;
  return ok({ ask, timeout: ms(10_000), done });
}

function enrolment(text: string): Result<Task> {
  const seconds = /^[0-9]{1,4}$/.test(text) ? Number(text) : Number.NaN;
  if (!(seconds <= 3600)) return fail('USAGE', `Say: ${verbs.enrolment.usage}`);
  const done =
    seconds === 0 ? 'Enrolment is closed.' : `The servers of the enrolment can be reached for ${seconds} s.`;
  return ok({ ask: { verb: 'enrolment', seconds }, timeout: ms(10_000), done });
}

function apply(file: string): Result<Task> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    return fail('FILE_REFUSED', `${file}: ${systemCode(cause) ?? 'cannot be read'}`, cause);
  }
  const notOne = fail('ENVELOPE_INVALID', `${file}: it is not the JSON object of a signed configuration.`);
  let envelope: unknown;
  try {
    envelope = JSON.parse(text);
  } catch {
    return notOne;
  }
  if (typeof envelope !== 'object' || envelope === null || Array.isArray(envelope)) return notOne;
  return ok({
    ask: { verb: 'apply', envelope: { ...envelope } },
    timeout: ms(30_000),
    done: 'The configuration is in force, on probation; `checkpost uplink status` says when it has reached a hub.',
  });
}
