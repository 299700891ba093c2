import type { ReaderProfile, SerialLinkProfile } from '#contracts/readers.ts';
import { fail, ok, type Result } from '#contracts/result.ts';
import { encodeRead, joined, type Lines, type Style } from './encode.ts';

/** Faults to order, by name. Which one comes out how is decided by the seed alone. */
export const faults = {
  split: 'a read comes byte by byte, or in pieces with rests between',
  joined: 'two reads come as one piece',
  noise: 'bytes that no reader sends come before and between reads',
  stutter: 'a third of a read, then silence',
  repeat: 'a read is sent twice',
  unread: 'some characters are _ ? or *',
  unplug: 'the cable is pulled in the middle of a read, and plugged in again',
  'wrong-baud': 'it sends and listens at another speed than its profile says',
  'bad-check': 'the block check of a read is wrong',
  swapped: 'its two wires are crossed: nothing arrives at either end',
} as const;
export type FaultName = keyof typeof faults;
export const isFaultName = (name: string): name is FaultName => Object.hasOwn(faults, name);

/** One thing that a reader does on its line. */
export type Step =
  | { readonly kind: 'send'; readonly bytes: Uint8Array; readonly line: SerialLinkProfile }
  | { readonly kind: 'rest'; readonly millis: number }
  /** The cable is pulled and plugged in again after so long. */
  | { readonly kind: 'unplug'; readonly millis: number };

export interface PlanParts {
  readonly profile: ReaderProfile;
  readonly style: Style;
  /** The line at which it really sends. */
  readonly line: SerialLinkProfile;
  readonly random: () => number;
}

/** How long a pulled cable is out: longer than a terminal takes to look for its readers. */
const pulledMillis = 700;
const speeds = [1200, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200];

/** Why a profile cannot be played here, or a fault not with it. Fault: USAGE. */
export function refusePlay(profile: ReaderProfile, ordered: readonly FaultName[]): Result<void> {
  const { link, framing, protocol, name } = profile;
  if (link.kind !== 'serial') {
    const why = `${name} is a USB ${link.kind === 'hid' ? 'HID device' : 'keyboard'}`;
    return fail('USAGE', `${why}, and a pseudo-terminal plays serial readers only.`);
  }
  if (ordered.includes('bad-check') && (!('blockCheck' in framing) || framing.blockCheck === 'none')) {
    return fail('USAGE', `${name} sends no block check that could be wrong.`);
  }
  const readsOnce = protocol.kind === 'elyctis' || protocol.trigger !== undefined;
  if (ordered.includes('joined') && readsOnce) {
    return fail('USAGE', `${name} reads once and waits to be told again: it never joins two reads.`);
  }
  return ok(undefined);
}

/** Another speed than this one, far enough from it that no byte survives. */
export function otherSpeed(baudRate: number, random: () => number): number {
  return pick(
    speeds.filter((speed) => speed !== baudRate),
    random,
  );
}

/** What a reader does on its line, and in words what its faults have made of it; nothing of a document is in them. */
export interface Plan {
  readonly steps: readonly Step[];
  readonly played: readonly string[];
}

