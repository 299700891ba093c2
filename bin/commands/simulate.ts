import { existsSync, lstatSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { builtInProfiles, chooseProfile } from '#agent/readers/index.ts';
import { ReaderProfile } from '#contracts/readers.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { ms } from '#contracts/units.ts';
import { pause, systemClock } from '#runtime/clock.ts';
import { loadSettings } from '#runtime/settings.ts';
import type { Lines } from '#test/rigs/reader-simulator/encode.ts';
import { type FaultName, faults, isFaultName, refusePlay } from '#test/rigs/reader-simulator/faults.ts';
import { startReaderSimulator } from '#test/rigs/reader-simulator/simulator.ts';
import { type Command, type CommandArguments, type CommandContext, report } from '../command.ts';
import { defaultDocuments, isZone, nameOf, readDocuments } from '../simulate/documents.ts';
import { readNumber, readVerb, type Verb } from '../verbs.ts';

const usage = 'checkpost simulate reader [--profile NAME] [options]';
const verbs = {
  reader: {
    usage,
    words: 0,
    required: [],
    optional: ['profile', 'profile-file', 'documents', 'link', 'every', 'count', 'fault', 'seed'],
  },
} as const satisfies Record<string, Verb>;

const options = {
  profile: { type: 'string' },
  'profile-file': { type: 'string' },
  documents: { type: 'string' },
  link: { type: 'string' },
  every: { type: 'string' },
  count: { type: 'string' },
  fault: { type: 'string', multiple: true },
  seed: { type: 'string' },
} as const;

/** How often a document is put on the reader where nobody presses Enter. */
const everyDefault = 3000;

export const command: Command = {
  summary: 'play a passport reader on a pseudo-terminal',
  help: `
checkpost simulate: play a device that is not there

Usage: checkpost simulate reader [--profile NAME] [options]

Plays a serial reader of a profile on a pseudo-terminal, both ways: it answers the commands of a terminal, reads only
when it is told to where its model waits for that, and talks at its own speed. Where the terminal has set another, what
arrives is what a real line would make of it. A pseudo-terminal keeps the speed that is set on it, but neither data bits
nor parity: those of the profile count as set at both ends, and a difference in them is not played. Documents are put on
it one after the other: with Enter at a console, otherwise every few seconds. What it does is said on standard error;
document numbers are masked.

  --profile NAME        one of the profiles of checkpost readers profiles (default: swipe)
  --profile-file FILE   a profile of your own, as JSON; --profile is then not needed
  --documents FILE      MRZ lines, documents separated by an empty line (default: published and made-up specimens);
                        what is no machine readable zone is played too, with a warning
  --link PATH           where the device is to stand (default: a new name, which is printed)
  --every MS            put a document on it every so many milliseconds (default: ${everyDefault} without a console)
  --count N             stop after so many documents (default: go on until stopped)
  --fault NAME          a fault of every read; may be given several times
  --seed N              decides all that a fault leaves to chance (default 1)
  --json                print the device and faults as JSON

Faults:
${Object.entries(faults)
  .map(([name, words]) => `  ${name.padEnd(12)}${words}`)
  .join('\n')}

The line with "event":"ready" (with --json) or the first line says where the device is. USB HID readers and keyboards
cannot be played on a pseudo-terminal.

Exit codes: 0 stopped, or all of --count was played; 1 it could not be played; 2 called wrongly.

Example: checkpost simulate reader --profile elyctis-idbox --link /tmp/reader --fault split
`,
  options,
  async run(args, context) {
    const json = args.flag('json');
    const verb = readVerb(verbs, Object.keys(options), args);
    if (!verb.ok) return report(verb.fault, context, json);
    const order = readOrder(args);
    if (!order.ok) return report(order.fault, context, json);
    return playReader(order.value, context, json);
  },
};

interface Order {
  readonly profile: ReaderProfile;
  readonly documents: readonly Lines[];
  readonly link: string | undefined;
  readonly every: number | undefined;
  readonly count: number;
  readonly faults: readonly FaultName[];
  readonly seed: number;
}

function readOrder(args: CommandArguments): Result<Order> {
  const every = readWhole(args, 'every', 1, 3_600_000);
  if (!every.ok) return every;
  const count = readWhole(args, 'count', 1, 1_000_000_000);
  if (!count.ok) return count;
  const seed = readWhole(args, 'seed', 0, 0xffff_ffff);
  if (!seed.ok) return seed;
  const ordered = args.list('fault');
  const known = ordered.filter(isFaultName);
  const unknown = ordered.find((name) => !isFaultName(name));
  if (unknown !== undefined) {
    return fail('USAGE', `There is no fault ${unknown}; there are ${Object.keys(faults).join(', ')}.`);
  }
  const profile = readProfile(args);
  if (!profile.ok) return profile;
  const playable = refusePlay(profile.value, known);
  if (!playable.ok) return playable;
  const link = checkLink(args.text('link'));
  if (!link.ok) return link;
  const file = args.text('documents');
  const documents = file === undefined ? ok(defaultDocuments) : readDocuments(file);
  if (!documents.ok) return documents;
  return ok({
    profile: profile.value,
    documents: documents.value,
    link: args.text('link'),
    every: every.value,
    count: count.value ?? Number.POSITIVE_INFINITY,
    faults: known,
    seed: seed.value ?? 1,
  });
}

function readWhole(
  args: CommandArguments,
  option: string,
  least: number,
  most: number,
): Result<number | undefined> {
  const given = readNumber(args, option);
  if (!given.ok || given.value === undefined) return given;
  const { value } = given;
  if (Number.isInteger(value) && value >= least && value <= most) return given;
  return fail('USAGE', `--${option} takes a whole number from ${least} to ${most}, not ${value}.`);
}

function readProfile(args: CommandArguments): Result<ReaderProfile> {
  const file = args.text('profile-file');
  if (file === undefined) {
    const chosen = chooseProfile({ profile: args.text('profile') ?? 'swipe' }, []);
    if (chosen.ok) return chosen;
    const names = builtInProfiles.map(({ name }) => name).join(', ');
    return fail(chosen.fault.code, `${chosen.fault.detail} There are ${names}.`);
  }
  const own = loadSettings(ReaderProfile, file);
  if (!own.ok) return own;
  const name = args.text('profile');
  if (name !== undefined && name !== own.value.name) {
    return fail('USAGE', `${file} is the profile ${own.value.name}, not ${name}.`);
  }
  return own;
}

/** Where the device may stand: in a folder, and in the place of nothing but an old link. Fault: FILE_REFUSED. */
function checkLink(link: string | undefined): Result<void> {
  if (link === undefined) return ok(undefined);
  const stands = lstatSync(link, { throwIfNoEntry: false });
  if (stands !== undefined && !stands.isSymbolicLink())
    return fail('FILE_REFUSED', `${link}: something stands there that is no link.`);
  return existsSync(dirname(link))
    ? ok(undefined)
    : fail('FILE_REFUSED', `${link}: its folder is not there.`);
}

async function playReader(order: Order, context: CommandContext, json: boolean): Promise<number> {
  const { profile, documents, count, faults: ordered, seed } = order;
  const say = (text: string): void => void context.stderr.write(`simulate: ${text}\n`);
  for (const [at, lines] of documents.entries()) {
    if (!isZone(lines))
      say(`warning: document ${at + 1} is no machine readable zone; it is played all the same`);
  }
  const folder = order.link === undefined ? mkdtempSync(join(tmpdir(), 'checkpost-simulate-')) : undefined;
  const link = order.link ?? join(folder ?? '', 'reader');
  try {
    const reader = await startReaderSimulator({
      profile,
      link,
      clock: systemClock,
      seed,
      faults: ordered,
      said: (event) => say(event),
    });
    try {
      context.stdout.write(
        json
          ? `${JSON.stringify({ event: 'ready', device: link, profile: profile.name, pid: process.pid })}\n`
          : `${profile.name} at ${link}\n`,
      );
      const turns = turnsOf(order, context);
      for (let at = 0; at < count && (await turns.next()); at++) {
        const lines = documents[at % documents.length] ?? [];
        const read = await reader.present(lines);
        say(`${at + 1}: ${nameOf(lines)} ${read ? 'read' : 'put on it, but it was not told to read'}`);
      }
      await reader.idle();
      // What is still on its way would go with the device.
      await pause(systemClock, ms(profile.idleMillis), context.signal);
      turns.close();
    } finally {
      await reader.close();
    }
    return 0;
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  }
}

/** Says when the next document is to be put on the reader; false when there is to be none any more. */
interface Turns {
  next(): Promise<boolean>;
  close(): void;
}

function turnsOf(order: Order, { stdin, stderr, signal }: CommandContext): Turns {
  const isConsole = 'isTTY' in stdin && stdin.isTTY === true;
  if (order.every !== undefined || !isConsole) {
    const every = ms(order.every ?? everyDefault);
    // A timer of the clock keeps no process alive; this command lives by it.
    const alive = setInterval(() => {}, 2 ** 30);
    return {
      async next() {
        await pause(systemClock, every, signal);
        return !signal.aborted;
      },
      close: () => clearInterval(alive),
    };
  }
  stderr.write('simulate: Enter puts the next document on it; Ctrl-C stops.\n');
  const console = createInterface({ input: stdin });
  const lines = console[Symbol.asyncIterator]();
  signal.addEventListener('abort', () => console.close(), { once: true });
  return {
    async next() {
      const line = await lines.next();
      return line.done !== true && !signal.aborted;
    },
    close: () => console.close(),
  };
}
