import {
  alphabet,
  below,
  digits,
  type Generated,
  generatedFormats,
  generateMrz,
  letters,
  oneOf,
  type Random,
  textOf,
} from '../../rigs/generate-mrz.ts';
import { judge } from '../../rigs/judge-mrz.ts';
import type { Family } from './families.ts';

/** One stream of bytes, what documents it was made of, and how probably chance makes a false document of it. */
export interface Fuzzed {
  readonly bytes: Uint8Array;
  readonly sent: readonly Generated[];
  /**
   * Probability, over the last random choice made for this frame, that what it becomes is false and yet right in every
   * digit. Undefined where it is reckoned from what was read, one tenth for each check digit of a document not sent, and
   * in classes that have a bound.
   */
  readonly expected: number | undefined;
}

export interface FuzzClass {
  readonly name: string;
  /** Of how many frames in a hundred. */
  readonly share: number;
  /**
   * The most wrong numbers that may come of a million frames, where frames are damaged rather than made up: what chance
   * would make of those that are misread systematically would hide the misreading, so the bound is fixed.
   */
  readonly bound?: number;
  readonly make: (random: Random, family: Family) => Fuzzed;
}

const latin = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));
const glued = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
const anyDocument = (random: Random): Generated => generateMrz(random, oneOf(random, generatedFormats));
const randomBytes = (random: Random, length: number): Uint8Array =>
  Uint8Array.from({ length }, () => below(random, 256));

/**
 * Three times what chance explains, in wrong numbers per million frames. Of a document that lost the same columns in
 * every line, one in eighteen has a shorter one's length and another number in its place. One in fifty of those has no
 * two digits where the nationality belongs, because day or birth is unknown; the number's digit holds for one in ten
 * of these, and those of expiry, or of expiry and the whole, for one in a hundred: about one in a million. The other
 * classes have less. Had the gap no sign and no warning, it would be thousands.
 */
const mostByChance = 3;

export const fuzzClasses: readonly FuzzClass[] = [
  { name: 'random bytes', share: 8, make: bytes },
  { name: 'random lines', share: 10, make: randomLines },
  { name: 'lines of the right kinds of characters', share: 18, make: shapedLines },
  { name: 'characters substituted', share: 30, make: (random, family) => substituted(random, family, false) },
  {
    name: 'characters of the number substituted',
    share: 15,
    make: (random, family) => substituted(random, family, true),
  },
  { name: 'cut', share: 6, bound: mostByChance, make: cut },
  { name: 'same columns cut from every line', share: 4, bound: mostByChance, make: cutInEveryLine },
  { name: 'joined', share: 3, bound: mostByChance, make: joined },
  { name: 'doubled', share: 3, bound: mostByChance, make: doubled },
  { name: 'noise between', share: 3, bound: mostByChance, make: noisy },
];

function bytes(random: Random): Fuzzed {
  return { bytes: randomBytes(random, below(random, 300)), sent: [], expected: undefined };
}

/** Lines of a right count and length with anything in them. */
function randomLines(random: Random, family: Family): Fuzzed {
  const [count, length] = oneOf(random, [
    [2, 44],
    [2, 36],
    [3, 30],
  ] as const);
  const lines = Array.from({ length: count }, () => textOf(random, alphabet, length));
  return { bytes: family.encode(lines), sent: [], expected: chanceOfAnything(count, length) };
}

/**
 * The chance of lines of 37 equally likely characters to be a document: a letter, a letter or filler, three letters or
 * fillers, and each check digit one character of 37, since what it must be does not depend on what it is. Numbers that
 * go on have two more ways to hold, which adds a twentieth; it is left out, for the whole is far below one document.
 */
function chanceOfAnything(count: number, length: number): number {
  const state = (27 / 37) ** 4;
  const visa = (1 / 37) * state * (1 / 37) ** 3;
  if (count === 3) return (25 / 37) * state * (1 / 37) ** 4;
  return (25 / 37) * state * (1 / 37) ** (length === 44 ? 5 : 4) + visa;
}

/** Letters where letters stand, digits where digits stand: each check digit holds by chance, one time in ten. */
function shapedLines(random: Random, family: Family): Fuzzed {
  const format = oneOf(random, generatedFormats);
  const number = textOf(random, alphabet.slice(0, 36), 9);
  const dates = `${textOf(random, digits, 7)}${oneOf(random, ['M', 'F', '<'])}${textOf(random, digits, 7)}`;
  const state = textOf(random, letters, 3);
  const begin = oneOf(
    random,
    { TD1: ['I', 'A'], TD2: ['I', 'A'], TD3: ['P'], 'MRV-A': ['V'], 'MRV-B': ['V'], 'FRA-ID': ['I'] }[format],
  );
  const digit = (): string => textOf(random, digits, 1);
  const free = (length: number): string => textOf(random, alphabet.slice(0, 36), length);
  const names = (length: number): string => textOf(random, `${letters}<<<`, length);
  const lines = ((): string[] => {
    if (format === 'TD1') {
      return [
        `${begin}<${state}${number}${digit()}${free(15)}`,
        dates + names(3) + free(11) + digit(),
        names(30),
      ];
    }
    if (format === 'FRA-ID') {
      return [
        `IDFRA${names(25)}${textOf(random, digits, 6)}`,
        textOf(random, digits, 13) +
          names(14) +
          textOf(random, digits, 7) +
          oneOf(random, ['M', 'F']) +
          digit(),
      ];
    }
    const width = format === 'TD3' || format === 'MRV-A' ? 44 : 36;
    const ending = width - 28;
    const rest =
      { TD3: free(14) + digit() + digit(), TD2: free(7) + digit() }[format as 'TD3'] ?? free(ending);
    return [`${begin}<${state}${names(width - 5)}`, number + digit() + names(3) + dates + rest];
  })();
  const checks = { TD1: 4, TD2: 4, TD3: 5, 'MRV-A': 3, 'MRV-B': 3, 'FRA-ID': 3 }[format];
  return { bytes: family.encode(lines), sent: [], expected: 10 ** -checks };
}

