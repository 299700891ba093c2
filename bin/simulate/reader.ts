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
import { type CommandArguments, type CommandContext, report } from '../command.ts';
import { readWhole } from '../verbs.ts';
import { defaultDocuments, isZone, nameOf, readDocuments } from './documents.ts';

/** How often a document is put on the reader where nobody presses Enter, in milliseconds. */
export const everyDefault = 3000;

/** `checkpost simulate reader`; the answer is the exit code. */
export async function simulateReader(args: CommandArguments, context: CommandContext): Promise<number> {
  const json = args.flag('json');
  const order = readOrder(args);
  if (!order.ok) return report(order.fault, context, json);
  return playReader(order.value, context, json);
}

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
