import type { SerialLinkProfile } from '#contracts/readers.ts';

/** How a line is set: speed in baud, data bits, parity, stop bits. */
export type Line = Pick<SerialLinkProfile, 'baudRate' | 'dataBits' | 'parity' | 'stopBits'>;

/** The likeliest first. */
export const speeds = [9600, 115_200, 19_200, 38_400, 57_600, 4800, 2400, 1200, 230_400] as const;

export function line(
  baudRate: number,
  dataBits: Line['dataBits'] = 8,
  parity: Line['parity'] = 'none',
  stopBits: Line['stopBits'] = 1,
): Line {
  return { baudRate, dataBits, parity, stopBits };
}

/** In words: what a reader that is not found may talk outside of. */
export const speedRange = `${Math.min(...speeds)} to ${Math.max(...speeds)} baud`;

/** As an engineer writes it: `9600 8N1`. */
export function lineName({ baudRate, dataBits, parity, stopBits }: Line): string {
  return `${baudRate} ${dataBits}${parity.charAt(0).toUpperCase()}${stopBits}`;
}

export const sameLine = (a: Line, b: Line): boolean => lineName(a) === lineName(b);

/**
 * What a port set to `at` makes of bytes that are sent as `sent`: the line as a row of bits, and a receiver that waits
 * for it to fall and then looks at the middle of each bit by its own clock. Some drivers pass a byte over whose stop bit
 * is missing or whose parity is wrong (8250), others give it as it was read (FTDI): `strict` is the first kind.
 */
export function heard(bytes: Uint8Array, sent: Line, at: Line, strict: boolean): Uint8Array {
  const wave = waveOf(bytes, sent);
  const level = (time: number): number => wave[Math.floor(time)] ?? 1;
  const bit = sent.baudRate / at.baudRate;
  const out: number[] = [];
  for (let time = 0; ;) {
    let start = Math.floor(time);
    // Where it is low it must rise first.
    while (start < wave.length && wave[start] === 0) start++;
    while (start < wave.length && wave[start] === 1) start++;
    if (start >= wave.length) return Uint8Array.from(out);
    time = start + bit / 2;
    // Too short to be a start bit.
    if (level(time) === 1) continue;
    let byte = 0;
    let ones = 0;
    for (let place = 0; place < at.dataBits; place++) {
      const one = level((time += bit));
      byte |= one << place;
      ones += one;
    }
    const parityBit = at.parity === 'none' ? undefined : level((time += bit));
    const stop = level((time += bit));
    const good = stop === 1 && (parityBit === undefined || parityBit === parityOf(ones, at.parity));
    if (good || !strict) out.push(byte);
  }
}

function waveOf(bytes: Uint8Array, { dataBits, parity, stopBits }: Line): readonly number[] {
  const wave: number[] = [1, 1];
  for (const byte of bytes) {
    const data = Array.from({ length: dataBits }, (_, place) => (byte >> place) & 1);
    wave.push(0, ...data);
    if (parity !== 'none') wave.push(parityOf(onesOf(byte & ((1 << dataBits) - 1)), parity));
    for (let stop = 0; stop < stopBits; stop++) wave.push(1);
  }
  return wave;
}

const parityOf = (ones: number, parity: Line['parity']): number =>
  parity === 'even' ? ones & 1 : (ones & 1) ^ 1;

/** How many bits of a byte are set. */
export function onesOf(byte: number): number {
  let ones = 0;
  for (let rest = byte; rest > 0; rest >>= 1) ones += rest & 1;
  return ones;
}
