import {
  builtInProfiles,
  openSerialLink,
  probeTarget,
  propose,
  runProbe,
  scanDevices,
} from '#agent/readers/index.ts';
import type { ReaderProfile } from '#contracts/readers.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { AgentSettings } from '#contracts/settings/agent.ts';
import { ms } from '#contracts/units.ts';
import { systemClock } from '#runtime/clock.ts';
import { loadSettings } from '#runtime/settings.ts';
import { askAgent } from '../ask-agent.ts';
import { type Command, type CommandArguments, type CommandContext, report } from '../command.ts';
import { conclusionWords } from '../readers/found.ts';
import { listingWords, makeListing } from '../readers/listing.ts';
import { profilesWords } from '../readers/profiles.ts';
import { readNumber, readVerb, type Verb } from '../verbs.ts';

/** What the command needs from this machine, so that a test can give it another one. */
export interface ReadersParts {
  readonly scan: typeof scanDevices;
}

const verbs = {
  list: { usage: 'checkpost readers [--config FILE]', words: 0, required: [], optional: ['config'] },
  profiles: {
    usage: 'checkpost readers profiles [--config FILE]',
    words: 0,
    required: [],
    optional: ['config'],
  },
  probe: {
    usage: 'checkpost readers probe DEVICE [--seconds N] [--config FILE]',
    words: 1,
    required: [],
    optional: ['seconds', 'config'],
  },
} as const satisfies Record<string, Verb>;

const options = { config: { type: 'string' }, seconds: { type: 'string' } } as const;

export function createReadersCommand({ scan }: ReadersParts): Command {
  return {
    summary: 'list passport readers, find the settings of an unknown one',
    help: `
checkpost readers: what is plugged in, what fits, and how an unknown serial reader is set

Usage: checkpost readers [--config FILE] [--json]
       checkpost readers profiles [--config FILE] [--json]
       checkpost readers probe DEVICE [--seconds N] [--config FILE] [--json]

Without a verb it lists every device that could be a reader: its identity, which goes into the settings as "device" and
stays the same whatever the kernel calls it, its name at this moment, what it says it is, and which profiles fit. With
--config also which reader of the settings it is and, where the agent runs, its state.

profiles lists the reader profiles: how each talks and what it can do.

probe finds speed and framing of an unknown serial reader: it asks for a few swipes of a specimen document, says after
each what came, and, when two whole reads agree, prints a profile that fits, or a new one to paste. What was read is
neither shown nor kept. Stop the agent first: it holds the device.

  --config FILE   configuration of the agent (agent.json)
  --seconds N     how long probe waits for a swipe, 1 to 600 (default 20)
  --json          print one JSON object; what probe asks for is then on standard error

Exit codes: 0 done, 1 it could not be done or probe found nothing, 2 called wrongly.

Example: checkpost readers probe usb:0403:6001:A50285BI
`,
    options,
    async run(args, context) {
      const given = args.rest.length === 0 ? { ...args, rest: ['list'] } : args;
      const verb = readVerb(verbs, Object.keys(options), given);
      if (!verb.ok) return report(verb.fault, context, args.flag('json'));
      const read = readSettings(args);
      if (!read.ok) return report(read.fault, context, args.flag('json'));
      const own = read.value?.profiles ?? [];
      const names = new Set(own.map(({ name }) => name));
      // One of the settings stands before one that ships under the same name.
      const profiles = [...own, ...builtInProfiles.filter(({ name }) => !names.has(name))];
      const call = { args, context, json: args.flag('json'), settings: read.value, profiles, scan };
      if (verb.value === 'list') return list(call);
      return verb.value === 'profiles' ? listProfiles(call) : probe(call);
    },
  };
}

export const command = createReadersCommand({ scan: scanDevices });

interface Call extends ReadersParts {
  readonly args: CommandArguments;
  readonly context: CommandContext;
  readonly json: boolean;
  readonly settings: AgentSettings | undefined;
  readonly profiles: readonly ReaderProfile[];
}

function readSettings(args: CommandArguments): Result<AgentSettings | undefined> {
  const config = args.text('config');
  return config === undefined ? ok(undefined) : loadSettings(AgentSettings, config);
}

async function list({ context, json, settings, profiles, scan }: Call): Promise<number> {
  const agent = settings === undefined ? undefined : await askAgent(settings.officer);
  const listing = makeListing({
    devices: scan(),
    profiles,
    settings,
    agent: agent?.ok === true ? agent.value : undefined,
  });
  if (json) {
    context.stdout.write(`${JSON.stringify({ ...listing, ...(agent && { agent: agent.ok }) })}\n`);
    return 0;
  }
  context.stdout.write(`${listingWords(listing)}\n`);
  if (agent?.ok === false) {
    context.stdout.write(`\nThe state of the readers is not known: ${agent.fault.detail}\n`);
  }
  return 0;
}

function listProfiles({ context, json, profiles }: Call): number {
  context.stdout.write(json ? `${JSON.stringify({ profiles })}\n` : `${profilesWords(profiles)}\n`);
  return 0;
}

async function probe({ args, context, json, profiles, scan }: Call): Promise<number> {
  const seconds = readNumber(args, 'seconds');
  if (!seconds.ok) return report(seconds.fault, context, json);
  const patience = seconds.value ?? 20;
  if (patience < 1 || patience > 600) {
    return report(fail('USAGE', '--seconds takes 1 to 600.').fault, context, json);
  }
  const target = probeTarget(args.rest[1] ?? '', scan());
  if (!target.ok) return report(target.fault, context, json);
  const { device, identity } = target.value;
  // Between two settings the port is closed: nothing else would keep the process alive.
  const alive = setInterval(() => {}, 2 ** 30);
  const concluded = await runProbe({
    clock: systemClock,
    open: (link, listener) => openSerialLink(device.node, link, listener, systemClock),
    say: (text) => (json ? context.stderr : context.stdout).write(`${text}\n`),
    patience: ms(patience * 1000),
    signal: context.signal,
  }).finally(() => clearInterval(alive));
  if (!concluded.ok) return report(concluded.fault, context, json);
  const conclusion = concluded.value;
  if (conclusion === undefined) return 1;
  const proposal = propose(conclusion, device, identity, profiles);
  context.stdout.write(
    json
      ? `${JSON.stringify({ device: identity, ...conclusion, ...(proposal && { proposal }) })}\n`
      : `\n${conclusionWords(conclusion, proposal)}\n`,
  );
  return proposal === undefined ? 1 : 0;
}
