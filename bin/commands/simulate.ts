import { faults } from '#test/rigs/reader-simulator/faults.ts';
import { type Command, report } from '../command.ts';
import { defaults, simulateFleet } from '../simulate/fleet.ts';
import { harms, simulateHurt } from '../simulate/hurt.ts';
import { everyDefault, simulateReader } from '../simulate/reader.ts';
import { readVerb, type Verb } from '../verbs.ts';

const options = {
  profile: { type: 'string' },
  'profile-file': { type: 'string' },
  documents: { type: 'string' },
  link: { type: 'string' },
  every: { type: 'string' },
  count: { type: 'string' },
  fault: { type: 'string', multiple: true },
  seed: { type: 'string' },
  authority: { type: 'string' },
  registry: { type: 'string' },
  url: { type: 'string' },
  sites: { type: 'string' },
  terminals: { type: 'string' },
  control: { type: 'string' },
  'sample-seconds': { type: 'string' },
  'item-seconds': { type: 'string' },
  'hurts-per-minute': { type: 'string' },
  'per-second': { type: 'string' },
  processes: { type: 'string' },
  part: { type: 'string' },
  quick: { type: 'boolean' },
  prepare: { type: 'boolean' },
} as const;

const verbs = {
  reader: {
    usage: 'checkpost simulate reader [--profile NAME] [options]',
    words: 0,
    required: [],
    optional: ['profile', 'profile-file', 'documents', 'link', 'every', 'count', 'fault', 'seed'],
  },
  fleet: {
    usage: 'checkpost simulate fleet --authority DIR --registry FILE --url mqtts://HOST:PORT [options]',
    words: 0,
    required: ['authority', 'registry', 'url'],
    optional: ['control', 'part', 'quick', 'prepare', ...Object.keys(defaults)],
  },
  hurt: {
    usage: 'checkpost simulate hurt TERMINAL WHAT [--control SOCKET]',
    words: 2,
    required: [],
    optional: ['control'],
  },
} as const satisfies Record<string, Verb>;

const list = (of: Readonly<Record<string, string>>): string =>
  Object.entries(of)
    .map(([name, words]) => `  ${name.padEnd(16)}${words}`)
    .join('\n');

export const command: Command = {
  summary: 'play a passport reader, or a fleet of terminals',
  help: `
checkpost simulate: play a device that is not there

Usage: checkpost simulate reader [--profile NAME] [options]
       checkpost simulate fleet --authority DIR --registry FILE --url mqtts://HOST:PORT [options]
       checkpost simulate hurt TERMINAL WHAT [--control SOCKET]

reader plays a serial reader of a profile on a pseudo-terminal, both ways: it answers the commands of a terminal, reads
only when it is told to where its model waits for that, and talks at its own speed. Where the terminal has set another,
what arrives is what a real line would make of it. A pseudo-terminal keeps the speed that is set on it, but neither data
bits nor parity: those of the profile count as set at both ends, and a difference in them is not played. Documents are
put on it one after the other: with Enter at a console, otherwise every few seconds. What it does is said on standard
error; document numbers are masked.

  --profile NAME        one of the profiles of checkpost readers profiles (default: swipe)
  --profile-file FILE   a profile of your own, as JSON; --profile is then not needed
  --documents FILE      MRZ lines, documents separated by an empty line (default: published and made-up specimens);
                        what is no machine readable zone is played too, with a warning
  --link PATH           where the device is to stand (default: a new name, which is printed)
  --every MS            put a document on it every so many milliseconds (default: ${everyDefault} without a console)
  --count N             stop after so many documents (default: go on until stopped)
  --fault NAME          a fault of every read; may be given several times
  --seed N              decides all that a fault leaves to chance (default 1)

Faults:
${list(faults)}

The line with "event":"ready" (with --json) or the first line says where the device is. USB HID readers and keyboards
cannot be played on a pseudo-terminal.

fleet plays terminals at made-up sites of five bureaus: each keeps a real session with the broker, with the agent's own
code and a certificate of its own, and reports what a terminal would. They are in no registry but the one that is written
here, which the centre is told of with its setting \`moreRegistries\`. Every few seconds a line of JSON says how many are
connected, what they owe and what was acknowledged. It plays with the authority of a demonstration only.

  --authority DIR       authority that issues their certificates; made with --no-passphrase
  --registry FILE       where their registry is written; their certificates are kept in FILE.keys for the next time
  --url URL             the broker
  --sites N             sites (default ${defaults.sites}); --terminals N: terminals (default ${defaults.terminals})
  --seed N              the same seed is the same fleet (default ${defaults.seed})
  --control SOCKET      where orders are taken: lines of JSON (default: in the folder of the user or of the machine)
  --sample-seconds N    each terminal reports this often (default ${defaults['sample-seconds']})
  --item-seconds N      each comes to owe the head of its record this often (default: never)
  --hurts-per-minute N  so many readers are unplugged in a minute, and plugged in again (default ${defaults['hurts-per-minute']})
  --per-second N        so many begin in a second (default ${defaults['per-second']})
  --processes N         play them in so many processes (default ${defaults.processes}; --part is theirs)
  --prepare             write certificates and registry, and stop
  --quick               what is wrong shows within 2 s, and not after the delays of a real terminal

hurt does something to one of them, and heals it:
${list(harms)}

  --json                print the device, and faults, as JSON

Exit codes: 0 stopped, or done; 1 it could not be played or done; 2 called wrongly.

Examples: checkpost simulate reader --profile elyctis-idbox --link /tmp/reader --fault split
          checkpost simulate hurt XAA-0101-1 unplug-reader
`,
  options,
  async run(args, context) {
    const verb = readVerb(verbs, Object.keys(options), args);
    if (!verb.ok) return report(verb.fault, context, args.flag('json'));
    return { reader: simulateReader, fleet: simulateFleet, hurt: simulateHurt }[verb.value](args, context);
  },
};