/**
 * One to four characters replaced by any others of the alphabet. What chance makes of it is reckoned exactly: for each
 * of the 36 characters that the last one could have become, whether all digits hold and the number or state is not the
 * one sent.
 */
function substituted(random: Random, family: Family, inNumber: boolean): Fuzzed {
  const sent = anyDocument(random);
  const width = sent.lines[0]?.length ?? 0;
  const count = 1 + below(random, 4);
  let lines = sent.lines;
  let expected = 0;
  for (let n = 0; n < count; n++) {
    const [line, at] = inNumber
      ? placeInNumber(random, sent)
      : [below(random, lines.length), below(random, width)];
    const old = lines[line] ?? '';
    const others = alphabet.replace(old.charAt(at), '');
    const becomes = (to: string): readonly string[] =>
      lines.with(line, old.slice(0, at) + to + old.slice(at + 1));
    if (n === count - 1)
      expected = Array.from(others).filter((to) => isFalse(becomes(to), sent)).length / others.length;
    lines = becomes(others.charAt(below(random, others.length)));
  }
  return { bytes: family.encode(lines), sent: [sent], expected };
}

/** In the number or its check digit, now and then in the state or the composite digit. */
function placeInNumber(random: Random, { format, lines }: Generated): readonly [number, number] {
  const width = lines[0]?.length ?? 0;
  const kind = random();
  if (kind < 0.1) return [0, 2 + below(random, 3)];
  if (kind < 0.2) return [1, width - 1];
  return format === 'TD1' ? [0, 5 + below(random, 13)] : [1, below(random, 10)];
}

function isFalse(lines: readonly string[], sent: Generated): boolean {
  const judged = judge(lines);
  return judged !== undefined && (judged.number !== sent.number || judged.state !== sent.state);
}

/** A piece of the bytes is missing, anywhere. */
function cut(random: Random, family: Family): Fuzzed {
  const sent = anyDocument(random);
  const whole = family.encode(sent.lines);
  const from = below(random, whole.length);
  const to = from + 1 + below(random, random() < 0.5 ? 6 : whole.length - from);
  return { bytes: glued(whole.subarray(0, from), whole.subarray(to)), sent: [sent], expected: undefined };
}

/**
 * The same columns are missing in every line, as a dirty or stuck swipe loses them: most often so many that a longer
 * document has the length of a shorter one, with other fields in its columns.
 */
function cutInEveryLine(random: Random, family: Family): Fuzzed {
  const sent = anyDocument(random);
  const width = sent.lines[0]?.length ?? 0;
  const many = random() < 0.7 ? (width === 44 ? 8 : 6) : 1 + below(random, 14);
  const from = below(random, width - many + 1);
  const lines = sent.lines.map((line) => line.slice(0, from) + line.slice(from + many));
  return { bytes: family.encode(lines), sent: [sent], expected: undefined };
}

/** Documents one behind the other without silence between them. */
function joined(random: Random, family: Family): Fuzzed {
  const sent = Array.from({ length: 2 + below(random, 2) }, () => anyDocument(random));
  return { bytes: glued(...sent.map(({ lines }) => family.encode(lines))), sent, expected: undefined };
}

/** A frame twice, or its lines each twice. */
function doubled(random: Random, family: Family): Fuzzed {
  const sent = anyDocument(random);
  const twice =
    random() < 0.5
      ? glued(family.encode(sent.lines), family.encode(sent.lines))
      : family.encode(sent.lines.flatMap((line) => [line, line]));
  return { bytes: twice, sent: [sent], expected: undefined };
}

function noisy(random: Random, family: Family): Fuzzed {
  const sent = [anyDocument(random), anyDocument(random)];
  const noise = (): Uint8Array =>
    random() < 0.5
      ? randomBytes(random, below(random, 40))
      : latin(textOf(random, `${alphabet}\r\n_?*`, below(random, 40)));
  return {
    bytes: glued(noise(), ...sent.flatMap(({ lines }) => [family.encode(lines), noise()])),
    sent,
    expected: undefined,
  };
}
