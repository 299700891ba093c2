import { heard, type Line, line, lineName, sameLine, speeds } from './line.ts';

/** What came in one go while the port was set to a line; nothing where a swipe was waited for in vain. */
export interface Burst {
  readonly at: Line;
  readonly bytes: Uint8Array;
}

/** Fewer bytes than this may be noise, or a document from a line that is much faster than the port listens. */
export const fewBytes = 16;
/** How alike noise is to any document. */
const noise = 0.05;

const isFew = ({ bytes }: Burst): boolean => bytes.length > 0 && bytes.length < fewBytes;

/** What a reader sends of a passport and of a card: only the frequency of characters matters, above all of `<`. */
const typical = [
  'P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\rL898902C36UTO7408122F1204159ZE184226B<<<<<10\r',
  'I<UTOD231458907<<<<<<<<<<<<<<<\r7408122F1204159UTO<<<<<<<<<<<6\rERIKSSON<<ANNA<MARIA<<<<<<<<<<\r',
].map((text) => new TextEncoder().encode(text));

/**
 * Lines of a reader, each with how the port must be set to hear it (7 bits with parity are 8 bits to a port), and how
 * much rarer it is than the first, as a logarithm: where little was heard, that decides.
 */
const candidates = speeds.flatMap((speed, rank) => [
  { sent: line(speed), open: line(speed), rare: 0.05 * rank },
  { sent: line(speed, 8, 'none', 2), open: line(speed), rare: 0.05 * rank + 0.1 },
  { sent: line(speed, 7, 'even'), open: line(speed), rare: 0.05 * rank + 0.1 },
  { sent: line(speed, 7, 'odd'), open: line(speed), rare: 0.05 * rank + 0.1 },
  { sent: line(speed, 8, 'even'), open: line(speed, 8, 'even'), rare: 0.05 * rank + 0.3 },
  { sent: line(speed, 8, 'odd'), open: line(speed, 8, 'odd'), rare: 0.05 * rank + 0.3 },
]);

/**
 * How the port must be set so that all that was heard so far makes sense: for every line that a reader may have, what a
 * document would have looked like is compared with what came. A line that is faster than the port listens gives far
 * fewer bytes than a document has; a slower one far more, with many the same (00 80 F8 FF E0). A few bytes may have been
 * noise: they rule nothing out. Undefined where every setting has been tried.
 */
export function likeliest(bursts: readonly Burst[]): Line | undefined {
  const left = candidates.filter(
    ({ open }) => !bursts.some((burst) => !isFew(burst) && sameLine(burst.at, open)),
  );
  let best: { readonly open: Line; readonly score: number } | undefined;
  for (const { sent, open, rare } of left) {
    const score = -rare + Math.max(...[true, false].map((strict) => likeness(bursts, sent, strict)));
    if (best === undefined || score > best.score) best = { open, score };
  }
  return best?.open;
}

/** Logarithm of how alike what came is to what a document would look like, over all bursts; 0 is the same. */
function likeness(bursts: readonly Burst[], sent: Line, strict: boolean): number {
  return bursts.reduce((sum, burst) => {
    const models = typical.map((document) => alike(heard(document, sent, burst.at, strict), burst.bytes));
    return sum + Math.log(Math.max(...models, isFew(burst) ? noise : 0));
  }, 0);
}

/** Between 0 and 1: how far the frequencies of bytes and the number of bytes agree. */
function alike(expected: Uint8Array, came: Uint8Array): number {
  const [shorter, longer] = [expected.length, came.length].sort((a, b) => a - b) as [number, number];
  const number = (shorter + 1) / (longer + 1);
  if (came.length === 0 || expected.length === 0) return number;
  const [a, b] = [expected, came].map(frequencies) as [number[], number[]];
  const overlap = a.reduce((sum, share, byte) => sum + Math.min(share, b[byte] ?? 0), 0);
  // A few bytes say little by their values: then their number decides.
  return number * (overlap + 0.05);
}

function frequencies(bytes: Uint8Array): number[] {
  const shares = Array.from({ length: 256 }, () => 0);
  for (const byte of bytes) shares[byte] = (shares[byte] ?? 0) + 1 / bytes.length;
  return shares;
}

/** In words what garbage says about the line. */
export function directionOf(burst: Burst, next: Line): string {
  const { baudRate } = burst.at;
  if (sameLine(next, burst.at)) return 'they may be noise';
  if (next.baudRate > baudRate) return `the line looks faster than ${baudRate} baud`;
  if (next.baudRate < baudRate) return `the line looks slower than ${baudRate} baud`;
  return `the speed looks right, but not the parity (${lineName(burst.at)})`;
}
