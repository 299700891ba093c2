import { readFileSync } from 'node:fs';
import Type from 'typebox';
import type { ReaderProfile } from '#contracts/readers.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { AgentSettings } from '#contracts/settings/agent.ts';
import { systemCode } from '#runtime/errors.ts';
import { parseSettings } from '#runtime/settings.ts';
import {
  addSite,
  type BundleOrder,
  listSites,
  needsPassphrase,
  showSite,
  type SiteDetails,
  writeBundle,
} from '#provisioning/index.ts';
import { type Command, type CommandArguments } from '../command.ts';
import { passphraseHelp, passphraseOptions, readPassphrase } from '../secrets.ts';
import { type Act, machineParts as parts, readNumber, runVerb, type Verb } from '../verbs.ts';

const options = {
  dir: { type: 'string' },
  id: { type: 'string' },
  name: { type: 'string' },
  'time-zone': { type: 'string' },
  latitude: { type: 'string' },
  longitude: { type: 'string' },
  terminals: { type: 'string' },
  out: { type: 'string' },
  terminal: { type: 'string' },
  'central-url': { type: 'string' },
  'fleet-url': { type: 'string' },
  reader: { type: 'string', multiple: true },
  baud: { type: 'string' },
  profiles: { type: 'string' },
  'valid-days': { type: 'string' },
  ...passphraseOptions,
} as const;

const verbs = {
  add: {
    usage: 'checkpost site add --dir DIR --id ID --name NAME',
    words: 0,
    required: ['dir', 'id', 'name'],
    optional: ['time-zone', 'latitude', 'longitude', 'terminals'],
  },
  list: { usage: 'checkpost site list --dir DIR', words: 0, required: ['dir'], optional: [] },
  show: { usage: 'checkpost site show SITE --dir DIR', words: 1, required: ['dir'], optional: [] },
  bundle: {
    usage: 'checkpost site bundle SITE --dir DIR --out DIR',
    words: 1,
    required: ['dir', 'out'],
    optional: [
      'terminal',
      'central-url',
      'fleet-url',
      'reader',
      'baud',
      'profiles',
      'valid-days',
      ...Object.keys(passphraseOptions),
    ],
  },
} satisfies Record<string, Verb>;

export const command: Command = {
  summary: 'add sites and make their bundles',
  help: `
checkpost site: the sites of a bureau, and what an engineer takes there

Usage: checkpost site add    --dir DIR --id ID --name NAME [--time-zone ZONE] [--latitude N --longitude N] [--terminals N]
       checkpost site list   --dir DIR
       checkpost site show   SITE --dir DIR
       checkpost site bundle SITE --dir DIR --out DIR [--terminal N] [--reader DEVICE[,PROFILE]]... [--baud N] [--profiles FILE]
                             [--valid-days N] [--central-url URL] [--fleet-url URL]

add enters a site. bundle writes what goes on the engineer's stick for one terminal, and prints the enrolment code. Tell
the code by telephone or in person, never with the stick: it is kept nowhere and cannot be shown again. A new bundle
makes those before it for the same terminal void.

  --dir DIR            folder of the authority (checkpost authority init)
  --id ID              the bureau's code, a hyphen and four digits: UTO-0001
  --name NAME          name of the place, in any script
  --time-zone ZONE     IANA name, for example Asia/Bishkek (default UTC)
  --latitude N, --longitude N
                       degrees north and east; a negative one is written --latitude=-33.9
  --terminals N        how many terminals stand there, 1 to 99 (default 1)
  --out DIR            folder of the bundle, usually the stick
  --terminal N         which terminal of the site, from 1 (may be left out where there is one)
  --reader DEVICE[,PROFILE]
                       a passport reader by its stable identity, as checkpost readers prints it, and its profile (default
                       swipe; checkpost readers profiles lists them); may be given several times
  --baud N             speed of the readers, where it is not that of their profile
  --profiles FILE      JSON list of reader profiles of this site, each as checkpost readers probe prints it
  --valid-days N       days until the bundle expires, 1 to 90 (default 14)
  --central-url URL    lookup service, https://... (default: what the authority was made with)
  --fleet-url URL      broker, mqtts://... (likewise)${passphraseHelp}
  --json               print what was done, or {"error"}, as one JSON object

Exit codes: 0 done, 1 could not be done, 2 called wrongly.

Example: checkpost site bundle UTO-0001 --dir authority --out /media/stick
`,
  options,
  run: (args, context) => runVerb({ verbs, options, act }, args, context),
};

