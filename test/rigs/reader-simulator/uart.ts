/**
 * What a serial line makes of bytes, bit by bit, so that a wrong speed, a wrong number of data bits or a wrong parity is
 * played as it is and not guessed.
 *
 *     idle 1 | start 0 | data, lowest bit first | parity | stop 1 … | idle 1
 *
 * A receiver waits for the line to fall, and reads each bit in its middle by its own clock.
 */
export interface Line {
  /** Bits per second. */
  readonly baudRate: number;
  readonly dataBits: 7 | 8;
  readonly parity: 'none' | 'even' | 'odd';
  readonly stopBits: 1 | 2;
}

/**
 * The bytes that a port set to `heardAt` gives of `bytes` sent as `sent`, as Linux does without INPCK and PARMRK: parity
 * is not looked at, a byte whose stop bit is missing is given as it was read, and a break is one 0x00 (termios(3)).
 * `gapBits` is the rest between two bytes, in bits of the sender; none by default, as a reader sends.
 */
export function received(bytes: Uint8Array, sent: Line, heardAt: Line, gapBits = 0): Uint8Array {
  const wave = waveform(bytes, sent, gapBits);
  /** After its last bit the line is idle. */
  const level = (time: number): number => wave[Math.floor(time)] ?? 1;
  /** One bit of the receiver, in bits of the sender. */
  const bit = sent.baudRate / heardAt.baudRate;
  const out: number[] = [];
  let time = 0;
  while (time < wave.length) {
    const start = nextFall(wave, Math.floor(time));
    if (start === undefined) break;
    time = start + bit / 2;
    // Too short for a start bit: a spike.
    if (level(time) === 1) continue;
    let byte = 0;
    for (let at = 0; at < heardAt.dataBits; at++) byte |= level((time += bit)) << at;
    if (heardAt.parity !== 'none') time += bit;
    time += bit;
    out.push(byte);
  }
  return Uint8Array.from(out);
}

/** The levels of the line, one for each bit of the sender. */
function waveform(bytes: Uint8Array, line: Line, gapBits: number): readonly number[] {
  const wave: number[] = [1, 1];
  for (const byte of bytes) {
    const data = Array.from({ length: line.dataBits }, (_, at) => (byte >> at) & 1);
    const ones = data.reduce((sum, one) => sum + one, 0);
    wave.push(0, ...data);
    if (line.parity !== 'none') wave.push(line.parity === 'even' ? ones & 1 : (ones & 1) ^ 1);
    for (let at = 0; at < line.stopBits + gapBits; at++) wave.push(1);
  }
  return wave;
}

/** Where the line next falls from 1 to 0, from a bit on; a line that is low there must rise first. */
function nextFall(wave: readonly number[], from: number): number | undefined {
  let at = from;
  while (at < wave.length && wave[at] === 0) at++;
  while (at < wave.length && wave[at] === 1) at++;
  return at < wave.length ? at : undefined;
}