/** What a reader with these faults does on its line when it has read these documents, one after the other. */
export function planRead(documents: readonly Lines[], ordered: readonly FaultName[], parts: PlanParts): Plan {
  const has = (name: FaultName): boolean => ordered.includes(name);
  const { profile, random } = parts;
  if (has('swapped')) return { steps: [], played: ['its wires are crossed: nothing reaches the terminal'] };
  const line = has('wrong-baud')
    ? { ...parts.line, baudRate: otherSpeed(parts.line.baudRate, random) }
    : parts.line;
  const played: string[] = [];
  if (has('wrong-baud')) played.push(`sent at ${line.baudRate} baud instead of ${parts.line.baudRate}`);
  const silence: Step = { kind: 'rest', millis: 2 * profile.idleMillis };
  const send = (bytes: Uint8Array): Step => ({ kind: 'send', bytes, line });
  const reads = documents.flatMap((lines) => {
    const shown = has('unread') ? unread(lines, random) : lines;
    if (has('unread')) played.push(`${counted(differences(shown, lines), 'character')} sent as _ ? or *`);
    const read = encodeRead(profile.framing, shown, parts.style);
    const sent = has('bad-check') ? withBadCheck(read, random) : read;
    if (has('bad-check')) played.push('its block check is wrong');
    if (has('repeat')) played.push('sent twice');
    return has('repeat') ? [sent, sent] : [sent];
  });
  if (documents.length > 1) played.push(`${documents.length} reads sent as one piece`);
  const cutUp = (read: Uint8Array): Step[] => {
    const out = pieces(read, has('split'), parts).map(toStep(send));
    const number = out.filter(({ kind }) => kind === 'send').length;
    if (has('split')) played.push(`${counted(read.length, 'byte')} sent in ${counted(number, 'piece')}`);
    return out;
  };
  // Nothing but silence ends what an imager sends.
  const between = profile.framing.kind === 'lines' && !profile.framing.lastLineEnd ? [silence] : [];
  if (has('unplug')) {
    const [first = new Uint8Array()] = reads;
    const half = first.subarray(0, Math.floor(first.length / 2));
    played.push(`${half.length} of its ${first.length} bytes sent, then its cable is pulled`);
    const steps: Step[] = [
      send(half),
      // Long enough for the half to arrive, too short for the silence that would end it.
      { kind: 'rest', millis: Math.ceil(profile.idleMillis / 2) },
      { kind: 'unplug', millis: pulledMillis },
    ];
    return { steps, played };
  }
  if (has('stutter')) {
    const steps = reads.flatMap((read) => {
      const third = read.subarray(0, Math.floor(read.length / 3));
      played.push(`${third.length} of its ${read.length} bytes sent, then silence`);
      return [...cutUp(third), silence];
    });
    return { steps, played };
  }
  if (!has('noise') && between.length === 0) return { steps: cutUp(joined(...reads)), played };
  // Bare lines have no mark where they begin: what stands before them belongs to them unless there is silence between.
  const rest = isMarked(reads[0]) ? [] : [silence];
  const soil = (): Step[] => {
    const bytes = garbage(random);
    played.push(`${counted(bytes.length, 'byte')} of noise sent before it`);
    return [send(bytes), ...rest];
  };
  const steps = reads.flatMap((read, at) => [
    ...(at === 0 ? [] : between),
    ...(has('noise') ? soil() : []),
    ...cutUp(read),
  ]);
  return { steps, played };
}

const counted = (number: number, word: string): string => `${number} ${word}${number === 1 ? '' : 's'}`;

/** In how many characters the lines are not the same. */
function differences(a: Lines, b: Lines): number {
  const [one, other] = [a, b].map((lines) => lines.join('\n')) as [string, string];
  return Array.from(one).filter((character, at) => character !== other[at]).length;
}

const toStep =
  (send: (bytes: Uint8Array) => Step) =>
  (piece: Uint8Array | number): Step =>
    typeof piece === 'number' ? { kind: 'rest', millis: piece } : send(piece);

/** The read in one piece, or in many with rests in milliseconds between, each far below the silence that ends a read. */
function pieces(read: Uint8Array, split: boolean, { profile, random }: PlanParts): (Uint8Array | number)[] {
  if (!split) return [read];
  const longest = random() < 0.5 ? 1 : 24;
  const longestRest = longest === 1 ? 1 : Math.max(1, Math.min(40, profile.idleMillis / 8));
  const out: (Uint8Array | number)[] = [];
  for (let at = 0; at < read.length;) {
    const size = 1 + Math.floor(random() * longest);
    if (at > 0) out.push(Math.ceil(random() * longestRest));
    out.push(read.subarray(at, at + size));
    at += size;
  }
  return out;
}

/** One to four characters that the reader could not read. */
function unread(lines: Lines, random: () => number): Lines {
  const rows = lines.map((line) => Array.from(line));
  const count = 1 + Math.floor(random() * 4);
  for (let at = 0; at < count; at++) {
    const row = pick(rows, random);
    row[Math.floor(random() * row.length)] = pick(['_', '?', '*'], random);
  }
  return rows.map((row) => row.join(''));
}

function withBadCheck(read: Uint8Array, random: () => number): Uint8Array {
  const out = read.slice();
  const last = out.length - 1;
  out[last] = (out[last] ?? 0) ^ (1 + Math.floor(random() * 127));
  return out;
}

/** A spike on the line: a few bytes that are neither text nor the mark of any frame. */
function garbage(random: () => number): Uint8Array {
  const length = 3 + Math.floor(random() * 10);
  return Uint8Array.from({ length }, () =>
    random() < 0.2 ? pick([0x00, 0x07, 0x7f], random) : 0x80 + Math.floor(random() * 0x80),
  );
}

/** Whether a read says itself where it begins; bare lines begin with a letter. */
function isMarked(read: Uint8Array | undefined): boolean {
  const first = read?.[0] ?? 0;
  return first < 0x20 || read?.[1] === 0;
}

function pick<T>(items: readonly T[], random: () => number): T {
  return items[Math.floor(random() * items.length)] as T;
}