const act: Readonly<Record<keyof typeof verbs, Act>> = {
  async add(args) {
    const numbers = readNumbers(args, ['latitude', 'longitude', 'terminals']);
    if (!numbers.ok) return numbers;
    const { latitude = null, longitude = null, terminals = 1 } = numbers.value;
    const site = {
      id: args.text('id') ?? '',
      name: args.text('name') ?? '',
      timeZone: args.text('time-zone') ?? 'UTC',
      latitude,
      longitude,
      terminals,
    };
    const added = await addSite({ dir: args.text('dir') ?? '', site }, parts);
    return added.ok ? ok({ words: `${added.value.id} is entered.`, json: added.value }) : added;
  },

  async list(args) {
    const sites = await listSites({ dir: args.text('dir') ?? '' });
    if (!sites.ok) return sites;
    const words = sites.value.length === 0 ? 'There are no sites yet.' : sites.value.map(describe).join('\n');
    return ok({ words, json: sites.value });
  },

  async show(args) {
    const site = await showSite({ dir: args.text('dir') ?? '', id: args.rest[1] ?? '' });
    return site.ok ? ok({ words: describe(site.value), json: site.value }) : site;
  },

  async bundle(args, context) {
    const numbers = readNumbers(args, ['terminal', 'baud', 'valid-days']);
    if (!numbers.ok) return numbers;
    const readers = await readersOf(args, numbers.value.baud);
    if (!readers.ok) return readers;
    const dir = args.text('dir') ?? '';
    const passphrase = needsPassphrase(dir) ? await readPassphrase(args, context) : ok(undefined);
    if (!passphrase.ok) return passphrase;
    const made = await writeBundle(
      {
        dir,
        passphrase: passphrase.value,
        site: args.rest[1] ?? '',
        terminal: numbers.value.terminal,
        out: args.text('out') ?? '',
        centralUrl: args.text('central-url'),
        fleetUrl: args.text('fleet-url'),
        ...readers.value,
        validDays: numbers.value['valid-days'],
      },
      parts,
    );
    if (!made.ok) return made;
    const { terminal, out, expiresAt, code } = made.value;
    const words = [
      `The bundle of ${terminal} is in ${out}; it holds until ${expiresAt}.`,
      `Enrolment code: ${code}`,
      'Tell the code by telephone or in person, never with the stick. It is kept nowhere.',
    ];
    return ok({ words: words.join('\n'), json: made.value });
  },
};

/** The readers and their profiles, as the terminal will check them: an unknown one is found here, not at the post. */
async function readersOf(
  args: CommandArguments,
  baudRate: number | undefined,
): Promise<Result<Pick<BundleOrder, 'readers' | 'profiles'>>> {
  const readers = args.list('reader').map((word) => {
    const [device = '', profile = 'swipe'] = word.split(',', 2);
    return { device, profile, ...(baudRate !== undefined && { baudRate }) };
  });
  const file = args.text('profiles');
  const own = file === undefined ? ok<ReaderProfile[]>([]) : readProfiles(file);
  if (!own.ok) return own;
  const { chooseProfiles } = await import('#agent/readers/index.ts');
  const chosen = chooseProfiles(
    readers.map((reader, at) => ({ id: `counter-${at + 1}`, ...reader })),
    own.value,
  );
  return chosen.ok ? ok({ readers, profiles: own.value }) : chosen;
}

function readProfiles(file: string): Result<ReaderProfile[]> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    return fail('FILE_REFUSED', `${file}: ${systemCode(cause) ?? 'cannot be read'}`, cause);
  }
  let profiles: unknown;
  try {
    profiles = JSON.parse(text);
  } catch (cause) {
    return fail('SETTINGS_NOT_JSON', `${file}: ${(cause as Error).message}`, cause);
  }
  const schema = Type.Object(
    { profiles: AgentSettings.properties.profiles },
    { additionalProperties: false },
  );
  const parsed = parseSettings(schema, { profiles }, file);
  return parsed.ok ? ok(parsed.value.profiles) : parsed;
}

function describe(site: SiteDetails): string {
  const stands = site.stands.map(({ terminal, state, enrolledAt, revokedAt }) => {
    const since = revokedAt ?? enrolledAt;
    return `  ${terminal}  ${state}${since === null ? '' : ` since ${since}`}`;
  });
  return [`${site.id}  ${site.name} (${site.timeZone})`, ...stands].join('\n');
}

function readNumbers<const Name extends string>(
  args: CommandArguments,
  names: readonly Name[],
): Result<{ readonly [N in Name]?: number }> {
  const values: { [N in Name]?: number } = {};
  for (const name of names) {
    const number = readNumber(args, name);
    if (!number.ok) return number;
    if (number.value !== undefined) values[name] = number.value;
  }
  return ok(values);
}
